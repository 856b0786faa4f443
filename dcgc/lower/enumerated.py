"""The exact best reply of a listener to whom only finite draws are hidden: Bayes' rule by enumeration, on scattered samples.

A listener who hears m = sent(h, o) + noise and sees o knows the law of the hidden draws h given (m, o) exactly, if there are finitely
many of them: p(h | m, o) is in proportion to p(h) exp(-|m - sent(h, o)|^2 / 2 sd^2). Its best reply is the option of least
conditional cost. The conditional cost of that option, in place of the cost at the draw at hand, is an estimate of the same mean with
less variance (Rao and Blackwell), and differentiable in what was sent although the reply jumps.
"""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp

from ..core.expression import Reference, references
from ..core.site import Channel, Decision, Random
from ..information.reduction import FINITE_LAWS
from ..primitives.distributions import DISTRIBUTIONS
from ..primitives.distributions.law import Finite
from .evaluate import evaluate
from .grid import Grid
from .problem import Problem
from .variable import Variable, along, constant, contract, lift
from .world import World

MOST_HIDDEN = 512


def finite_law(site: Random) -> Finite:
    law = DISTRIBUTIONS[site.distribution]
    assert isinstance(law, Finite)
    return law


class EnumeratedReply(eqx.Module):
    """``hidden``: the finite draws that the listener does not see; ``heard``: the channels that it hears; ``payments``: whose sum it
    minimises."""

    hidden: tuple[str, ...] = eqx.field(static=True)
    heard: tuple[str, ...] = eqx.field(static=True)
    payments: tuple[str, ...] = eqx.field(static=True)
    deterministic: ClassVar[bool] = True

    def __call__(self, world: World, d: Decision) -> Variable:
        q = self.conditional_costs(world, d)
        best = jnp.argmin(q.data, axis=-1)
        return Variable(q.dims, jax.lax.stop_gradient(jax.nn.one_hot(best, d.options, dtype=q.data.dtype)))

    def conditional_costs(self, world: World, d: Decision) -> Variable:
        """E[cost | what is known, option] at every sample; last own axis: the options."""
        options = jnp.arange(2.0) if d.kind == "bool" else jnp.eye(d.options)
        supposed = world.vary({**{h: self.values(world, h) for h in self.hidden}, d.name: along(d.name, options)})
        belief = self.belief(world)
        total: Variable = constant(0.0)
        for p in world.game.payments:
            if p.name in self.payments:
                total = lift(jnp.add, total, supposed.payment(p))
        keep = tuple(x for x in (*belief.dims, *total.dims) if x not in self.hidden)
        mean = contract([total, belief], keep)
        return Variable(tuple(x for x in mean.dims if x != d.name), jnp.moveaxis(mean.data, mean.dims.index(d.name), -1))

    def values(self, world: World, name: str) -> Variable:
        """The values of a hidden draw, along a coordinate of its own."""
        site = world.dependence.sites[name]
        assert isinstance(site, Random)
        law = finite_law(site)
        return along(name, jnp.asarray(law.support_values(*(evaluate(world, a).data for a in site.arguments))))

    def belief(self, world: World) -> Variable:
        """p(hidden | what is heard) at every sample. Somebody's deviation is heard, but it is not reckoned with."""
        nature = {n: v for n, v in world.overrides.items() if not isinstance(world.dependence.sites[n], Decision)}
        supposed = (world.base or world).vary({**nature, **{h: self.values(world, h) for h in self.hidden}})
        logs: Variable = constant(0.0)
        for h in self.hidden:
            site = world.dependence.sites[h]
            assert isinstance(site, Random)
            p = finite_law(site).probabilities(*(evaluate(world, a).data for a in site.arguments))
            logs = lift(jnp.add, logs, along(h, jnp.log(jnp.maximum(p, 1e-300))))
        for name in self.heard:
            c = next(c for c in world.game.channels if c.name == name)
            if c.carrier == "tokens":
                chance = self.chance_of_word(supposed, c, evaluate(world, c.message))
                logs = lift(lambda a, p: a + jnp.log(jnp.maximum(p, 1e-300)), logs, chance)
                continue
            apart = lift(jnp.subtract, evaluate(world, c.message), evaluate(supposed, c.sent))
            square = jnp.sum(apart.data.reshape((*apart.data.shape[:len(apart.dims)], -1)) ** 2, axis=-1)
            logs = lift(jnp.add, logs, Variable(apart.dims, -square / (2 * c.sd**2)))
        axes = tuple(logs.dims.index(h) for h in self.hidden)
        return Variable(logs.dims, jax.nn.softmax(logs.data, axis=axes))

    def chance_of_word(self, supposed: World, c: Channel, heard: Variable) -> Variable:
        """The probability of the word that is heard. Of an encoder that is a function only the word that it would say is looked at,
        so that the work does not grow with the number of words."""
        if getattr(supposed.rules[c.encoder], "deterministic", False):
            number = Variable(heard.dims, jnp.argmax(heard.data, axis=-1))
            return lift(lambda said, word: (said == word) * 1.0, supposed.option(c.encoder), number)
        match = lift(jnp.multiply, supposed.choice(c.encoder), heard)
        return Variable(match.dims, jnp.sum(match.data, axis=-1))


def enumerated_reply(problem: Problem, d: Decision, words: bool = False) -> EnumeratedReply | None:
    """The rule for a decision whose listener lacks nothing but finite draws and the Gaussian noise of what it hears; else None.

    ``words``: it may also hear words without noise, from an encoder that stays as it is (no gradient would reach it)."""
    if not d.enumerable or d.channel is not None or d.guards or problem.dependence.observers(d.name):
        return None
    dependence = problem.dependence
    payments = tuple(p for p in problem.pays(problem.decider(d)) if p.name in dependence.payments_of(d.name))
    seen: set[str] = set()
    heard: list[Channel] = []
    for o in d.observations:
        e = o.expression
        if not isinstance(e, Reference):
            return None
        channel = next((c for c in problem.game.channels if c.name == e.site), None)
        if channel is not None:
            plain = channel.carrier == "tokens" and channel.noise == "none" and words and len(channel.words) > 0
            if channel.attention or not plain and (channel.carrier != "reals" or channel.sd == 0 or channel.noise == "erasure"):
                return None
            heard.append(channel)
        elif isinstance(dependence.sites[e.site], Random):
            seen.add(e.site)
        else:
            return None
    behind = frozenset().union(*(dependence.ancestors[p.name] for p in payments), *(dependence.of(c.sent) for c in heard), frozenset())
    noises = {x for c in heard for x in references(dependence.inline(c.message)) if x.startswith("noise(")}
    hidden = [n for n in sorted(behind) if isinstance(dependence.sites[n], Random) and n not in seen | noises]
    encoders = {c.encoder for c in heard}
    if any(isinstance(dependence.sites[n], Decision) and n not in encoders | {d.name} for n in behind) or not hidden or not heard:
        return None
    size = 1
    for n in hidden:
        site = dependence.sites[n]
        assert isinstance(site, Random)
        if site.distribution not in FINITE_LAWS or site.shape or site.axes or any(dependence.of(a) for a in site.arguments):
            return None
        probe = problem.world(Grid({}, {}, None, ()), problem.natural, {})
        law = finite_law(site)
        size *= len(law.support_values(*(evaluate(probe, a).data for a in site.arguments)))
    if size > MOST_HIDDEN or any(p.guards or p.axes for p in payments):
        return None
    return EnumeratedReply(tuple(hidden), tuple(c.name for c in heard), tuple(p.name for p in payments))
