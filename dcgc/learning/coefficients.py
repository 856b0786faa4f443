"""In which units the coefficients of a whole function are learned.

Coefficients are entangled: the powers of a price that is nowhere near 0 are nearly the same function, so that steps of one size in every
coefficient hardly move what is paid in some directions and overshoot in others. Here a policy's raw outputs are the coefficients in the
metric of what their player pays, c = location + scale H^(-1/2) raw, where H is the curvature of the player's own cost in a constant
function, and the location is Newton's step towards the best one (Amari 1998 calls the metric's gradient natural). ``scale`` makes raw
outputs of order one move what is paid by about as much as is at stake.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision
from ..lower.grid import Grid
from ..lower.problem import Problem
from ..lower.variable import Variable
from .starting import neutral_rule

FLAT = 1e-8  # of the largest curvature: directions that change nothing keep steps of order one in the others' units


def units(problem: Problem, grid: Grid, d: Decision) -> tuple[np.ndarray, np.ndarray]:
    """Location (n,) and scale (n, n) for the coefficients of a function; 0 and 1 where curvature does not say."""
    count = d.shape[-1]
    plain = np.zeros(count), np.eye(count)
    if d.axes or len(d.shape) != 1:
        return plain
    base = problem.world(grid, problem.natural, {k: neutral_rule for k in problem.groups})
    person = problem.decider(d)

    def cost(c: Array) -> Array:
        return problem.cost(base.vary({d.name: Variable((), c)}), person)

    zero = jnp.zeros(count)
    value, slope, curvature = (np.asarray(x) for x in jax.jit(lambda c: (cost(c), jax.grad(cost)(c), jax.hessian(cost)(c)))(zero))
    if not (np.all(np.isfinite(curvature)) and np.all(np.isfinite(slope))):
        return plain
    curvatures, directions = np.linalg.eigh((curvature + curvature.T) / 2)
    size = np.abs(curvatures)
    if size.max() <= 0:
        return plain
    curved = size > FLAT * size.max()
    size = np.where(curved, size, size.max())
    step = directions @ np.where(curved & (curvatures > 0), directions.T @ -slope / size, 0.0)
    gained = float(-slope @ step / 2)
    at_stake = min(abs(float(value) - gained), gained) if gained > 0 else abs(float(value))
    spread = np.sqrt(2 * at_stake) if at_stake > 0 else 1.0
    return step, directions @ np.diag(spread / np.sqrt(size)) @ directions.T
