"""Roots of many equations at once, by bracketing to rounding, with derivatives of the implicit function theorem.

All values are arrays of one shape, an equation an entry. The search itself has no derivative; what carries it are Newton's steps
p - F(p, x) / F_p(p, x) from the root found, which do not move it. The first gives dp/dx = -F_x / F_p, and every further one
doubles the order up to which the derivatives of the last step are those of the root (Griewank and Walther 2008, section 15.2: Newton
on truncated power series): two steps are right to the third order, in forward and reverse mode, under jit, vmap and scan.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

NEWTON_STEPS = 2

Carry = tuple[Array, Array, Array, Array, Array]  # rounds, both ends, which are unfinished, the roots


def bracketed_root(residual: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """The root of ``residual``, entry by entry, between ``low`` and ``high`` (arrays of one shape, which is also the residual's).

    Where the residual has one sign at both ends the value is the end at which it is smaller, with that end's derivative. Where it
    changes its sign by a jump, the value is the place of the jump, without a derivative.
    """
    converted, held = jax.closure_convert(residual, low)
    fixed = jax.lax.stop_gradient(held)
    bottom, top = jax.lax.stop_gradient((low, high))
    at_bottom, at_top = converted(bottom, *fixed), converted(top, *fixed)
    crosses = jnp.sign(at_bottom) * jnp.sign(at_top) <= 0
    p = search(lambda x: converted(x, *fixed), bottom, top, jnp.sign(at_bottom), crosses)
    farthest = jnp.finfo(low.dtype).eps ** 0.5 * (top - bottom)  # the search ends nearer to a root than this, or there is none
    for _ in range(NEWTON_STEPS):
        value, slope = with_slope(lambda x: converted(x, *held), p)
        usable = (slope != 0) & (jnp.abs(value) <= farthest * jnp.abs(slope))
        p = p - jnp.where(usable, value, 0.0) / jnp.where(usable, slope, 1.0)
    return jnp.where(crosses, p, jnp.where(jnp.abs(at_bottom) <= jnp.abs(at_top), low, high))


def search(residual: Callable[[Array], Array], low: Array, high: Array, sign: Array, crosses: Array) -> Array:
    """The place between ``low`` and ``high`` at which the residual leaves the ``sign`` that it has at ``low``, where it ``crosses``.

    Every round halves each bracket and tries Newton's step in it: at most as many rounds as a number has bits, a handful where the
    residual is smooth.
    """
    accuracy = jnp.finfo(low.dtype)
    fine = 4 * accuracy.eps * jnp.maximum(jnp.abs(low), jnp.abs(high))

    def narrowed(ends: tuple[Array, Array], x: Array, value: Array) -> tuple[Array, Array]:
        inside = (x >= ends[0]) & (x <= ends[1])
        above = jnp.sign(value) == sign  # the root lies above x
        return jnp.where(inside & above, x, ends[0]), jnp.where(inside & ~above, x, ends[1])

    def unfinished(carry: Carry) -> Array:
        return (carry[0] < accuracy.nmant + 4) & jnp.any(carry[3])

    def narrow(carry: Carry) -> Carry:
        n, a, b, open_, p = carry
        middle = (a + b) / 2
        value, slope = with_slope(residual, middle)
        a, b = narrowed((a, b), middle, value)
        tried = jnp.where(slope == 0, middle, middle - value / jnp.where(slope == 0, 1.0, slope))
        tried = jnp.where((tried >= a) & (tried <= b), tried, middle)
        value, slope = with_slope(residual, tried)
        a, b = narrowed((a, b), tried, value)
        last = jnp.where(slope == 0, jnp.inf, jnp.abs(value / jnp.where(slope == 0, 1.0, slope)))
        found = (value == 0) | (last <= fine)
        return n + 1, a, b, open_ & ~found & (b - a > fine), jnp.where(open_, jnp.where(found, tried, (a + b) / 2), p)

    start = (jnp.asarray(0), low, high, crosses, (low + high) / 2)
    return jax.lax.while_loop(unfinished, narrow, start)[4]


def with_slope(residual: Callable[[Array], Array], x: Array) -> tuple[Array, Array]:
    """An entry by entry function and its derivative."""
    return jax.jvp(residual, (x,), (jnp.ones_like(x),))
