"""Where messages are drawn: the law of what arrives, given what the sender knows.

Reals through Gaussian noise are a Gaussian site of mean ``sent`` (after the power limit) and the channel's sd. Words are a
categorical site: the sender's own mixture, of noisy tokens the law of the word that arrives, of long messages one site a position.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array

from ..core.expression import references
from ..core.site import Channel, Decision, Random
from ..gradients.estimators import ESTIMATORS, Categorical, Gaussian, Site
from ..gradients.estimators.enumeration import Exact
from ..information.dependence import mentioned
from .evaluate import evaluate
from .problem import Problem
from .rollout import SAMPLE
from .strategy import Strategy
from .variable import Variable
from .world import World

FLOOR = 1e-30  # of probabilities before their logarithm
WORDS = "word of "  # prefix of the coordinate along which a listener reads every word

Form = Literal["gaussian", "words", "noisy words", "positions", "bool"]


class Unsuitable(ValueError):
    """A game at whose sites no estimator can be used, or not this one; the message is one line."""


@dataclass(frozen=True)
class MessageSite:
    """``name``: the game's site whose value is drawn. ``decision``: whose policy has the law. ``message``: False for a finite decision
    that is no message."""

    name: str
    form: Form
    decision: Decision
    channel: Channel | None

    @property
    def message(self) -> bool:
        return self.channel is not None

    @property
    def gaussian(self) -> bool:
        return self.form == "gaussian"

    @property
    def enumerable(self) -> bool:
        """Whether the world can sum over its values instead."""
        return self.form in ("words", "noisy words", "bool")

    @property
    def label(self) -> str:
        """The name that the text has for it: of the channel or the decision."""
        return self.name if self.channel is None else self.channel.name

    @property
    def holds(self) -> str:
        """What it is that is drawn, in words."""
        return "carries reals through noise" if self.gaussian else "carries words" if self.message else "is a choice"


def misfit_at(site: MessageSite, name: str) -> str | None:
    """Why the estimator of this name cannot be used at a site, or None."""
    estimator = ESTIMATORS[name]
    if (Gaussian if site.gaussian else Categorical) not in estimator.forms:
        return f"{name} cannot be used at {site.label}, which {site.holds}"
    if isinstance(estimator, Exact) and not site.enumerable:
        return f"{name} would have to try every word of {site.label}, which are too many"
    return None


def able_at(site: MessageSite) -> tuple[str, ...]:
    """The names of the estimators that fit a site."""
    return tuple(n for n in ESTIMATORS if misfit_at(site, n) is None)


def sites_of(problem: Problem, held: bool = False) -> tuple[MessageSite, ...]:
    """All of a game's, in time order; the finite decisions that are no messages among them. ``held``: constraints are welcome, their
    multipliers are moved elsewhere. Raises Unsuitable."""
    if problem.loops:
        raise Unsuitable("a large family's messages have no estimators to choose from yet: its members share one array")
    if problem.game.constraints and not held:
        raise Unsuitable(f"{problem.game.constraints[0].label} is held by a multiplier, which this comparison does not train; use a price")
    by_encoder = {c.encoder: c for c in problem.game.channels}
    found = []
    for d in problem.game.decisions:
        channel = by_encoder.get(d.name)
        if channel is not None:
            site = message_site(problem, d, channel)
            if site is not None:
                found.append(site)
        elif d.enumerable:
            found.append(MessageSite(d.name, "bool" if d.kind == "bool" else "words", d, None))
    order = {s.name: i for i, s in enumerate(problem.game.sites)}
    if not any(s.message for s in found):
        raise Unsuitable("no message is drawn from a law (no channel has noise or words), so there is nothing to estimate")
    return tuple(sorted(found, key=lambda s: order[s.name]))


def message_site(problem: Problem, d: Decision, channel: Channel) -> MessageSite | None:
    """None for reals without noise, which are no draw: their gradient is pathwise whatever the estimator."""
    if not d.finite:
        if channel.sd <= 0:
            return None
        erased = f"unerased({channel.name})"
        before = channel.name.replace("[", ")[", 1) if "[" in channel.name else channel.name + ")"
        for name in (erased, f"unerased({before}"):
            if name in problem.dependence.sites:
                return MessageSite(name, "gaussian", d, channel)
        if channel.noise == "erasure":
            raise Unsuitable(f"{channel.name} is erased and noisy in a way for which there is no estimator yet")
        return MessageSite(channel.name, "gaussian", d, channel)
    if not d.enumerable:
        return MessageSite(d.name, "positions", d, channel)
    if isinstance(problem.dependence.sites[channel.name], Random):
        users = [s.name for s in problem.game.sites if s.name != channel.name and any(d.name in references(e) for e in mentioned(s))]
        if users:
            raise Unsuitable(f"{users[0]} mentions what was sent over the noisy channel {channel.name} beside what arrives")
        return MessageSite(channel.name, "noisy words", d, channel)
    return MessageSite(d.name, "words", d, channel)


def law(site: MessageSite, world: World) -> tuple[tuple[str, ...], Site]:
    """Coordinates (sorted, the samples last) and the law along them: leading axes are the coordinates."""
    if site.gaussian:
        assert site.channel is not None
        mean = evaluate(world, site.channel.sent)
        dims, data = samples_last(world, mean)
        flat = data.reshape((*data.shape[:len(dims)], -1))
        return dims, Gaussian(flat, jnp.asarray(site.channel.sd, flat.dtype))
    p = world.choice(site.decision.name)
    if site.form == "noisy words":
        arrived = world.dependence.sites[site.name]
        assert isinstance(arrived, Random)
        p = evaluate(world.vary({site.decision.name: p}), arrived.arguments[0])
    dims, data = samples_last(world, p)
    return dims, Categorical(jnp.log(jnp.maximum(data, FLOOR)))


def samples_last(world: World, v: Variable) -> tuple[tuple[str, ...], Array]:
    """The other coordinates, then the samples, then the own axes."""
    data = v.data
    if SAMPLE not in v.dims:
        data = jnp.broadcast_to(data[(slice(None),) * len(v.dims) + (None,)],
                                (*data.shape[:len(v.dims)], world.grid.sizes[SAMPLE], *v.own))
        return (*v.dims, SAMPLE), data
    others = tuple(x for x in v.dims if x != SAMPLE)
    return (*others, SAMPLE), jnp.moveaxis(data, v.dims.index(SAMPLE), len(others))


def variable(dims: tuple[str, ...], data: Array) -> Variable:
    """The inverse: coordinates sorted by name."""
    order = sorted(range(len(dims)), key=lambda i: dims[i])
    return Variable(tuple(dims[i] for i in order), jnp.transpose(data, (*order, *range(len(dims), data.ndim))))


def placed(site: MessageSite, world: World, dims: tuple[str, ...], value: Array) -> Variable:
    """A drawn value (*dims, size) in the form in which the game has it."""
    if site.gaussian:
        assert site.channel is not None
        own = evaluate(world, site.channel.sent).own
        return variable(dims, value.reshape((*value.shape[:len(dims)], *own)))
    if site.form == "bool":
        return variable(dims, value[..., 1])
    if site.form == "noisy words":
        return variable(dims, value @ jnp.arange(1.0, value.shape[-1] + 1))
    return variable(dims, value)


class Reading:
    """A listener's strategy that reads words which may lie between words: its raw output is the mean over the words, weighted as the
    message is. For a table this is the same as to read the vector; at a whole word it is the strategy itself."""

    def __init__(self, strategy: Strategy, words: Mapping[str, tuple[Variable, Variable]]):
        """``words``: by site its values (along a coordinate of their own) and the message's weights (last own axis)."""
        self.strategy, self.words = strategy, words

    def __call__(self, world: World, d: Decision) -> Variable:
        read = world.vary({name: values for name, (values, _) in self.words.items()})
        raw, low, high = self.strategy.situations(read, d)
        dims, data = raw.dims, raw.data
        bounds = [low, high]
        for name, (_, weights) in self.words.items():
            dim = WORDS + name
            if dim not in dims:
                continue
            at = dims.index(dim)
            rest = tuple(x for x in dims if x != dim)
            union = tuple(sorted({*rest, *weights.dims}))
            data = jnp.moveaxis(data, at, len(dims) - 1)  # *rest, words, raw
            bounds = [jnp.take(b, 0, axis=at) if b.ndim >= len(dims) else b for b in bounds]
            sizes = {**dict(zip(rest, data.shape, strict=False)), **{x: weights.size(x) for x in weights.dims}}
            data = data.reshape((*(sizes[x] if x in rest else 1 for x in union), *data.shape[len(rest):]))
            w = weights.data.reshape((*(sizes[x] if x in weights.dims else 1 for x in union), -1))
            data = jnp.einsum("...wr,...w->...r", data, w)
            full = tuple(sizes[x] for x in union)
            bounds = [jnp.broadcast_to(b.reshape((*(sizes[x] if x in rest else 1 for x in union), *b.shape[len(rest):])),
                                       (*full, *b.shape[len(rest):])) for b in bounds]
            dims = union
        shape = data.shape[:len(dims)]
        out = jax.vmap(self.strategy.head)(*(x.reshape((-1, *x.shape[len(shape):])) for x in (data, *bounds)))
        if d.kind == "bool":
            out = jnp.stack([1 - out, out], -1)
        return Variable(dims, out.reshape((*shape, *out.shape[1:])))


def values_of(site: MessageSite, count: int) -> Variable:
    """Every word of a site, along a coordinate of their own."""
    every = jnp.eye(count) if site.form == "words" else jnp.arange(2.0) if site.form == "bool" else jnp.arange(1.0, count + 1)
    return Variable((WORDS + site.name,), every)


def readers(problem: Problem, site: MessageSite) -> tuple[Decision, ...]:
    """The decisions to which a word of this site is a finite input."""
    return tuple(d for d in problem.game.decisions if any(
        o.size is not None and site.name in references(problem.dependence.inline(o.expression)) for o in d.observations))


def through(rules: Mapping[str, Any], readings: Mapping[str, Mapping[str, tuple[Variable, Variable]]]) -> dict[str, Any]:
    """The rules of a world with the listeners' readings of relaxed words."""
    return {**rules, **{d: Reading(rules[d], words) for d, words in readings.items() if isinstance(rules[d], Strategy)}}
