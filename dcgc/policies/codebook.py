"""Policies over a codebook: an encoder of reals that says the number of the nearest code, and a listener that hears the number and
reads the code. They are made from trained policies (see ``studies.quantise``), never from a random start.
"""

from __future__ import annotations

from typing import Literal, Self

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from ..primitives.functions import WHOLE
from .heads import Head
from .policy import Policy

Carried = Literal["plain", "project", "faded"]
Part = tuple[str, int, int]

FROM_POLICIES = "a codebook is made from a trained policy: see dcgc quantise"


class Speaker(Policy):
    """The encoder that it holds, and the nearest code to what that would send: raw outputs (K,) are minus the squared distances.

    ``codes`` (K, D) in the message's units; ``metric`` (D,): how much each real counts; ``low``, ``high`` (): bounds of what the
    encoder decides. ``carried``: what the channel does with it before it is sent: nothing, ``project`` to mean square ``power`` ()
    or ``faded`` by a soft STOP, then projected. Nothing is trained: the code is what listeners learn.
    """

    policy: Policy
    head: Head
    codes: jax.Array
    metric: jax.Array
    low: jax.Array
    high: jax.Array
    power: jax.Array
    carried: Carried = eqx.field(static=True)

    @classmethod
    def build(cls, key: jax.Array, *, inputs: int, outputs: int, combinations: int, dtype: DTypeLike) -> Self:
        raise TypeError(FROM_POLICIES)

    def message(self, finite_index: ArrayLike, inputs: jax.Array) -> jax.Array:
        """The reals (D,) that the encoder would send."""
        decided = self.head(self.policy(finite_index, inputs), self.low, self.high)
        return (decided if self.carried == "plain" else WHOLE[self.carried](decided, self.power)).reshape(-1)

    def __call__(self, finite_index: ArrayLike, inputs: jax.Array) -> jax.Array:
        message = self.message(finite_index, inputs)
        weighed = self.codes * self.metric  # multiplied out: no array of messages by codes by reals
        return 2 * weighed @ message - jnp.sum(weighed * self.codes, axis=-1) - jnp.sum(self.metric * message**2)

    def trainable(self) -> Self:
        return jax.tree.map(lambda _: False, self)


class Merged(Policy):
    """The encoder of words that it holds, with words that have become one: the raw output of each new word is the largest of those
    it stands for. ``words``: the new word of each old one, counted from 0."""

    policy: Policy
    words: tuple[int, ...] = eqx.field(static=True)

    @classmethod
    def build(cls, key: jax.Array, *, inputs: int, outputs: int, combinations: int, dtype: DTypeLike) -> Self:
        raise TypeError(FROM_POLICIES)

    def __call__(self, finite_index: ArrayLike, inputs: jax.Array) -> jax.Array:
        raw = self.policy(finite_index, inputs)
        return jax.ops.segment_max(raw, jnp.asarray(self.words), max(self.words) + 1)

    def trainable(self) -> Self:
        return jax.tree.map(lambda _: False, self)


class Listener(Policy):
    """The policy that it holds, reading a code where it now hears a word.

    ``sizes``: how many values each finite input has now; ``layout``: what the policy's own inputs are made of, in its order:
    ("finite", k, n): finite input k, of n values; ("word", k, r): the old word that stands for the value of finite input k, by the
    list ``words[r]`` after the number of old words; ("given", value, n): a finite input that no longer varies; ("real", first, end):
    real inputs; ("code", k, r): the row of ``codes[r]`` (n_k, reals) of finite input k, standardised as the policy wants it.
    Codes are trained with the policy: how a word is read is up to who reads it.
    """

    policy: Policy
    codes: tuple[jax.Array, ...]
    words: tuple[tuple[int, ...], ...] = eqx.field(static=True)
    sizes: tuple[int, ...] = eqx.field(static=True)
    layout: tuple[Part, ...] = eqx.field(static=True)

    @classmethod
    def build(cls, key: jax.Array, *, inputs: int, outputs: int, combinations: int, dtype: DTypeLike) -> Self:
        raise TypeError(FROM_POLICIES)

    def __call__(self, finite_index: ArrayLike, inputs: jax.Array) -> jax.Array:
        digits, rest = [], jnp.asarray(finite_index)
        for size in reversed(self.sizes):
            digits.append(rest % size)
            rest = rest // size
        digits.reverse()
        index, reals = jnp.zeros((), int), [inputs[:0]]
        for kind, a, b in self.layout:
            if kind == "finite":
                index = index * b + digits[a]
            elif kind == "word":
                size, *table = self.words[b]
                index = index * size + jnp.asarray(table)[digits[a]]
            elif kind == "given":
                index = index * b + a
            elif kind == "real":
                reals.append(inputs[a:b])
            else:
                reals.append(self.codes[b][digits[a]])
        return self.policy(index, jnp.concatenate(reals))

    def trainable(self) -> Self:
        everything = jax.tree.map(eqx.is_inexact_array, self)
        return eqx.tree_at(lambda tree: tree.policy, everything, self.policy.trainable())
