"""What one use of a channel tells: the information density of a message, on a grid or on samples.

On a grid in which the message is a coordinate the density log p(m | source) - log p(m | given) is exact. Where it is none (vectors of
reals, scattered samples) Gaussian noise bounds the mean from above: I <= log det(I + Cov(signal) / sd^2) / 2, with equality if the
signal is Gaussian (a law of given covariance has the most entropy if it is normal).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import jax.numpy as jnp
from jax import Array

from ..core import expression as core
from ..core.site import Decision, Random
from ..primitives.distributions import DISTRIBUTIONS
from ..primitives.distributions.law import Finite
from .evaluate import evaluate, picked
from .variable import Variable, constant, contract, lift, own_to_dim, whole

if TYPE_CHECKING:
    from .world import World

LARGEST_COVARIANCE = 64


def message_coordinate(world: World, e: core.Information) -> str | None:
    """The coordinate of the grid that the message is, if it is one."""
    inlined = world.dependence.inline(e.message)
    if isinstance(inlined, core.Reference) and inlined.site in world.grid.sizes:
        c = world.reduction.coordinates.get(inlined.site)
        if c is not None and c.role == "finite":
            return inlined.site
    name = world.coordinate_of(inlined)
    if name is not None and world.reduction.coordinates[name].role == "observation":
        return name
    return None


def method(world: World, e: core.Information) -> str:
    """How the density of a channel is computed here, in words."""
    if message_coordinate(world, e) is not None or finite_law(world, e) is not None or finite_choice(world, e) is not None:
        return "exact"
    return "Gaussian bound" if e.signal is not None else "entropy bound"


def finite_law(world: World, e: core.Information) -> Random | None:
    """A message with finitely many values that is drawn, or chosen, sample by sample."""
    inlined = world.dependence.inline(e.message)
    site = world.dependence.sites.get(inlined.site) if isinstance(inlined, core.Reference) else None
    if isinstance(site, Random) and site.distribution == "Categorical" and world.grid.scattered:
        return site
    return None


def finite_choice(world: World, e: core.Information) -> Decision | None:
    """A message that is one choice, whose law at each sample is known without a coordinate of its own."""
    inlined = world.dependence.inline(e.message)
    site = world.dependence.sites.get(inlined.site) if isinstance(inlined, core.Reference) else None
    return site if isinstance(site, Decision) and site.enumerable and site.name not in world.grid.sizes and not e.given else None


def density(world: World, e: core.Information) -> Variable:
    """The information density in nats; its expectation is I(m; source | given), or a bound on it."""
    dim = message_coordinate(world, e)
    if dim is not None:
        return on_coordinate(world, e, dim)
    site = finite_law(world, e)
    if site is not None:
        return of_a_draw(world, site)
    if e.signal is not None:
        return erased_bound(world, evaluate(world, e.signal), e.sd, e.kept)
    inlined = world.dependence.inline(e.message)
    base = inlined.base if isinstance(inlined, core.Select) else inlined
    drawn = world.dependence.sites.get(base.site) if isinstance(base, core.Reference) else None
    if isinstance(drawn, Random) and drawn.axes and isinstance(inlined, core.Select):
        return of_a_member(world, drawn, inlined)
    sites = [world.dependence.sites[r] for r in core.references(world.dependence.inline(e.message))]
    if len(sites) == 1 and isinstance(sites[0], Decision) and sites[0].finite:
        return position_by_position(world, sites[0], e.kept, e.flipped)
    return constant(math.inf)


def on_coordinate(world: World, e: core.Information, dim: str) -> Variable:
    """log p(m | source) - log p(m | given) at every point of the grid.

    A deviation is charged against the law that the others expect (``base``): what a single input does to it is of second order.
    """
    base = world.base or world
    likelihood = world.factor(dim)
    site = world.dependence.sites.get(dim)
    if isinstance(site, Random):  # noise upon a mixed word: what the encoder knew says less than the word does
        for name in likelihood.dims:
            word = world.dependence.sites.get(name)
            if isinstance(word, Decision) and word.channel is not None and word.mixed and name not in world.overrides:
                own = world.factor(name)
                likelihood = contract([likelihood, own], tuple(x for x in (*likelihood.dims, *own.dims) if x != name))
    given: tuple[str, ...] = ()
    for g in e.given:
        given = (*given, *evaluate(base, g).dims)
    marginal = base.expectation(constant(1.0), (dim, *given))
    if given:
        marginal = lift(ratio, marginal, base.expectation(constant(1.0), given))
    return lift(log_ratio, likelihood, marginal)


def ratio(a: Array, b: Array) -> Array:
    return jnp.where(b > 0, a / jnp.where(b > 0, b, 1.0), 0.0)


def log_ratio(p: Array, q: Array) -> Array:
    """log p - log q, and 0 where p is 0 (where it has no weight)."""
    safe = (p > 0) & (q > 0)
    return jnp.where(safe, jnp.log(jnp.where(safe, p, 1.0)) - jnp.log(jnp.where(safe, q, 1.0)), 0.0)


def of_a_draw(world: World, site: Random) -> Variable:
    """E[log p(m | row) - log p(m)] given each sample's row of the channel."""
    law = DISTRIBUTIONS[site.distribution]
    assert isinstance(law, Finite)
    p = whole(law.probabilities, *[evaluate(world, a) for a in site.arguments])
    for name in p.dims:
        word = world.dependence.sites.get(name)
        if isinstance(word, Decision) and word.channel is not None and word.mixed:
            p = contract([p, world.factor(name)], tuple(x for x in (*p.dims, *world.factor(name).dims) if x != name))
    marginal = (world.base or world).expectation(p)
    return Variable(p.dims, jnp.sum(p.data * log_ratio(p.data, jnp.broadcast_to(marginal.data, p.data.shape)), axis=-1))


def of_a_member(world: World, site: Random, message: core.Select) -> Variable:
    """The same for a message of a large family: for all members at once, then the one that is meant."""
    law = DISTRIBUTIONS[site.distribution]
    assert isinstance(law, Finite)
    rows = world.loop(site, lambda: whole(law.probabilities, *[evaluate(world, a) for a in site.arguments]))
    marginal = (world.base or world).expectation(rows)
    parts = jnp.sum(rows.data * log_ratio(rows.data, jnp.broadcast_to(marginal.data, rows.data.shape)), axis=-1)
    told, index = Variable(rows.dims, parts), message.indices[0]
    if isinstance(index, core.Member):
        return own_to_dim(told, 0, index.axis.name)
    return picked(told, 0, evaluate(world, index), False)


def position_by_position(world: World, site: Decision, kept: float = 1.0, flipped: float = 0.0) -> Variable:
    """The sum over positions of each token's own information: a bound for a deterministic encoder (subadditivity of entropy), also
    through noise that acts on each token by itself (of a memoryless channel I(X; Y) is at most the sum of I(X_k; Y_k)); of a single
    choice the information itself."""
    p = world.choice(site.name)
    p = Variable(p.dims, p.data * (1 - 2 * flipped) + flipped)  # of tokens that are flipped there are two
    marginal = (world.base or world).expectation(p)
    parts = kept * p.data * log_ratio(p.data, jnp.broadcast_to(marginal.data, p.data.shape))
    return Variable(p.dims, jnp.sum(parts, axis=tuple(range(len(p.dims), p.data.ndim))))


def erased_bound(world: World, signal: Variable, sd: float, kept: float) -> Variable:
    """The Gaussian bound where tokens of reals arrive with probability ``kept``: of a message that is one token, that part of it; of
    several, the lesser of the whole and the sum over tokens."""
    full = gaussian_bound(world, signal, sd)
    if kept == 1.0:
        return full
    own = signal.own
    if len(own) < 2 or own[0] == 1:
        return Variable(full.dims, kept * full.data)
    rows = [gaussian_bound(world, Variable(signal.dims, signal.data[..., k, :]), sd).data for k in range(own[0])]
    return Variable(full.dims, jnp.minimum(full.data, kept * sum(rows)))


def gaussian_bound(world: World, signal: Variable, sd: float) -> Variable:
    """log det(I + Cov / sd^2) / 2, a constant; of more than ``LARGEST_COVARIANCE`` reals the sum over the reals."""
    flat = Variable(signal.dims, signal.data.reshape((*signal.data.shape[:len(signal.dims)], -1)))
    mean = world.expectation(flat)
    centred = lift(jnp.subtract, flat, mean)
    size = flat.data.shape[-1]
    if size > LARGEST_COVARIANCE:
        variance = world.expectation(lift(jnp.square, centred))
        return Variable(variance.dims, 0.5 * jnp.sum(jnp.log1p(variance.data / sd**2), axis=-1))
    square = world.expectation(whole(jnp.outer, centred, centred))
    identity = jnp.eye(size)
    return Variable(square.dims, 0.5 * jnp.linalg.slogdet(identity + square.data / sd**2)[1])
