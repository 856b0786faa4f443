"""Plays of a game whose stages are elaborated once: one ``lax.scan`` over them, samples and members as array axes.

What stands outside of the stages is a world on scattered samples; every stage is a world of its own on the same samples, whose draws
are made inside of the scan and whose states are given. So memory grows with the states alone: stages are taken in about sqrt(T) blocks,
each of which is computed again on the way back (Griewank 1992; Chen et al. 2016).

Halts are weights: what is paid later counts by the chance that none has come. Where only survival and payments depend on a finite
decision it is summed out; where a state does it is drawn, and what comes later is weighted by p / stop(p), whose derivative is the score
(DiCE, Foerster et al. 2018).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..core.expression import bind, references
from ..core.site import SO_FAR, Constraint, Decision, Payment, Record, StageBlock, State
from ..information.dependence import mentioned
from ..primitives.relaxations import Relaxation
from .carry import Carry, Ran, full, hide, keep, settled, spread
from .columns import Columns
from .evaluate import evaluate
from .grid import Grid
from .problem import Person, Problem
from .rollout import SAMPLE, drawn
from .strategy import Multiplier
from .variable import Variable, constant, lift
from .world import Rule, World

TRUNCATED = 1e-8  # of the discounted sum: what may be left beyond the last stage of stages without end


@dataclass(frozen=True)
class Account:
    """Some payments, of a large family's the share of ``person`` (None: everybody's)."""

    payments: tuple[Payment, ...]
    person: Person | None = None

    def bound(self) -> Account:
        """The same where one member's share of a loop is worked out alone, without the array over all members."""
        return Account(tuple(self._own(p) for p in self.payments), self.person)

    def _own(self, p: Payment) -> Payment:
        if len(p.axes) != 1 or self.person is None or p.actor.member is None or p.axes[0].family != self.person.name:
            return p
        member = float((self.person.member or 0) + p.axes[0].low)
        own = [bind(e, p.axes[0], member) for e in (p.cost, *p.guards)]
        return p if any(e is None for e in own) else replace(p, axes=(), cost=own[0], guards=tuple(own[1:]))  # type: ignore[arg-type]

    def value(self, world: World, payments: Sequence[Payment]) -> Variable:
        total: Variable = constant(0.0)
        for p in payments:
            v = world.payment(p)
            if p.axes:
                flat = v.data.reshape((*v.data.shape[:len(v.dims)], -1))
                everybody = self.person is None or p.actor.member is None
                v = Variable(v.dims, jnp.sum(flat, -1) if everybody else flat[..., self.person.member or 0])  # type: ignore[union-attr]
            total = lift(jnp.add, total, v)
        return total


@dataclass(frozen=True)
class Played:
    """``costs`` (samples,) of each account, ``paths`` (stages,) what each paid in a stage, undiscounted, on average where the stage is
    reached or not; ``after``: the world outside of the stages, with what they leave behind; ``seen`` (stages, samples, *own): values of
    the sites that were watched, 0 after a halt."""

    costs: tuple[Array, ...]
    paths: tuple[Array, ...]
    after: World
    seen: Mapping[str, Array]


def discount_of(problem: Problem) -> float:
    """The discount of one stage."""
    block = problem.game.block
    assert block is not None
    if block.discount is None:
        return 1.0
    world = problem.world(Grid({}, {}, None, ()), problem.natural, {})
    return float(evaluate(world, block.discount).data)


def horizon(problem: Problem, left: float = TRUNCATED) -> int:
    """How many stages are played: all, or as many as leave a share ``left`` of the discounted sum."""
    block = problem.game.block
    assert block is not None
    if math.isfinite(block.length):
        return round(block.length)
    d = discount_of(problem)
    return max(1, math.ceil(math.log(left) / math.log(d)))


def blocks(length: int) -> tuple[int, int]:
    """(blocks, stages in each), about sqrt(length) of both and as few stages too many as possible."""
    root = math.sqrt(length)
    sizes = range(max(1, math.floor(root / 2)), max(2, math.ceil(2 * root) + 1))
    inner = min(sizes, key=lambda n: (n * -(-length // n) - length, abs(n - root)))
    return -(-length // inner), inner


@dataclass(frozen=True)
class Stages:
    """A game with a block, ready to be played. ``figures``: every finite decision is drawn, none summed out, and all that the text asks
    for after the stages is there; else what payments need. ``moving``: states have a draw by which they are moved (see ``play``)."""

    problem: Problem
    figures: bool = False
    moving: bool = False

    @property
    def block(self) -> StageBlock:
        assert self.problem.game.block is not None
        return self.problem.game.block

    @cached_property
    def states(self) -> tuple[State, ...]:
        return tuple(s for s in self.problem.game.states if s.name != self.block.binder)

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """What is asked of the stages once they are over."""
        game, up = self.problem.game, self.problem.dependence.ancestors
        later = [s for s in game.sites if not s.repeated and not isinstance(s, Record)]
        names = set().union(*(up[s.name] for s in later if self.figures or isinstance(s, (Payment, Decision))))
        if self.figures:
            texts = [m.value for m in game.measures] + [p.quantity for p in game.published]
            texts += [e for p in game.plots for e in (p.value, p.against)]
            names |= {x for e in texts for x in self.problem.dependence.of(e)}
        return tuple(s for s in game.sites if isinstance(s, Record) and s.name in names)

    @cached_property
    def ending(self) -> frozenset[str]:
        """States whose last value is asked for."""
        return frozenset(s.of for s in self.records if s.stage is None and s.of != SO_FAR)

    @cached_property
    def drawn(self) -> frozenset[str]:
        """Finite decisions that are drawn: those on which a state, or what comes after the stages, depends."""
        up = self.problem.dependence.ancestors
        finite = [d for d in self.problem.game.decisions if d.enumerable]
        if self.figures:
            return frozenset(d.name for d in finite)
        moving = {s.following for s in self.states} | {s.of for s in self.records if s.stage is not None}
        moving |= {s.survival for s in self.states if s.survival and s.name in self.ending}
        return frozenset(d.name for d in finite if not d.repeated or any(d.name in up[m] for m in moving))

    @cached_property
    def late(self) -> frozenset[str]:
        """Decisions that rest on what the stages leave behind."""
        left, up = {s.name for s in self.problem.game.sites if isinstance(s, Record)}, self.problem.dependence.ancestors
        return frozenset(d.name for d in self.problem.game.decisions if not d.repeated and up[d.name] & left)

    @cached_property
    def summed(self) -> tuple[Decision, ...]:
        """Finite decisions of a stage that are summed out."""
        return tuple(d for d in self.problem.game.decisions if d.repeated and d.enumerable and d.name not in self.drawn)

    def columns(self, repeated: bool) -> Columns:
        sites = [s for s in self.problem.game.randoms if s.repeated == repeated]
        decisions = [d for d in self.problem.game.decisions if d.repeated == repeated]
        return Columns.of(self.problem, sites, [d.name for d in decisions if d.name in self.drawn], self.moved if repeated else ())

    @cached_property
    def moved(self) -> tuple[State, ...]:
        """States that real decisions move: where each decision errs a little they are never quite what was intended."""
        real = {d.name for d in self.problem.game.decisions if d.kind == "real"}
        return tuple(s for s in self.states if self.moving and not s.memory and real & self.problem.dependence.ancestors[s.following])

    @cached_property
    def inside(self) -> Columns:
        return self.columns(True)

    @cached_property
    def outside(self) -> Columns:
        return self.columns(False)

    @cached_property
    def from_before(self) -> tuple[str, ...]:
        """Sites outside of the stages that a stage mentions, or a state begins with."""
        sites = self.problem.game.sites
        own = {s.name for s in sites if s.repeated}
        found = {r for s in sites if s.repeated for e in mentioned(s) for r in references(e)} - own
        return tuple(sorted(found))

    def world(self, rules: Mapping[str, Rule], columns: Columns, values: Array, given: Mapping[str, Variable],
              parameters: Mapping[str, Array] | None, relaxation: Relaxation | None) -> tuple[World, Variable]:
        """A world on some draws, and the weight of the finite decisions that were drawn in it (1 with the score's derivative)."""
        problem = self.problem
        inside = columns is self.inside
        world = problem.world(columns.grid(values, self.summed if inside else ()), problem.natural, {}, relaxation, parameters)
        world.rules = rules
        overrides = dict(given)
        world.overrides = overrides
        weight = constant(1.0)
        for d in problem.game.decisions:
            if d.repeated == inside and d.name in self.drawn - self.late and d.name not in overrides and d.name in rules:
                weight = lift(jnp.multiply, weight, self.draw(world, d, overrides))
        return world, weight

    def draw(self, world: World, d: Decision, overrides: dict[str, Variable]) -> Variable:
        """Take a finite decision by its own draw; its score."""
        p = world.choice(d.name)
        uniform = world.grid.columns(d.name)
        overrides[d.name] = drawn(d, p, uniform, uniform.shape[0])
        return score(d, p, overrides[d.name])

    def play(self, rules: Mapping[str, Rule], before: Array, inside: Array, accounts: Sequence[Account],
             parameters: Mapping[str, Array] | None = None, relaxation: Relaxation | None = None, length: int | None = None,
             antithetic: bool = False, watched: tuple[str, ...] = (), moves: Mapping[str, Array] | None = None) -> Played:
        """One play for every sample. ``before`` (samples, columns): base values outside of the stages. ``inside``: those of all stages
        (stages, samples, columns), or a key from which each stage draws its own. ``rules``: by decision. ``watched``: repeated sites.
        ``moves``: by how much states are moved at the beginning of every stage, times a normal draw: as if those who decide had erred."""
        ran = self.run(rules, before, inside, accounts, parameters, relaxation, length, antithetic, watched, moves)
        return self.finish(rules, before, accounts, ran, parameters, relaxation)

    def run(self, rules: Mapping[str, Rule], before: Array, inside: Array, accounts: Sequence[Account],
            parameters: Mapping[str, Array] | None = None, relaxation: Relaxation | None = None, length: int | None = None,
            antithetic: bool = False, watched: tuple[str, ...] = (), moves: Mapping[str, Array] | None = None) -> Ran:
        """The stages of a play, as arrays alone: it can be compiled."""
        length = horizon(self.problem) if length is None else length
        n = before.shape[0]
        outer, outer_weight = self.world(rules, self.outside, before, {}, parameters, relaxation)
        given = {name: outer.value(name) for name in self.from_before}
        recorded = tuple(sorted({s.of for s in self.records if s.stage is not None} | set(watched)))
        accounts = [a.bound() for a in accounts]
        within = [[p for p in a.payments if p.repeated] for a in accounts]
        discount = constant(1.0) if self.block.discount is None else evaluate(outer, self.block.discount)

        def stage(carry: Carry, t: Array, values: Array) -> tuple[Carry, tuple[Array, ...], dict[str, Array]]:
            number = Variable((), t)
            states = carry.states if moves is None else self.shaken(carry.states, values, moves)
            world, weight = self.world(rules, self.inside, values, {**given, **states, self.block.binder: number},
                                       parameters, relaxation)
            weight = lift(jnp.multiply, carry.weight, weight)
            scale = lift(lambda d, k: d ** (k - 1), discount, number)
            paid, path = [], []
            for a, own, so_far in zip(accounts, within, carry.costs, strict=True):
                value = lift(jnp.multiply, weight, self.per_sample(world, a.value(world, [p for p in own if p.constraint is None])))
                # a constraint speaks of its stage alone: neither discounts nor delays touch it
                held = self.per_sample(world, a.value(world, [p for p in own if p.constraint is not None]))
                path.append(jnp.mean(value.data) + jnp.mean(held.data))
                paid.append(so_far + full(lift(jnp.multiply, scale, value), n) + full(held, n))
            ended = carry.ended
            survives = self.chance(world, self.block.survival)
            factor = lift(jnp.multiply, survives, self.chance(world, self.block.delay)) if self.separable else self.joint(world)
            if self.block.ended is not None:
                ended = lift(jnp.add, ended, lift(jnp.multiply, weight, self.chance(world, self.block.ended)))
            after, alive = lift(jnp.multiply, weight, factor), lift(jnp.multiply, carry.alive, survives)
            seen = {name: full(lift(hide, world.value(name), carry.alive), n) for name in recorded}
            following = {s.name: world.value(s.following) for s in self.states}
            ends = {s.name: lift(keep, following[s.name], carry.ends[s.name], lift(
                jnp.multiply, carry.alive, constant(1.0) if s.survival is None else world.value(s.survival)))
                for s in self.states if s.name in self.ending}
            return Carry(following, after, alive, ended, ends, tuple(paid)), tuple(path), seen

        first = {s.name: outer.loop(s, lambda s=s: evaluate(outer, s.first)) for s in self.states}  # type: ignore[misc]
        start = Carry(first, outer_weight, constant(1.0), constant(0.0), {k: v for k, v in first.items() if k in self.ending},
                      tuple(jnp.zeros(n) for _ in accounts))
        keyed = jnp.issubdtype(inside.dtype, jax.dtypes.prng_key)
        example = self.inside.draw(jax.random.key(0), n, antithetic)
        start = settled(lambda c: stage(c, jnp.asarray(1.0), example)[0], start, n)

        def step(carry: Carry, x: tuple[Array, Array]) -> tuple[Carry, Any]:
            t, source = x
            values = self.inside.draw(jax.random.fold_in(inside, t.astype(int)), n, antithetic) if keyed else source
            new, path, seen = stage(carry, t, values)
            new = spread(new, carry, n)
            going = t <= length
            return jax.tree.map(lambda a, b: jnp.where(going, a, b), new, carry), (path, seen)

        outer_count, inner_count = blocks(length)
        total = outer_count * inner_count
        numbers = jnp.arange(1.0, total + 1).reshape(outer_count, inner_count)
        source = numbers if keyed else jnp.concatenate(
            [inside, jnp.zeros((total - length, *inside.shape[1:]))]).reshape(outer_count, inner_count, *inside.shape[1:])

        @jax.checkpoint
        def several(carry: Carry, x: Any) -> tuple[Carry, Any]:
            return jax.lax.scan(jax.checkpoint(step), carry, x)

        end, (paths, seen) = jax.lax.scan(several, start, (numbers, source))
        flat = lambda a: a.reshape(total, *a.shape[2:])[:length]  # noqa: E731
        return Ran(end, tuple(flat(p) for p in paths), {k: flat(v) for k, v in seen.items()})

    def finish(self, rules: Mapping[str, Rule], before: Array, accounts: Sequence[Account], ran: Ran,
               parameters: Mapping[str, Array] | None = None, relaxation: Relaxation | None = None) -> Played:
        """What comes after the stages."""
        outer, weight = self.world(rules, self.outside, before, {}, parameters, relaxation)
        after = self.left_behind(outer, ran.end, ran.seen)
        for d in self.problem.game.decisions:
            if d.name in self.late & self.drawn and d.name in rules:
                overrides = dict(after.overrides)
                weight = lift(jnp.multiply, weight, self.draw(after, d, overrides))
                after = after.vary({d.name: overrides[d.name]})
                after.overrides = overrides
        costs = tuple(c + full(lift(jnp.multiply, weight, a.value(after, [p for p in a.payments if not p.repeated])), before.shape[0])
                      for a, c in zip((a.bound() for a in accounts), ran.end.costs, strict=True))
        return Played(costs, ran.paths, after, ran.seen)

    def shaken(self, states: Mapping[str, Variable], values: Array, moves: Mapping[str, Array]) -> dict[str, Variable]:
        """States moved by their draws."""
        grid = self.inside.grid(values, ())
        out = dict(states)
        for s in self.moved:
            noise = Variable((SAMPLE,), grid.columns(s.name))
            rank = len(states[s.name].own) - len(noise.own)
            by = noise.data.reshape((*noise.data.shape, *(1,) * rank)) * moves[s.name]
            out[s.name] = lift(jnp.add, states[s.name], Variable((SAMPLE,), by))
        return out

    def spreads(self, rules: Mapping[str, Rule], key: Array, plays: int = 64) -> dict[str, Array]:
        """The standard deviation of every state that is moved, over all stages and plays (1 where it does not vary)."""
        one, two = jax.random.split(key)
        played = self.play(rules, self.outside.draw(one, plays, False), two, [], watched=tuple(s.name for s in self.moved))
        spread = {k: jnp.std(v) for k, v in played.seen.items()}
        return {k: jnp.where(v > 1e-9, v, 1.0) for k, v in spread.items()}

    def situations(self, rules: Mapping[str, Rule], key: Array, samples: int = 512, plays: int = 64,
                   moves: Mapping[str, Array] | None = None) -> World:
        """A world of single stages, at as many stages and states as there are samples, from plays under some rules."""
        one, two, three = jax.random.split(key, 3)
        before = self.outside.draw(one, plays, False)
        names = tuple(s.name for s in self.states)
        played = self.play(rules, before, two, [], watched=names, moves=moves)
        length = horizon(self.problem)
        stages = jnp.round(jnp.linspace(0, length - 1, -(-samples // plays))).astype(int)
        pooled = {k: v[stages].reshape(-1, *v.shape[2:]) for k, v in played.seen.items()}
        count = stages.shape[0] * plays
        outer, _ = self.world(rules, self.outside, before, {}, None, None)
        given = {n: Variable((SAMPLE,), jnp.tile(full(outer.value(n), plays), (stages.shape[0],) + (1,) * len(outer.value(n).own)))
                 for n in self.from_before}
        values = self.inside.draw(three, count, False)
        states = {k: Variable((SAMPLE,), v) for k, v in pooled.items()}
        given |= states if moves is None else self.shaken(states, values, moves)
        given[self.block.binder] = Variable((SAMPLE,), jnp.repeat(stages + 1.0, plays))
        return self.world(rules, self.inside, values, given, None, None)[0]

    def around(self, rules: Mapping[str, Rule], key: Array, samples: int = 512) -> World:
        """The world outside of the stages, with what plays under some rules leave behind."""
        one, two = jax.random.split(key)
        return self.play(rules, self.outside.draw(one, samples, False), two, []).after

    # ------------------------------------------------------------ parts of a stage

    def per_sample(self, world: World, v: Variable) -> Variable:
        """The mean over finite decisions that are summed out, given everything else."""
        if not any(d.name in v.dims for d in self.summed):
            return v
        kept = world.expectation(v, (SAMPLE,))
        return Variable(kept.dims, kept.data * world.grid.sizes[SAMPLE])

    def chance(self, world: World, name: str | None) -> Variable:
        return constant(1.0) if name is None else self.per_sample(world, world.value(name))

    @cached_property
    def separable(self) -> bool:
        """Whether survival and the delay depend on no common summed decision."""
        names = (self.block.survival, self.block.delay)
        up = [self.problem.dependence.ancestors[n] if n is not None else frozenset() for n in names]
        return not any(d.name in up[0] and d.name in up[1] for d in self.summed)

    def joint(self, world: World) -> Variable:
        assert self.block.survival is not None and self.block.delay is not None
        return self.per_sample(world, lift(jnp.multiply, world.value(self.block.survival), world.value(self.block.delay)))

    def left_behind(self, outer: World, end: Carry, seen: Mapping[str, Array]) -> World:
        """The world outside of the stages, its records filled in."""
        values: dict[str, Variable] = {}
        for s in self.records:
            if s.of == SO_FAR:
                values[s.name] = lift(jnp.add, end.ended, end.weight)
            elif s.stage is None:
                values[s.name] = end.ends[s.of]
            else:
                values[s.name] = Variable((SAMPLE,), seen[s.of][s.stage - 1])
        if not values:
            return outer
        after = outer.vary(values)
        after.overrides = {**outer.overrides, **values}
        return after


def excess_of(c: Constraint) -> Payment:
    """The excess of a constraint in a stage, as if it were paid."""
    return Payment(f"excess of {c.name}", c.axes, (), c.span, c.actor, c.excess, constraint=c.name, repeated=True)


def priced(problem: Problem, profile: Mapping[str, Any]) -> dict[str, Array] | None:
    """The parameters with the multipliers of a profile; None without any."""
    held = {k: m.value for k, m in profile.items() if isinstance(m, Multiplier)}
    return {**problem.parameters, **held} if held else None


def score(d: Decision, p: Variable, value: Variable) -> Variable:
    """p(what was drawn) / stop(the same): 1, with the derivative of log p."""
    def ratio(probabilities: Array, taken: Array) -> Array:
        mine = jnp.where(taken > 0.5, probabilities[..., 1], probabilities[..., 0]) if d.kind == "bool" else \
            jnp.sum(probabilities * taken, -1)
        return mine / jax.lax.stop_gradient(mine)

    data = p.data if SAMPLE in p.dims else jnp.broadcast_to(p.data, (value.data.shape[0], *p.data.shape))
    return Variable((SAMPLE,), ratio(data, value.data))
