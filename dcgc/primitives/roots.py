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

Carry = tuple[Array, Array, Array, Array, Array, Array]  # rounds, both ends, which are unsolved, the roots, what is tried next


def bracketed_root(residual: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """The root of ``residual``, entry by entry, between ``low`` and ``high`` (arrays of one shape, which is also the residual's).

    Where the residual has one sign at both ends the value is the end at which it is smaller, with that end's derivative. Where it
    changes its sign by a jump, the value is the place of the jump, without a derivative.
    """
    converted, held = jax.closure_convert(residual, low)
    fixed = jax.lax.stop_gradient(held)
    bottom, top = jax.lax.stop_gradient((low, high))
    at_bottom, at_top = jax.vmap(lambda x: converted(x, *fixed))(jnp.stack([bottom, top]))  # one copy of the equation to compile
    crosses = jnp.sign(at_bottom) * jnp.sign(at_top) <= 0
    p = search(lambda x: converted(x, *fixed), bottom, top, jnp.sign(at_bottom), crosses)
    farthest = jnp.finfo(low.dtype).eps ** 0.5 * (top - bottom)  # the search ends nearer to a root than this, or there is none

    def polish(p: Array, _: None) -> tuple[Array, None]:
        value, slope = with_slope(lambda x: converted(x, *held), p)
        usable = (slope != 0) & (jnp.abs(value) <= farthest * jnp.abs(slope))
        return p - jnp.where(usable, value, 0.0) / jnp.where(usable, slope, 1.0), None

    p, _ = jax.lax.scan(polish, p, None, length=NEWTON_STEPS)
    return jnp.where(crosses, p, jnp.where(jnp.abs(at_bottom) <= jnp.abs(at_top), low, high))


def search(residual: Callable[[Array], Array], low: Array, high: Array, sign: Array, crosses: Array) -> Array:
    """The place between ``low`` and ``high`` at which the residual leaves the ``sign`` that it has at ``low``, where it ``crosses``.

    Rounds try the middle of each bracket and Newton's step from there, in turn: at most twice as many rounds as a number has bits,
    a handful where the residual is smooth.
    """
    accuracy = jnp.finfo(low.dtype)
    fine = 4 * accuracy.eps * jnp.maximum(jnp.abs(low), jnp.abs(high))

    def unfinished(carry: Carry) -> Array:
        return (carry[0] < 2 * (accuracy.nmant + 4)) & jnp.any(carry[3])

    def narrow(carry: Carry) -> Carry:
        n, a, b, unsolved, p, tried = carry
        value, slope = with_slope(residual, tried)
        above = jnp.sign(value) == sign  # the root lies above what was tried
        a, b = jnp.where(above, tried, a), jnp.where(above, b, tried)
        middle = (a + b) / 2
        step = value / jnp.where(slope == 0, 1.0, slope)
        newton = tried - step
        newton = jnp.where((slope != 0) & (newton > a) & (newton < b), newton, middle)
        found = (value == 0) | ((slope != 0) & (jnp.abs(step) <= fine))
        p = jnp.where(unsolved, jnp.where(found, tried, middle), p)
        return n + 1, a, b, unsolved & ~found & (b - a > fine), p, jnp.where(n % 2 == 0, newton, middle)

    middle = (low + high) / 2
    return jax.lax.while_loop(unfinished, narrow, (jnp.asarray(0), low, high, crosses, middle, middle))[4]


def with_slope(residual: Callable[[Array], Array], x: Array) -> tuple[Array, Array]:
    """An entry by entry function and its derivative."""
    return jax.jvp(residual, (x,), (jnp.ones_like(x),))
