"""What every policy family is: a function of one situation, with parameters that training may move."""

from __future__ import annotations

import abc
import itertools
import math
from collections.abc import Sequence
from typing import ClassVar, Self

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike


class Policy(eqx.Module):
    """A policy before its output head: ``policy(finite_index, inputs) -> raw`` for ONE situation; callers vmap.

    ``finite_index``: an integer scalar that selects the combination of the inputs with finitely many values (0 where
    there are none), counted from 0. ``inputs`` (d,): the other observations, standardised (mean 0, spread of order 1).
    ``raw`` (k,): standardised too; a head turns it into a decision.

    All array leaves are floating. Those named in ``fixed`` belong to the policy's shape and are not trained: they pass
    through ``stop_gradient`` where they are used, and ``trainable`` leaves them out.
    """

    fixed: ClassVar[tuple[str, ...]] = ()

    @classmethod
    @abc.abstractmethod
    def build(cls, key: jax.Array, *, inputs: int, outputs: int, combinations: int, dtype: DTypeLike) -> Self:
        """A random start for d = ``inputs`` continuous inputs, k = ``outputs`` raw outputs and so many combinations of
        the finite inputs. Families add options with defaults; ValueError for what they cannot have."""

    @abc.abstractmethod
    def __call__(self, finite_index: ArrayLike, inputs: jax.Array) -> jax.Array:
        """The raw output (k,) in one situation."""

    def trainable(self) -> Self:
        """A tree of bools shaped like the policy, for ``eqx.partition``: true at the leaves that training may move."""
        everything = jax.tree.map(eqx.is_inexact_array, self)
        names = self.untrained()
        if not names:
            return everything
        return eqx.tree_at(lambda tree: [getattr(tree, name) for name in names], everything, [False] * len(names))

    def untrained(self) -> tuple[str, ...]:
        """The names of the array leaves that are not trained under this policy's options."""
        return self.fixed


def normal_matrix(
    key: jax.Array, shape: tuple[int, ...], fan_in: int, dtype: DTypeLike, scale: float = 1.0
) -> jax.Array:
    """Independent normal weights of standard deviation scale / sqrt(fan_in), which keeps sums of order ``scale``."""
    return scale / max(fan_in, 1) ** 0.5 * jax.random.normal(key, shape, dtype)


def normal_arrays(key: jax.Array, shapes: Sequence[tuple[int, ...]], dtype: DTypeLike) -> list[jax.Array]:
    """Independent standard normal arrays of these shapes, cut from one draw: compiling a draw takes 0.3 s, so a network
    with dozens of arrays should not make one for each."""
    sizes = [math.prod(shape) for shape in shapes]
    parts = jnp.split(jax.random.normal(key, (sum(sizes),), dtype), list(itertools.accumulate(sizes))[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def several_hot(finite_index: ArrayLike, factors: tuple[int, ...], dtype: DTypeLike) -> jax.Array:
    """The finite inputs one by one, each one-hot and of spread one: (sum of factors,). For more combinations than can be told apart
    one by one."""
    parts, rest = [], jnp.asarray(finite_index)
    for size in reversed(factors):
        parts.append(jax.nn.one_hot(rest % size, size, dtype=dtype) * size**0.5)
        rest = rest // size
    return jnp.concatenate(parts[::-1])


def one_hot(finite_index: ArrayLike, combinations: int, dtype: DTypeLike) -> jax.Array:
    """The selection (combinations,); empty where there is only one combination and nothing to tell."""
    return jax.nn.one_hot(finite_index, combinations, dtype=dtype) if combinations > 1 else jnp.zeros((0,), dtype)
