"""Sender games: one player knows its type and acts, another sees the act alone and replies.

Signalling with acts from a continuum (Spence 1973; Leland and Pyle 1977; Milgrom and Roberts 1982). What such a game is for whoever
solves or judges it are two functions: what the sender and what the receiver pays, by type, act and reply, in expectation over what
neither sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.expression import Expression, references
from ..core.site import Decision, Random
from ..primitives.distributions import DISTRIBUTIONS
from ..primitives.relaxations import Relaxation
from .conditional import conditional
from .evaluate import evaluate
from .grid import Axis, Grid, GridBuilder
from .plans import draw_axis, finite_axis, finite_size
from .problem import Problem
from .variable import Variable, constant, expand, lift
from .world import Rule, World

TRIED = "tried"
HIDDEN = 24  # Gauss nodes of a draw that neither sees; as many times four where something steps
FAR = {"normal": 6.0, "uniform": 1e-9}  # how far out a law without an end is followed, in its base variable

Costs = Callable[[Array, Array, Array], Array]


@dataclass(frozen=True)
class SenderGame:
    """``sender``: a real decision that knows draws as they are; ``receiver``: the other decision, which knows the sender's act alone.
    ``draw``: the type, if it is one continuous draw; ``finite``: the draws that it consists of if not. ``sizes``: how many values each
    finite draw has."""

    problem: Problem
    sender: Decision
    receiver: Decision
    draw: str | None
    finite: tuple[str, ...]
    sizes: Mapping[str, int]
    _cache: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    # ------------------------------------------------------------ types

    @property
    def types(self) -> int:
        """How many types there are where they are finitely many."""
        return math.prod(self.sizes[x] for x in self.finite)

    def ends(self) -> tuple[float, float, bool, bool]:
        """(low, high) of the type in its base variable, and whether each is really an end of its law."""
        site = self.problem.dependence.sites[self.draw or ""]
        assert isinstance(site, Random)
        law = DISTRIBUTIONS[site.distribution]
        world = self.problem.world(Grid({}, {}, None, ()), self.problem.natural, {})
        bottom, top = (float(np.min(x)) for x in law.support(*(evaluate(world, a).data for a in site.arguments)))
        sure = (math.isfinite(bottom), math.isfinite(top))
        if getattr(law, "base", "uniform") == "normal":
            return -FAR["normal"], FAR["normal"], *sure
        return (0.0 if sure[0] else FAR["uniform"]), (1.0 if sure[1] else 1 - FAR["uniform"]), *sure

    def places(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """(base values (P,), probabilities (P,)) of types: ``n`` of a continuum, from end to end, by the trapezoid rule; all of finitely
        many (base values are then their numbers)."""
        if self.draw is None:
            grid = self.grid(jnp.zeros(1))
            world = self.problem.world(grid, self.problem.natural, {})
            prior = world.expectation(constant(1.0), self.finite)
            full = expand(prior, tuple(sorted(self.finite)), 0)
            return np.arange(float(self.types)), np.asarray(jnp.broadcast_to(full, self.shape)).reshape(-1)
        low, high, *_ = self.ends()
        z = np.linspace(low, high, n)
        weights = self.density(z)
        weights[[0, -1]] /= 2
        return z, weights / weights.sum()

    def density(self, base: np.ndarray) -> np.ndarray:
        """The density of a type from a continuum at base values, up to a factor."""
        site = self.problem.dependence.sites[self.draw or ""]
        assert isinstance(site, Random)
        normal = getattr(DISTRIBUTIONS[site.distribution], "base", "uniform") == "normal"
        return np.exp(-np.asarray(base) ** 2 / 2) if normal else np.ones(len(base))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.sizes[x] for x in sorted(self.finite))

    def label(self, place: float) -> str:
        """A type in words: the value of the draw."""
        if self.draw is not None:
            world = self.problem.world(self.grid(jnp.asarray([place])), self.problem.natural, {})
            return f"{self.draw} = {float(world.value(self.draw).data[0]):.4g}"
        at = np.unravel_index(int(place), self.shape)
        world = self.problem.world(self.grid(jnp.zeros(1)), self.problem.natural, {})
        return ", ".join(f"{x} = {float(np.ravel(world.value(x).data)[k]):.4g}" for x, k in zip(sorted(self.finite), at, strict=True))

    # ------------------------------------------------------------ what is paid

    def played(self, profile: Mapping[str, Rule], cells: int) -> World:
        """The game under a profile in nature's own coordinates, a continuous type in so many cells: acts are as they are, and a reply that
        jumps jumps where it does."""
        site = self.problem.dependence.sites.get(self.draw or "")
        axis = draw_axis(site, cells, True) if isinstance(site, Random) else Axis(jnp.zeros(1), jnp.ones(1))
        grid = self.grid(axis.nodes)
        if self.draw is not None:
            grid = replace(grid, weights={**grid.weights, self.draw: axis.weights}, continuous=grid.continuous | {self.draw})
        return self.problem.world(grid, self.problem.natural, profile, Relaxation("cells" if self.problem.has_steps else "exact"))

    def grid(self, base: Array) -> Grid:
        """Types at the base values asked for (all of finitely many), what neither sees on Gauss nodes."""
        builder = GridBuilder()
        for name, c in self.problem.natural.coordinates.items():
            site = self.problem.dependence.sites[name]
            if not isinstance(site, Random):
                continue
            if name == self.draw:
                builder.axes[name] = Axis(base, jnp.ones(base.shape[0]))
            elif c.role == "finite":
                builder.axes[name] = finite_axis(self.sizes[name])
            else:
                builder.axes[name] = draw_axis(site, HIDDEN * (4 if self.problem.has_steps else 1), self.problem.has_steps)
        return builder.grid()

    def costs(self, d: Decision) -> Costs:
        """(base (P,), acts (P, k), replies (P, k)) -> expected cost (P, k) of d's player, compiled. A finite reply is the number of its
        option, from 0. All types are asked for where they are finitely many."""
        key = f"costs of {d.name}"
        if key not in self._cache:
            self._cache[key] = jax.jit(lambda base, act, reply: self._costs(d, base, act, reply))
        return self._cache[key]  # type: ignore[return-value]

    def _costs(self, d: Decision, base: Array, act: Array, reply: Array) -> Array:
        problem = self.problem
        names = (self.draw,) if self.draw is not None else tuple(sorted(self.finite))
        shape = (base.shape[0],) if self.draw is not None else self.shape
        order = tuple(sorted((*names, TRIED)))
        turn = [(*names, TRIED).index(x) for x in order]

        def spread(values: Array) -> Variable:
            full = jnp.broadcast_to(values, (math.prod(shape), values.shape[-1])).reshape((*shape, values.shape[-1]))
            return Variable(order, jnp.transpose(full, turn))

        answer = spread(reply)
        if self.receiver.kind == "choice":
            answer = Variable(answer.dims, jax.nn.one_hot(answer.data.astype(int), self.receiver.options))
        world = problem.world(self.grid(base), problem.natural, {}, Relaxation("cells" if problem.has_steps else "exact"))
        world = world.vary({self.sender.name: spread(act), self.receiver.name: answer})
        total: Variable = constant(0.0)
        for p in problem.pays(problem.decider(d)):
            total = lift(jnp.add, total, conditional(world, world.payment(p), names))
        width = max(act.shape[-1], reply.shape[-1])
        full = jnp.broadcast_to(expand(total, order, 0), tuple(
            width if x == TRIED else shape[names.index(x)] for x in order))
        return jnp.transpose(full, [order.index(x) for x in (*names, TRIED)]).reshape((math.prod(shape), width))

    def bounds(self, d: Decision) -> tuple[float, float]:
        """Between what a decision lies (infinite: no bound)."""
        world = self.problem.world(Grid({}, {}, None, ()), self.problem.natural, {})

        def bound(e: Expression | None, default: float) -> float:
            return default if e is None else float(evaluate(world, e).data)

        return bound(d.low, -math.inf), bound(d.high, math.inf)


def sender_game(problem: Problem) -> SenderGame | str:
    """The game as a sender game, or why it is none."""
    return problem.once("sender game", recognised)  # type: ignore[no-any-return]


def recognised(problem: Problem) -> SenderGame | str:
    game = problem.game
    if problem.loops or game.block is not None or game.channels or game.constraints or problem.leaders or problem.is_team:
        return "there are large families, stages, channels, constraints, announcements or a team"
    if len(game.decisions) != 2 or len({problem.decider(d) for d in game.decisions}) != 2 or len(problem.groups) != 2:
        return "it is not one act of one player and one reply of another"
    sender, receiver = game.decisions
    for d in (sender, receiver):
        if d.shape and d.kind != "choice" or len(d.shape) > 1 or d.function is not None or d.mixed or d.guards or d.kind == "simplex":
            return f"{d.name} is a vector, mixed or conditional"
        if any(b is not None and references(b) for b in (d.low, d.high)):
            return f"the bounds of {d.name} vary"
    if sender.finite:
        return f"{sender.name} is finite"
    known, seen = problem.reduction.information[sender.name], problem.reduction.information[receiver.name]
    if known is None or seen is None or known.masks or seen.masks or not known.dims:
        return f"{sender.name} knows no type"
    if seen.dims != (sender.name,) or problem.reduction.coordinates[sender.name].role != "derived":
        return f"{receiver.name} does not know {sender.name} alone"
    draws = {n: problem.dependence.sites[n] for n in known.dims if problem.reduction.coordinates[n].role in ("nature", "finite")}
    if set(draws) != set(known.dims) or not all(isinstance(s, Random) and not s.shape and not s.axes for s in draws.values()):
        return f"{sender.name} knows something that is no draw as it is"
    if any(problem.dependence.ancestors[n] - set(draws) for n in draws) or any(
            r.shape or r.axes for r in game.randoms):
        return "a draw is a vector, or tells of others that nobody sees"
    continuous = [n for n in known.dims if problem.reduction.coordinates[n].role == "nature"]
    if len(continuous) > 1 or (continuous and len(known.dims) > 1):
        return f"{sender.name} knows several draws, one of them from a continuum"
    judged = {x for p in problem.pays(problem.decider(receiver)) if receiver.name in problem.dependence.ancestors[p.name]
              for x in problem.dependence.ancestors[p.name]}
    if not judged & set(draws):
        return f"what {receiver.name} should be does not depend on the type"
    if any(p.information is not None for p in game.payments):
        return "information is priced"
    own = {x for p in problem.pays(problem.decider(sender)) for e in (*p.guards, p.cost) for x in references(problem.dependence.inline(e))}
    if sender.name not in own:
        return f"{sender.name} costs nothing: it is talk"
    sizes = {r.name: finite_size(problem, r.name) for r in game.randoms if problem.natural.coordinates[r.name].role == "finite"}
    return SenderGame(problem, sender, receiver, continuous[0] if continuous else None, () if continuous else tuple(known.dims), sizes)
