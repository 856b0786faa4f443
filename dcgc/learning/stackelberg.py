"""Announced policies by the leader's gradient through the followers' response.

Followers' policies x_F solve their stacked first-order conditions g(x_L, x_F) = 0 given what is announced. A leader's cost moves
with its own policy and with that response:

    dJ_L / dx_L = d_L J_L - (dg / dx_L)^T (dg / dx_F)^-T d_F J_L

(implicit differentiation; Stackelberg 1934, Basar and Olsder 1999, chapter 4), or, *unrolled*, J_L is differentiated through a fixed
number of the followers' own gradient steps, each divided by its own second derivative. Both are stacked with g and solved by Newton's
method (see ``affine_newton``); several leaders announce together, each holding the others' announcements fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..lower.problem import Person, Problem
from .affine_newton import LARGEST, Root, Unknowns, bounded, roots

UNROLLED = 60  # the followers' steps that are differentiated
PACE = 0.5  # of a Newton step in one coefficient alone


def solve(problem: Problem, seed: int, unrolled: bool = False, budget: int = 40_000) -> tuple[list[Root], str]:
    """Announcements at which no leader gains to first order, with the followers' replies, and what was integrated on.

    A root's ``curvature`` is the least eigenvalue of any follower's own second derivative, and of any leader's along the response.
    """
    unknowns = Unknowns.of(problem, seed, budget)
    if unknowns.count > LARGEST:
        return [], unknowns.text
    follow = unknowns.places(frozenset(k for k, ds in problem.groups.items() if not problem.announced(ds[0])))
    lead = {p: unknowns.places(frozenset(k for k, ds in problem.groups.items() if problem.decider(ds[0]) == p)) for p in problem.leaders}

    def conditions(theta: Array) -> Array:
        return unknowns.own_gradients(theta)[follow]

    def cost(person: Person, theta: Array) -> Array:
        return problem.cost(problem.world(unknowns.grid, problem.natural, unknowns.profile(theta)), person)

    derivative = through_steps if unrolled else through_response

    def residual(theta: Array) -> Array:
        out = unknowns.own_gradients(theta)
        for person, own in lead.items():
            out = out.at[own].set(derivative(partial(cost, person), conditions, theta, own, follow))
        return out

    found = []
    for theta, norm, j in roots(residual, unknowns.starts()):
        profile = bounded(problem, unknowns.grid, unknowns.profile(jnp.asarray(theta)))
        found.append(Root(profile, norm, curvature(problem, unknowns, j, lead, follow)))
    return found, unknowns.text


def through_response(cost: Callable[[Array], Array], conditions: Callable[[Array], Array], theta: Array, own: np.ndarray,
                     follow: np.ndarray) -> Array:
    """(own,) the total derivative of a leader's cost in its own coefficients, by the implicit function theorem."""
    gradient, jacobian = jax.grad(cost)(theta), jax.jacfwd(conditions)(theta)
    shadow = jnp.linalg.solve(jacobian[:, follow].T, gradient[follow])
    return gradient[own] - jacobian[:, own].T @ shadow


def through_steps(cost: Callable[[Array], Array], conditions: Callable[[Array], Array], theta: Array, own: np.ndarray,
                  follow: np.ndarray) -> Array:
    """(own,) the derivative of a leader's cost after ``UNROLLED`` steps of the followers, in its own coefficients."""
    size = jnp.diagonal(jax.lax.stop_gradient(jax.jacfwd(conditions)(theta))[:, follow])
    size = jnp.where(jnp.abs(size) > 1e-12, size, 1.0)

    def after(mine: Array) -> Array:
        def step(t: Array, _: None) -> tuple[Array, None]:
            return t.at[follow].add(-PACE * conditions(t) / size), None

        return cost(jax.lax.scan(step, theta.at[own].set(mine), None, length=UNROLLED)[0])

    return jax.grad(after)(theta[own])


def curvature(problem: Problem, unknowns: Unknowns, jacobian: np.ndarray, lead: dict[Person, np.ndarray], follow: np.ndarray) -> float:
    """The least eigenvalue of any own second derivative over the largest entry; of a leader, of its total one."""
    blocks = []
    for k, ds in problem.groups.items():
        if not problem.announced(ds[0]):
            own = unknowns.places(frozenset({k}))
            blocks.append(jacobian[np.ix_(own, own)])
    response = np.linalg.pinv(jacobian[np.ix_(follow, follow)])
    for own in lead.values():
        blocks.append(jacobian[np.ix_(own, own)] - jacobian[np.ix_(own, follow)] @ response @ jacobian[np.ix_(follow, own)])
    least = min((float(np.linalg.eigvalsh((b + b.T) / 2).min()) for b in blocks if b.size), default=0.0)
    return least / max(float(np.abs(jacobian).max()), 1e-300)
