"""A linear-quadratic-Gaussian game of stages as matrices, one stage at a time.

With v = (1, s, xi, u) of a stage, s its states and the draws made before the stages, xi its own standard normal draws and u all that is
decided in it, the next states and all that decisions see are F v and Z v, and a player's payments v' Q v. Matrices are read off the game
by differentiating the stage, inside of whatever scan asks for them: nothing is kept for all stages at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree

from ..core.expression import Apply, Constant, Expression, Information, rebuild, references, walk
from ..core.site import SO_FAR, Constraint, Decision, Payment
from ..passes.multipliers import sole
from .carry import Carry, full
from .evaluate import evaluate
from .problem import Person, Problem
from .stages import Account, Stages
from .strategy import separate_inputs
from .variable import Variable, constant, lift


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Matrices:
    """``following`` (1 + n, N): the next (1, s). ``seen`` of each decision (1 + d, N): (1, what it sees), ``number``: of its combination of
    finite inputs. ``paid`` (players, N, N). ``signals`` (d, N) of each message that is paid for, ``prices`` (messages, players): what each
    pays for a nat of it. ``excess`` (constraints, N, N): of those that hold in the stage, but for what messages tell."""

    following: Array
    seen: tuple[Array, ...]
    number: tuple[Array, ...]
    paid: Array
    signals: tuple[Array, ...]
    prices: Array
    excess: Array


@dataclass(frozen=True)
class LinearStages:
    """The reading of a problem for which ``unsuitable`` has no objection. ``people``: whose payments are read."""

    problem: Problem
    people: tuple[Person, ...]

    @cached_property
    def stages(self) -> Stages:
        return Stages(self.problem)

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(d for d in self.problem.game.decisions if d.repeated)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        return tuple(math.prod(d.shape) for d in self.decisions)

    @cached_property
    def messages(self) -> tuple[Information, ...]:
        found = [p.information for p in self.problem.game.payments if p.information is not None and p.repeated]
        return tuple(dict.fromkeys(found))

    @cached_property
    def inner(self) -> tuple[Constraint, ...]:
        return tuple(c for c in self.problem.game.constraints if c.repeated)

    @cached_property
    def outer(self) -> tuple[Constraint, ...]:
        return tuple(c for c in self.problem.game.constraints if not c.repeated)

    @cached_property
    def limited(self) -> np.ndarray:
        """(inner constraints, messages): 1 where it is the budget of a message."""
        rows = [[float(m == sole(c.excess)) for m in self.messages] for c in self.inner]
        return np.array(rows).reshape(len(self.inner), len(self.messages))

    def holders(self, constraints: tuple[Constraint, ...]) -> np.ndarray:
        """(constraints, players): 1 for whoever must hold it."""
        held = {p.constraint: p for p in self.problem.game.payments if p.constraint is not None}
        rows = [[float(held[c.multiplier] in self.problem.pays(x)) for x in self.people] for c in constraints]
        return np.array(rows).reshape(len(constraints), len(self.people))

    def given(self, before: Array) -> dict[str, Variable]:
        world, _ = self.stages.world({}, self.stages.outside, before[None], {}, None, None)
        return {name: world.value(name) for name in self.stages.from_before}

    def first(self, before: Array) -> dict[str, Array]:
        """The states in stage 1."""
        world, _ = self.stages.world({}, self.stages.outside, before[None], {}, None, None)
        return {s.name: full(world.loop(s, lambda s=s: evaluate(world, s.first)), 1)[0] for s in self.stages.states}  # type: ignore[misc]

    @cached_property
    def shape(self) -> tuple[int, int, int, int]:
        """Entries of the states, of the draws before the stages, of those of a stage, and of what is decided in it."""
        first = jax.eval_shape(self.first, jnp.zeros(self.stages.outside.width))
        return (sum(math.prod(x.shape) for x in first.values()), self.stages.outside.width, self.stages.inside.width, sum(self.widths))

    def flat(self, states: Mapping[str, Array]) -> Array:
        parts = [jnp.reshape(states[s.name], -1) for s in self.stages.states]
        return jnp.concatenate(parts) if parts else jnp.zeros(0)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {k: v.shape for k, v in jax.eval_shape(self.first, jnp.zeros(self.stages.outside.width)).items()}

    def unflat(self, s: Array) -> dict[str, Array]:
        out, start = {}, 0
        for site in self.stages.states:
            size = math.prod(self.shapes[site.name])
            out[site.name] = s[start:start + size].reshape(self.shapes[site.name])
            start += size
        return out

    def begin(self) -> Array:
        """(1 + n, 1 + draws before): (1, s) in stage 1 as a linear function of (1, draws)."""
        width = self.stages.outside.width

        def start(x: Array) -> Array:
            return jnp.concatenate([jnp.ones(1), self.flat(self.first(x)), x])

        at = start(jnp.zeros(width))
        slope = jax.jacfwd(start)(jnp.zeros(width)) if width else jnp.zeros((at.shape[0], 0))
        return jnp.concatenate([at[:, None], slope], 1)

    def played(self, t: Array, x: Array) -> tuple[Array, list[Array], list[Array], list[Array], Array]:
        """One stage at (s, xi, u): the next (1, s), what is seen, combinations of finite inputs, signals, and payments (players,) with what
        constraints exceed behind them."""
        n, outside, inside, _ = self.shape
        before = x[n:n + outside]
        states = {k: Variable((), v) for k, v in self.unflat(x[:n]).items()}
        acts, start = {}, n + outside + inside
        for d, width in zip(self.decisions, self.widths, strict=True):
            acts[d.name] = Variable((), x[start:start + width].reshape(d.shape))
            start += width
        given = {**self.given(before), **states, **acts, self.stages.block.binder: Variable((), t)}
        world, _ = self.stages.world({}, self.stages.inside, x[None, n + outside:n + outside + inside], given, None, None)
        following = self.flat({s.name: full(world.value(s.following), 1)[0] for s in self.stages.states})
        seen, numbers = [], []
        for d in self.decisions:
            index, reals = separate_inputs(world, d)
            parts = [full(v, 1)[0].reshape(-1) for v in reals]
            seen.append(jnp.concatenate([jnp.ones(1), *parts]))
            numbers.append(full(index, 1)[0].astype(int))
        signals = [full(evaluate(world, m.signal), 1)[0].reshape(-1) for m in self.messages if m.signal is not None]
        paid = []
        for person in self.people:
            account = Account(tuple(p for p in self.problem.pays(person) if p.repeated and p.information is None and
                                    p.constraint is None), person)
            paid.append(full(account.value(world, account.payments), 1)[0])
        paid += [jnp.reshape(full(evaluate(world, silenced(c.excess)), 1)[0], ()) for c in self.inner]
        return jnp.concatenate([jnp.ones(1), following, before]), seen, numbers, signals, jnp.stack(paid)

    def matrices(self, t: Array) -> Matrices:
        """All of a stage's matrices, over v = (1, s, xi, u)."""
        size = sum(self.shape)
        zero = jnp.zeros(size)

        def affine(at: Array, slope: Array) -> Array:
            return jnp.concatenate([at[:, None], slope], 1)

        linear = lambda x: self.played(t, x)[:4]  # noqa: E731
        at = linear(zero)
        flat, restore = ravel_pytree((at[0], at[1], at[3]))
        slopes = jax.jacfwd(lambda x: ravel_pytree(tuple(linear(x)[i] for i in (0, 1, 3)))[0])(zero)
        rows = affine(flat, slopes)
        columns = jax.vmap(restore, in_axes=1, out_axes=1)(rows)
        cost = lambda x: self.played(t, x)[4]  # noqa: E731
        level, slope, curvature = cost(zero), jax.jacrev(cost)(zero), jax.jacfwd(jax.jacrev(cost))(zero)
        top = jnp.concatenate([level[:, None, None], slope[:, None, :] / 2], 2)
        paid = jnp.concatenate([top, jnp.concatenate([slope[:, :, None] / 2, curvature / 2], 2)], 1)
        k = len(self.people)
        return Matrices(columns[0], tuple(columns[1]), tuple(at[2]), paid[:k], tuple(columns[2]), self.prices(t), paid[k:])

    def prices(self, t: Array) -> Array:
        world, _ = self.stages.world({}, self.stages.inside, jnp.zeros((1, self.stages.inside.width)),
                                     {self.stages.block.binder: Variable((), t)}, None, None)
        rows = []
        for m in self.messages:
            row = []
            for person in self.people:
                own = [p for p in self.problem.pays(person) if p.repeated and p.information == m and p.price is not None and
                       p.constraint is None]
                total: Variable = constant(0.0)
                for p in own:
                    value = evaluate(world, p.price)  # type: ignore[arg-type]
                    for g in p.guards:
                        value = lift(jnp.multiply, value, evaluate(world, g))
                    total = lift(jnp.add, total, value)
                row.append(jnp.reshape(full(total, 1)[0], ()))
            rows.append(jnp.stack(row))
        return jnp.stack(rows) if rows else jnp.zeros((0, len(self.people)))

    def ending(self) -> Array:
        """(players + outer constraints, 1 + n, 1 + n): what is paid outside of the stages, and what constraints there exceed, over (1, s)
        after the last of them."""
        n, outside, _, _ = self.shape

        def cost(x: Array) -> Array:
            states, before = self.unflat(x[:n]), x[n:]
            one, nothing = constant(1.0), constant(0.0)
            end = Carry({}, one, one, nothing, {k: Variable((), v) for k, v in states.items()}, ())
            world, _ = self.stages.world({}, self.stages.outside, before[None], {}, None, None)
            after = self.stages.left_behind(world, end, {})
            own = [Account(tuple(p for p in self.problem.pays(x) if not p.repeated and p.constraint is None), x) for x in self.people]
            paid = [full(a.value(after, a.payments), 1)[0] for a in own]
            return jnp.stack(paid + [jnp.reshape(full(evaluate(after, c.excess), 1)[0], ()) for c in self.outer])

        zero = jnp.zeros(n + outside)
        level, slope, curvature = cost(zero), jax.jacrev(cost)(zero), jax.jacfwd(jax.jacrev(cost))(zero)
        top = jnp.concatenate([level[:, None, None], slope[:, None, :] / 2], 2)
        return jnp.concatenate([top, jnp.concatenate([slope[:, :, None] / 2, curvature / 2], 2)], 1)


def unsuitable(problem: Problem) -> str | None:
    """Why a game's stages are no matrices."""
    game, block = problem.game, problem.game.block
    assert block is not None
    if problem.loops:
        return "a family is too large"
    if not problem.is_lqg:
        return "it is not linear, quadratic and Gaussian"
    if not math.isfinite(block.length):
        return "its stages are without end"
    if block.survival is not None or block.delay is not None:
        return "there are halts or delays"
    if any(not d.repeated for d in game.decisions):
        return "something is decided outside of the stages"
    asked = {x for p in game.payments if not p.repeated for x in problem.dependence.ancestors[p.name]}
    if any(s.name in asked for s in game.sites if getattr(s, "stage", None) is not None or getattr(s, "of", None) == SO_FAR):
        return "something is paid outside of the stages for what happened in one of them"
    for c in game.constraints:
        told = [x for x in walk(c.excess) if isinstance(x, Information)]
        if c.axes or (told and (not c.repeated or not leading(c.excess) or told[0].signal is None or told[0].kept != 1.0)):
            return "a constraint is no function of second moments"
    for p in game.payments:
        m = p.information
        if m is not None and p.constraint is None and not (p.repeated and m.signal is not None and m.kept == 1.0 and fixed(problem, p)):
            return "what a message costs is no function of second moments"
    return None


def silenced(e: Expression) -> Expression:
    """An excess without what messages tell."""
    return Constant(0.0) if isinstance(e, Information) else rebuild(e, silenced)


def leading(e: Expression) -> bool:
    """Whether an excess is what one message tells, less a limit."""
    return isinstance(e, Information) or (isinstance(e, Apply) and e.function == "sub" and leading(e.arguments[0])
                                          and not any(isinstance(x, Information) for x in walk(e.arguments[1])))


def fixed(problem: Problem, p: Payment) -> bool:
    """Whether the price of a message is fixed, but for the number of the stage."""
    assert problem.game.block is not None
    if p.price is None:
        return False
    return all(references(e) <= {problem.game.block.binder} for e in (p.price, *p.guards))


def numbers_of_stages(problem: Problem, linear: LinearStages, length: int) -> list[np.ndarray]:
    """Of each decision the combination of finite inputs in every stage."""
    zero = jnp.zeros(sum(linear.shape))
    found = jax.jit(lambda: jax.lax.map(lambda t: linear.played(t, zero)[2], jnp.arange(1.0, length + 1)))()
    return [np.asarray(x) for x in found]


__all__ = ["LinearStages", "Matrices", "numbers_of_stages", "unsuitable"]
