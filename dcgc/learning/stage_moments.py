"""Affine policies of a linear-quadratic-Gaussian game of stages, by second moments: forward what is likely, backward what is best.

M_t, the second moments of (1, s) at the beginning of stage t, goes forward under the policies at hand. P_t, by which a player's payments
from t on are tr(P_t M_t), goes backward; in each stage the policies are those at which E[d payments / d u | what is seen] = 0, everything
after it settled already. Sweeps are repeated until nothing moves: one is enough where what is likely does not depend on policies, as
where a controller remembers all that it saw (Astrom 1970). Hands err a little, everybody's by noise of its own, so that coefficients on
acts are replies also to acts that were not meant. A priced message costs price * log det(I + Cov(signal) / sd^2) / 2, a function of
moments, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.linalg import cho_factor, cho_solve
from jax.scipy.sparse.linalg import gmres

from ..lower.linear_stages import LinearStages, Matrices, numbers_of_stages
from ..lower.problem import Problem
from ..lower.stages import discount_of, horizon
from ..lower.strategy import Multiplier

ERRORS = (1e-3, 1e-5)  # of what acts vary by: how much a hand errs
SWEEPS = 60
SETTLED = 1e-11
ASCENTS = 150  # steps of the multipliers
PACE = 0.7
FIRST = 0.1  # of what is at stake: the first step of a multiplier
MET = 1e-7  # excess that counts as none
ROUNDS = 4  # of replies in a stage, where several of a team decide in it
FLAT = 1e-13  # of a variance: what does not vary

Policies = dict[str, Array]  # by group (stages, k, 1 + d)


@dataclass(frozen=True)
class Solution:
    """``policies``: coefficients of (1, what is seen) by group and stage. ``costs`` (players,), ``curvature``: the least second derivative
    of anybody's cost in an act, ``change``: of the costs in the last sweep, over their size. ``held``, ``excess``: the constraints'
    multipliers and E[excess], stage by stage, then those outside of the stages."""

    policies: Policies
    costs: np.ndarray
    curvature: float
    change: float
    held: np.ndarray
    excess: np.ndarray


@dataclass(frozen=True)
class Solver:
    problem: Problem

    @cached_property
    def linear(self) -> LinearStages:
        deciders = dict.fromkeys(self.problem.decider(d) for d in self.problem.game.decisions)
        return LinearStages(self.problem, tuple(deciders))

    @cached_property
    def slots(self) -> tuple[tuple[str, int, int, slice], ...]:
        """Of each decision: its group, its player, its number of acts, and where they stand."""
        out, start = [], 0
        for d, width in zip(self.linear.decisions, self.linear.widths, strict=True):
            player = self.linear.people.index(self.problem.decider(d))
            out.append((self.problem.leader_of[d.name], player, width, slice(start, start + width)))
            start += width
        return tuple(out)

    @cached_property
    def length(self) -> int:
        return horizon(self.problem)

    @cached_property
    def discount(self) -> float:
        return discount_of(self.problem)

    @cached_property
    def start(self) -> Array:
        with jax.ensure_compile_time_eval():
            return self.linear.begin()

    # ------------------------------------------------------------ one stage

    def rows(self, m: Matrices, policies: Policies, errors: Array) -> tuple[Array, list[Array]]:
        """What is decided (k, W) and what each decision sees (1 + d, W) as functions of w = (1, s, xi, errors of all hands)."""
        return self.by_slot(m, [policies[group] for group, _, _, _ in self.slots], errors)

    def by_slot(self, m: Matrices, rules: list[Array], errors: Array) -> tuple[Array, list[Array]]:
        """The same with a rule for each decision."""
        inside, k = m.following.shape[1] - errors.shape[0], errors.shape[0]
        acts = jnp.zeros((k, inside + k))
        seen = []
        for rule, (_, _, _, own), z in zip(rules, self.slots, m.seen, strict=True):
            sees = jnp.concatenate([z[:, :inside], jnp.zeros((z.shape[0], k))], 1) + z[:, inside:] @ acts
            noise = jnp.zeros_like(acts[own]).at[:, inside + own.start:inside + own.stop].set(jnp.diag(errors[own]))
            acts = acts.at[own].set(rule @ sees + noise)
            seen.append(sees)
        return acts, seen

    def moments(self, m: Matrices, before: Array) -> Array:
        """Second moments of w."""
        n, size = before.shape[0], m.following.shape[1]  # as many errors as acts
        return jnp.eye(size).at[:n, :n].set(before)

    def told(self, m: Matrices, acts: Array, w: Array) -> Array:
        """(messages,) nats that each tells."""
        inside = m.following.shape[1] - acts.shape[0]
        out = []
        for e, signal in zip([x for x in self.linear.messages if x.signal is not None], m.signals, strict=True):
            h = jnp.concatenate([signal[:, :inside], jnp.zeros((signal.shape[0], acts.shape[0]))], 1) + signal[:, inside:] @ acts
            hw = h @ w
            covariance = hw @ h.T - jnp.outer(hw[:, 0], hw[:, 0])
            out.append(jnp.linalg.slogdet(jnp.eye(h.shape[0]) + covariance / e.sd**2)[1] / 2)
        return jnp.stack(out) if out else jnp.zeros(0)

    def worth(self, g: Array, m: Matrices, acts: Array, w: Array) -> Array:
        """(players,) what a stage and all later ones cost, but for what no decision of the stage moves: ``g`` (players, N, N)."""
        inside = g.shape[1] - acts.shape[0]
        y = acts @ w
        own = jnp.einsum("pij,jw,iw->p", g[:, inside:, inside:], acts, y)
        cross = 2 * jnp.einsum("piw,iw->p", g[:, inside:, :inside], y[:, :inside])
        return own + cross + self.told(m, acts, w) @ m.prices

    def slopes(self, g: Array, m: Matrices, policies: Policies, errors: Array, w: Array) -> tuple[Policies, Policies]:
        """By group: the mean over its decisions of E[d cost / d u . what is seen], divided by the moments of what is seen; and these."""
        own = [policies[group] for group, _, _, _ in self.slots]

        def costs(rules: list[Array]) -> Array:
            acts, _ = self.by_slot(m, rules, errors)
            return self.worth(g, m, acts, w)

        count = {group: sum(s[0] == group for s in self.slots) for group, _, _, _ in self.slots}
        slope = {group: jnp.zeros_like(x) for group, x in policies.items()}
        gram = {group: jnp.zeros((x.shape[1], x.shape[1])) for group, x in policies.items()}
        _, seen = self.rows(m, policies, errors)
        for i, (group, player, _, _) in enumerate(self.slots):
            def mine(rule: Array, i: int = i, player: int = player) -> Array:
                return costs([*own[:i], rule, *own[i + 1:]])[player]

            slope[group] = slope[group] + jax.grad(mine)(own[i]) / count[group]
            gram[group] = gram[group] + seen[i] @ w @ seen[i].T / count[group]
        return slope, gram

    def replies(self, g: Array, m: Matrices, policies: Policies, errors: Array, w: Array) -> tuple[Policies, Array]:
        """The policies of a stage that reply to each other, and the least curvature of anybody's cost in an act."""
        factors = {k: cho_factor(regular(x)) for k, x in self.slopes(g, m, policies, errors, w)[1].items()}

        def residual(rules: Policies) -> Policies:
            slope, _ = self.slopes(g, m, rules, errors, w)
            return {k: cho_solve(factors[k], v.T).T for k, v in slope.items()}

        alone = self.problem.is_team or len(self.slots) == 1
        if alone:
            for _ in range(ROUNDS if len(self.slots) > 1 or any(s[2] > 1 for s in self.slots) or self.linear.messages else 1):
                for k in policies:
                    policies = {**policies, k: descended(lambda x, k=k, p=policies: residual({**p, k: x})[k], policies[k], factors[k])}  # type: ignore[misc]
        else:
            for _ in range(2):
                f, linear = jax.linearize(residual, policies)
                move, _ = gmres(linear, jax.tree.map(jnp.negative, f), tol=1e-12, restart=30, maxiter=6)
                policies = {k: x + jnp.where(jnp.all(jnp.isfinite(move[k])), move[k], 0.0) for k, x in policies.items()}
        return policies, self.curvature(residual, policies)

    def curvature(self, residual: object, policies: Policies) -> Array:
        """The least second derivative of anybody's cost in the level of what it decides."""
        least = jnp.asarray(jnp.inf)
        for k, x in policies.items():
            for i in range(x.shape[0]):
                direction = jnp.zeros_like(x).at[i, 0].set(1.0)
                moved = jax.jvp(lambda y, k=k: residual({**policies, k: y})[k], (x,), (direction,))[1]  # type: ignore[operator]
                least = jnp.minimum(least, moved[i, 0])
        return least

    # ------------------------------------------------------------ all stages

    def forward(self, policies: Policies, errors: Array) -> tuple[Array, Array, Array, Array]:
        """(stages, 1 + n, 1 + n) moments at the beginning of each stage, what everybody pays (players,), the moments of what is decided
        (stages, k), and what constraints exceed (stages x inner + outer,)."""
        k = errors.shape[0]
        with jax.ensure_compile_time_eval():
            ending = self.linear.ending()
        people = len(self.linear.people)
        limited = jnp.asarray(self.linear.limited)

        def step(carry: tuple[Array, Array], x: tuple[Array, Policies]) -> tuple[tuple[Array, Array], tuple[Array, Array, Array]]:
            before, paid = carry
            t, rules = x
            m = self.linear.matrices(t)
            acts, _ = self.rows(m, rules, errors)
            w = self.moments(m, before)
            whole = jnp.concatenate([jnp.eye(acts.shape[1] - k, acts.shape[1]), acts])  # v as a function of w
            v = whole @ w @ whole.T
            told = self.told(m, acts, w)
            now = jnp.einsum("pij,ij->p", m.paid, v) + told @ m.prices
            over = jnp.einsum("cij,ij->c", m.excess, v) + limited @ told
            return (m.following @ v @ m.following.T, paid + self.discount ** (t - 1) * now), (before, jnp.diagonal(v)[-k:], over)

        (end, paid), (moments, size, over) = jax.lax.scan(
            step, (self.start @ self.start.T, jnp.zeros(people)), (self.numbers, policies))
        last = jnp.einsum("pab,ab->p", ending, end)
        return moments, paid + last[:people], size, jnp.concatenate([over.reshape(-1), last[people:]])

    @property
    def numbers(self) -> Array:
        return jnp.arange(1.0, self.length + 1)

    def backward(self, policies: Policies, moments: Array, errors: Array, held: Array) -> tuple[Policies, Array]:
        """One sweep: policies, and the least curvature. ``held``: the multipliers of constraints, as ``forward`` has what they exceed."""
        k, people, each = errors.shape[0], len(self.linear.people), len(self.linear.inner)
        with jax.ensure_compile_time_eval():
            ending = self.linear.ending()
        inner, outer = held[:self.length * each].reshape(self.length, each), held[self.length * each:]
        last = ending[:people] + jnp.einsum("c,cp,cab->pab", outer, jnp.asarray(self.linear.holders(self.linear.outer)), ending[people:])
        last = last / self.discount**self.length  # what is paid after the stages is not discounted with them
        holders, limited = jnp.asarray(self.linear.holders(self.linear.inner)), jnp.asarray(self.linear.limited)

        def step(later: Array, x: tuple[Array, Policies, Array, Array]) -> tuple[Array, tuple[Policies, Array]]:
            t, rules, before, multipliers = x
            m = self.linear.matrices(t)
            charged = multipliers[:, None] * holders / self.discount ** (t - 1)  # no discount touches a constraint
            m = replace(m, paid=m.paid + jnp.einsum("cp,cij->pij", charged, m.excess), prices=m.prices + limited.T @ charged)
            g = m.paid + self.discount * jnp.einsum("ai,pab,bj->pij", m.following, later, m.following, optimize="optimal")
            w = self.moments(m, before)
            rules, curvature = self.replies(g, m, rules, errors, w)
            acts, _ = self.rows(m, rules, errors)
            inside, n = m.following.shape[1] - k, before.shape[0]
            own = acts[:, :n]
            cross = jnp.einsum("puw,uv->pwv", g[:, inside:, :n], own)
            now = g[:, :n, :n] + cross + jnp.swapaxes(cross, 1, 2) + jnp.einsum("puv,ua,vb->pab", g[:, inside:, inside:], own, own)
            if self.linear.messages:  # its slope in the moments stands for what a message costs
                slope = jax.jacrev(lambda b: self.told(m, acts, self.moments(m, b)) @ m.prices)(before)
                now = now + (slope + jnp.swapaxes(slope, 1, 2)) / 2
            return now, (rules, curvature)

        _, (new, curvature) = jax.lax.scan(step, last, (self.numbers, policies, moments, inner), reverse=True)
        return new, jnp.min(curvature)

    @cached_property
    def programs(self) -> tuple[Any, Any]:
        return jax.jit(self.forward), jax.jit(self.backward)

    def swept(self, policies: Policies, held: Array, error: float, sweeps: int) -> Solution:
        """Sweeps until the costs stay, at fixed multipliers."""
        forward, backward = self.programs
        typical = jnp.ones(self.linear.shape[3])
        costs, change, curvature = np.full(len(self.linear.people), np.inf), np.inf, np.inf
        for _ in range(sweeps):
            moments, found, size, over = forward(policies, error * typical)
            change = float(np.max(np.abs(np.asarray(found) - costs)) / max(np.max(np.abs(found)), 1e-300))
            costs = np.asarray(found)
            if not np.isfinite(costs).all() or change < SETTLED:
                break
            typical = jnp.sqrt(jnp.maximum(jnp.mean(size, 0), 1e-12)) + 1e-3
            policies, least = backward(policies, moments, error * typical, held)
            curvature = float(least)
        return Solution(policies, costs, curvature, change, np.asarray(held), np.asarray(over))

    def solve(self, policies: Policies) -> Solution:
        """Sweeps until the costs stay, and in each pause a step of dual ascent, in units of what the last one did."""
        count = self.length * len(self.linear.inner) + len(self.linear.outer)
        kinds = [*self.linear.inner] * self.length + [*self.linear.outer]
        equal = np.array([c.equality for c in kinds], bool)
        held = np.zeros(count)
        found = self.swept(policies, jnp.asarray(held), ERRORS[0], SWEEPS)
        slope = np.full(count, np.nan)
        for _ in range(ASCENTS if count else 0):
            over = found.excess
            size = np.max(np.abs(over)) + 1e-300
            unit = np.max(np.abs(found.costs)) / size
            slope = np.where(np.isfinite(slope) & (slope > 0), slope, size / (FIRST * unit))
            new = held + np.clip(PACE * over / slope, -unit, unit)
            new = np.where(equal, new, np.maximum(new, 0.0))
            if np.max(np.abs(np.where(equal, over, np.where(held > 0, np.abs(over), np.maximum(over, 0.0))))) < MET * self.scale(found):
                break
            after = self.swept(found.policies, jnp.asarray(new), ERRORS[0], SWEEPS)
            if not np.isfinite(after.costs).all():
                break
            moved = np.abs(new - held) > 1e-9 * unit
            measured = np.where(moved, (over - after.excess) / np.where(moved, new - held, 1.0), slope)
            slope = np.where(moved, np.clip(measured, slope / 10, slope * 10), slope)
            held, found = new, after
        end = self.swept(found.policies, jnp.asarray(held), ERRORS[1], SWEEPS)
        _, costs, _, over = self.programs[0](end.policies, jnp.zeros(self.linear.shape[3]))
        return replace(end, costs=np.asarray(costs), excess=np.asarray(over))

    def scale(self, found: Solution) -> float:
        """In what units an excess is measured: nats, or the units of the text."""
        return max(1.0, float(np.max(np.abs(found.excess), initial=0.0)))

    def multipliers(self, found: Solution) -> dict[str, Multiplier]:
        """By name, (stages,) of a constraint that holds in each of them."""
        each = len(self.linear.inner)
        inner = found.held[:self.length * each].reshape(self.length, each)
        out = {c.multiplier: Multiplier(jnp.asarray(inner[:, i])) for i, c in enumerate(self.linear.inner)}
        outer = zip(self.linear.outer, found.held[self.length * each:], strict=True)
        return out | {c.multiplier: Multiplier(jnp.asarray(x)) for c, x in outer}

    # ------------------------------------------------------------ from and to policies

    @cached_property
    def inputs(self) -> dict[str, int]:
        """1 + what is seen, by group."""
        shapes = jax.eval_shape(self.linear.matrices, jnp.asarray(1.0))
        return {group: z.shape[0] for (group, _, _, _), z in zip(self.slots, shapes.seen, strict=True)}

    def random(self, key: Array, size: float) -> Policies:
        out = {}
        for i, (group, d) in enumerate(self.inputs.items()):
            width = next(w for g, _, w, _ in self.slots if g == group)
            out[group] = size * jax.random.normal(jax.random.fold_in(key, i), (self.length, width, d))
        return out

    def combinations(self) -> Mapping[str, np.ndarray]:
        """Of each group the combination of finite inputs in every stage."""
        found = numbers_of_stages(self.problem, self.linear, self.length)
        return {group: x for (group, _, _, _), x in zip(reversed(self.slots), reversed(found), strict=True)}


def regular(gram: Array) -> Array:
    """Moments of what is seen with what does not vary held apart."""
    size = jnp.diagonal(gram)
    largest = jnp.max(size)
    return gram + jnp.diag(jnp.where(size > FLAT * largest, FLAT * size, largest))


def descended(residual: object, x: Array, factor: tuple) -> Array:
    """A step along the preconditioned slope to where it vanishes along the line; exact where the cost is quadratic in one act."""
    f, moved = jax.jvp(residual, (x,), (residual(x),))  # type: ignore[operator, arg-type]
    inner = lambda a, b: jnp.sum(a * times(factor, b))  # noqa: E731
    size, curvature = inner(f, f), inner(f, moved)
    step = jnp.where(jnp.abs(curvature) > 1e-300, size / jnp.where(jnp.abs(curvature) > 1e-300, jnp.abs(curvature), 1.0), 0.0)
    return x - jnp.where(jnp.isfinite(step), step, 0.0) * f


def times(factor: tuple, x: Array) -> Array:
    """x G for the factor of G."""
    c, lower = factor
    c = jnp.tril(c) if lower else jnp.triu(c)
    return (x @ c) @ c.T if lower else (x @ c.T) @ c



