"""What a sender learns from: the gradient of its own cost by its encoder's parameters, batch by batch, and exactly where a grid can."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from ..core.site import Decision
from ..gradients.signal import Agreement, Signal, agreement, signal
from ..lower.grid import Grid
from ..lower.plans import natural_grid, sampled_grid
from ..lower.problem import Problem
from ..lower.samples import expected_cost, with_samples
from ..lower.strategy import Strategy
from .samples import world_of

ROWS = 256
FLOATS = 20_000_000  # of all rows together
EXACT = 60_000  # points of a grid on which a gradient is exact
AGREE = 0.02  # how far two grids' gradients may differ, over their norm, if one of them is to be called exact
POINTS, SCRAMBLES = 4096, 8  # where no grid has it
ROUGH = 0.1  # error of a gradient by samples, over its norm, at which it says nothing
ZERO = 1e-7  # a gradient this small beside one sample's is none: cosines with it mean nothing


@dataclass(frozen=True)
class SenderSignal:
    """``signal``: of one sample's gradient. ``agreement`` with the exact gradient and ``exact_norm`` of it (cost per parameter); None
    where there is none, for the reason in ``method``. ``parameters``: how many."""

    signal: Signal
    agreement: Agreement | None
    exact_norm: float | None
    parameters: int
    method: str


def sender_signal(problem: Problem, profile: Mapping[str, Any], d: Decision, grid: Grid) -> SenderSignal | None:
    """Of a decision's own strategy, everybody else's (a twin's too) held fixed. ``grid``: independent samples. None where the
    decision has no parameters that training could move."""
    own = profile.get(d.name, profile.get(problem.leader_of[d.name]))
    if not isinstance(own, Strategy) or d.axes:
        return None
    which = own.trainable()
    count = sum(x.size for x in jax.tree.leaves(eqx.filter(own, which)))
    if count == 0:
        return None
    assert grid.samples is not None
    n = grid.samples.shape[0]
    rows = max(4, min(ROWS, n // 2, FLOATS // count))
    size = n // rows

    def gradient(profile: Mapping[str, Any], grid: Grid) -> Any:
        trained, fixed = eqx.partition(own, which)

        def cost(moving: Any) -> Array:
            world = world_of(problem, {**profile, d.name: eqx.combine(moving, fixed)}, grid)
            return expected_cost(problem, world, problem.decider(d))

        return jax.grad(cost)(trained)

    @eqx.filter_jit
    def by_rows(profile: Mapping[str, Any], samples: Array) -> Any:
        return jax.lax.map(lambda block: gradient(profile, with_samples(grid, block)), samples)

    stack = by_rows(dict(profile), grid.samples[:rows * size].reshape(rows, size, -1))
    found = signal(stack, size)
    exact, method = exact_gradient(problem, lambda grid: eqx.filter_jit(gradient)(dict(profile), grid))
    if exact is None:
        return SenderSignal(found, None, None, count, method)
    norm = length(exact)
    if norm < ZERO * float(jnp.sqrt(found.trace)):
        return SenderSignal(found, None, 0.0, count, "the exact gradient is zero")
    return SenderSignal(found, agreement(stack, exact), norm, count, f"exact gradient by {method}")


def exact_gradient(problem: Problem, gradient: Callable[[Grid], Any]) -> tuple[Any | None, str]:
    """A gradient by enumeration or quadrature in nature's coordinates and how it was made; where no grid has it, by many more samples
    than anything is judged on; or None and why not."""
    dense, method = natural_grid(problem, EXACT, largest=64)
    if dense.scattered:
        return by_samples(problem, gradient)
    exact = gradient(dense)
    coarse, _ = natural_grid(problem, EXACT // 2, largest=45)
    if coarse.shape != dense.shape:
        other = gradient(coarse)
        apart = length(jax.tree.map(jnp.subtract, exact, other))
        if apart > AGREE * max(length(exact), 1e-12):
            return by_samples(problem, gradient)
        if apart > 1e-6 * length(exact):
            method += f", to {apart / length(exact):.0e} of its norm"
    return exact, method


def by_samples(problem: Problem, gradient: Callable[[Grid], Any]) -> tuple[Any | None, str]:
    """The mean over scrambled sets of points, pathwise through noise: without bias unless a jump or an array of words is in the way."""
    if problem.has_steps or any(d.finite and not d.enumerable for d in problem.game.decisions):
        return None, "none: no grid resolves it, and jumps have no pathwise gradient"
    parts = [gradient(sampled_grid(problem, POINTS, 9000 + i)) for i in range(SCRAMBLES)]
    mean = jax.tree.map(lambda *x: sum(x[1:], x[0]) / len(x), *parts)
    square = sum(length(jax.tree.map(jnp.subtract, x, mean)) ** 2 for x in parts) / (SCRAMBLES - 1)
    error = math.sqrt(square / SCRAMBLES) / max(length(mean), 1e-300)
    if error > ROUGH:
        return None, f"none: {SCRAMBLES} x {POINTS} points leave {error:.0%} of its norm open"
    return mean, f"{SCRAMBLES} x {POINTS} Sobol points, to {error:.0e} of its norm"


def length(gradient: Any) -> float:
    return float(jnp.sqrt(sum(jnp.sum(x**2) for x in jax.tree.leaves(gradient))))
