"""Terms of a sender's training objective: what the law of its message costs against a prior, and how few inputs it tells of.

A term moves the encoder's own policy alone: what the encoder sees, and everybody else, is held fixed. Both are estimated on the
samples of a step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from ..core.site import Channel, Decision
from ..gradients.divergence import kl_to_standard_normal
from ..gradients.fisher import fisher_rank_penalty
from ..lower.evaluate import evaluate
from ..lower.grid import Grid
from ..lower.information import erased_bound
from ..lower.jacobians import whitened_jacobians
from ..lower.problem import Problem
from ..lower.samples import finite_before, played, with_samples
from ..lower.variable import Variable
from ..lower.world import World
from .objective import Term

JACOBIANS = 128  # samples of a step at which an encoder is differentiated by its inputs


def with_terms(problem: Problem, terms: tuple[Term, ...], gradient: Mapping[str, Any], grid: Grid, trained: Mapping[str, Any],
               fixed: Mapping[str, Any], others: Mapping[str, Any], summed: bool, parameters: Mapping[str, Array] | None = None) -> Any:
    """The gradient by group, with the terms' own. ``grid``: scattered samples. ``others``: rules that are not trained. ``summed``: the
    gradient adds up over the decisions that share a policy (else it is their mean)."""
    profile = {**eqx.combine(dict(trained), dict(fixed)), **others}
    out = dict(gradient)
    for k, ds in problem.groups.items():
        wanted = [(d, c, t) for d in ds for t in terms for c in t.channels if c.encoder == d.name]
        if k not in trained or not wanted:
            continue

        share = 1 if summed else len(ds)

        def total(moving: Any, k: str = k, wanted: list[tuple[Decision, Channel, Term]] = wanted, share: int = share) -> Array:
            own = eqx.combine(moving, fixed[k])
            parts = [t.weight * term(problem, t, c, d, problem.world(grid, problem.natural, {**profile, d.name: own},
                                                                      parameters=parameters)) for d, c, t in wanted]
            return sum(parts, jnp.zeros(())) / share

        out[k] = jax.tree.map(jnp.add, out[k], jax.grad(total)(trained[k]))
    return out


def term(problem: Problem, t: Term, channel: Channel, d: Decision, world: World) -> Array:
    """Scalar, nats."""
    if t.kind == "rank":
        return rank_term(problem, channel, d, world)
    return aggregated_divergence(channel, world) if t.prior == "aggregated" else fixed_divergence(channel, world)


def aggregated_divergence(channel: Channel, world: World) -> Array:
    """Mean over the samples of KL(N(sent, sd^2) || N(mean, Cov + sd^2)), mean and Cov those of what is sent: this is log det(I + Cov /
    sd^2) / 2, the bound by which rate(m) of a vector is reported. What is erased tells nothing."""
    e = channel.information
    assert e.signal is not None
    return erased_bound(world, evaluate(world, e.signal), e.sd, e.kept).data


def fixed_divergence(channel: Channel, world: World) -> Array:
    """Mean over the samples of KL(N(sent, sd^2) || N(0, s^2)). s^2 = power + sd^2, what arrives at full power; where power has no
    limit s = sd, what arrives if nothing is sent."""
    e = channel.information
    assert e.signal is not None
    prior = math.sqrt((channel.power if math.isfinite(channel.power) else 0.0) + e.sd**2)
    sent = evaluate(world, e.signal)
    flat = sent.data.reshape((*sent.data.shape[:len(sent.dims)], -1))
    return e.kept * world.expectation(Variable(sent.dims, kl_to_standard_normal(flat / prior, e.sd / prior))).data


def rank_term(problem: Problem, channel: Channel, d: Decision, world: World) -> Array:
    """log k - log effective rank (Roy and Vetterli 2007) of the mean Fisher information of the message about the encoder's k real
    inputs, each per its own spread; as `dcgc taps` reports it."""
    assert world.grid.samples is not None
    few = problem.world(with_samples(world.grid, world.grid.samples[:JACOBIANS]), problem.natural, world.rules, None, world.parameters)
    return fisher_rank_penalty(whitened_jacobians(played(problem, few, finite_before(problem, d.name), 0), channel, d))
