"""A policy moved a little: what small deviations are made of."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import Array

from ..core.site import Decision
from ..lower.evaluate import evaluate
from ..lower.strategy import inputs
from ..lower.variable import Variable, lift
from ..lower.world import World


class Deviation(eqx.Module):
    """A policy plus a polynomial of degree two in the standardised real inputs, within the decision's bounds."""

    base: Any
    coefficients: Array
    location: Array
    scale: Array

    def __call__(self, world: World, d: Decision) -> Variable:
        chosen = self.base(world, d)
        _, reals = inputs(world, d)

        def features(x: Array) -> Array:
            z = (x - self.location) / self.scale
            return jnp.concatenate([jnp.ones((*z.shape[:-1], 1)), z, z**2], -1)

        shift = Variable(reals.dims, features(reals.data) @ self.coefficients)
        if not d.shape:
            shift = Variable(shift.dims, shift.data[..., 0])
        else:
            shift = Variable(shift.dims, shift.data.reshape((*shift.data.shape[:-1], *d.shape)))
        moved = lift(jnp.add, chosen, shift)
        for bound, keep in ((d.low, jnp.maximum), (d.high, jnp.minimum)):
            if bound is not None:
                moved = lift(keep, moved, evaluate(world, bound))
        return moved
