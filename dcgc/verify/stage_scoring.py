"""The scorecard of a game whose stages are elaborated once: independent plays by one scan over stages, every finite decision drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import equinox as eqx
import jax
import numpy as np

from ..core import expression as core
from ..lower.problem import Person, Problem
from ..lower.stages import Account, Played, Stages, discount_of, horizon
from ..lower.world import Rule
from ..primitives.relaxations import Relaxation
from .curves import curve
from .dynamic_programming import by_dynamic_programming, judged_regrets
from .expectations import Reader
from .figures import Curve, Figure, Scorecard
from .stage_equations import stage_equation_alarms
from .stage_regrets import stage_regrets, with_bounds
from .unreached_states import with_other_starts

EXACT = "dynamic programming over all states"
BATCHES = 8
PLAYED = 4_000_000  # player-stages of a batch, about
MOST = 1 << 14
LEAST = 32
STUDENT = 2.36  # 95% with 7 degrees of freedom


def members(problem: Problem) -> int:
    return max((math.prod(a.size for a in s.axes) for s in problem.game.sites), default=1)


def plays(problem: Problem, many: int = PLAYED) -> int:
    return int(min(MOST, max(LEAST, many // (horizon(problem) * members(problem)))) // 2 * 2)


def rules_of(problem: Problem, profile: Mapping[str, Any]) -> dict[str, Rule]:
    return {d.name: profile[d.name if d.name in profile else problem.leader_of[d.name]] for d in problem.game.decisions}


def account_of(problem: Problem, name: str, member: int | None) -> Account:
    """What the text charges a player, a member or a team; a team's counts each of its payments once."""
    payments = [p for p in problem.game.payments if p.constraint is None]
    if name in problem.teams:
        pooling = {x for x, team in problem.pooled.items() if team == name}
        return Account(tuple(p for p in payments if p.actor.name == name or any(problem.counts(p, x) for x in pooling)), None)
    person = Person(name, member)
    return Account(tuple(p for p in payments if problem.counts(p, person)), person)


@dataclass
class Batch:
    """Plays of one seed. Accounts are those of ``labels`` (name, member)."""

    stages: Stages
    rules: Mapping[str, Rule]
    labels: tuple[tuple[str, int | None], ...]
    played: Played


def batches(problem: Problem, profile: Mapping[str, Any], count: int, samples: int) -> list[Batch]:
    """Independent batches of antithetic plays; nothing of their keys is used in training."""
    stages = Stages(problem, figures=True)
    rules = rules_of(problem, profile)
    labels = tuple([(p.name, p.member) for p in problem.people] + [(t, None) for t in problem.teams])
    accounts = [account_of(problem, *label) for label in labels]
    out = []

    @eqx.filter_jit
    def run(rules: Any, before: jax.Array, key: jax.Array) -> Any:
        return stages.run(rules, before, key, accounts, relaxation=Relaxation("exact"), antithetic=True)

    for seed in range(count):
        one, two = jax.random.split(jax.random.key(50_000_017 + seed))
        before = stages.outside.draw(one, samples, True)
        played = stages.finish(rules, before, accounts, run(rules, before, two), relaxation=Relaxation("exact"))
        out.append(Batch(stages, rules, labels, played))
    return out


@dataclass(frozen=True)
class StageReader(Reader):
    """Reads figures off what the stages leave behind."""

    batch: Batch = field(kw_only=True)

    def account(self, e: core.Account) -> np.ndarray:
        label = (e.name, e.member)
        if label in self.batch.labels:
            cost = np.asarray(self.batch.played.costs[self.batch.labels.index(label)]).mean()
        else:  # a member of a large family: as good as the first
            cost = np.asarray(self.batch.played.costs[next(i for i, x in enumerate(self.batch.labels) if x[0] == e.name)]).mean()
        return np.asarray(-cost if e.kind == "payoff" else cost)


def left(problem: Problem, batch: Batch, i: int) -> float:
    """A bound on what is paid beyond the last stage that is played, of an account: 0 where stages end by themselves."""
    assert problem.game.block is not None
    if math.isfinite(problem.game.block.length):
        return 0.0
    path = np.abs(np.asarray(batch.played.paths[i]))
    d = discount_of(problem)
    return float(path[-max(1, len(path) // 2):].max() * d ** len(path) / (1 - d))


def score_stages(problem: Problem, profile: Mapping[str, Any], thorough: bool) -> Scorecard:
    """See ``scoring.score``."""
    from .scoring import Ground, accounts, add_measure, compare, ruler

    samples = plays(problem) * (4 if thorough else 1)
    made = batches(problem, profile, BATCHES, samples)
    length = horizon(problem)
    method = f"{BATCHES} x {samples} independent plays of {length} stages, 95% interval"
    ground = Ground(lambda: [], method, True, BATCHES)
    rule: Callable[[str, int | None, tuple[float, ...]], Any] = stage_ruler(problem, profile, ruler)
    readers = [StageReader(problem, b.played.after, rule, batch=b) for b in made]
    figures: dict[str, Figure] = {}
    rest = {label: max(left(problem, b, i) for b in made) for i, label in enumerate(made[0].labels)}
    for label, e in accounts(problem):
        f = figure_of(label, [r.account(e) for r in readers], method)
        more = rest.get((e.name, e.member), 0.0)
        figures[label] = Figure(label, f.value, f.error + more, f.method)
    judged = by_dynamic_programming(problem, profile)
    if judged is not None:
        for p in problem.people:
            j = judged.get(p.label)
            for kind, sign in (("cost", 1.0), ("payoff", -1.0)):
                if j is not None:
                    figures[f"{kind}({p.label})"] = Figure(f"{kind}({p.label})", sign * j.cost, j.error, EXACT)
    for m in problem.game.measures:
        add_measure(figures, m.name, [r.number(m.value) for r in readers], ground)
    comparisons = tuple(compare(problem, p, readers, ground) for p in problem.game.published if p.active)
    regrets = None if judged is None else judged_regrets(judged)
    notes: list[str] = []
    if regrets is None:
        regrets, notes = stage_regrets(problem, profile, plays(problem, 400_000), samples, 40)
        regrets = with_other_starts(problem, profile, regrets, plays(problem, 100_000), plays(problem, 400_000), 20) if judged is None \
            else with_bounds(regrets, judged)
    alarms = [*notes, *stage_equation_alarms(made[-1].stages, made[-1].rules, made[-1].played.after)]
    alarms += [f"{c.label} = {float(c.found):.6g} lies beyond the published bound {c.relation} {c.published:.6g}: one of them is wrong"
               for c in comparisons if c.verdict == "violated"]
    alarms += [f"{f.label} is not a finite number" for f in figures.values() if not math.isfinite(f.value)]
    if not math.isfinite(problem.game.block.length):  # type: ignore[union-attr]
        method += f"; stages without end are cut after {length}, and what is left out, at most {max(rest.values()):.2g}, is in the errors"
    curves: list[Curve] = [c for p in problem.game.plots for c in [curve(problem, made[-1].played.after, p)] if c is not None]
    return Scorecard(figures, regrets, comparisons, tuple(curves), tuple(alarms), method)


def figure_of(label: str, values: list[np.ndarray], method: str) -> Figure:
    numbers = np.asarray([float(v) for v in values])
    return Figure(label, float(numbers.mean()), STUDENT * float(numbers.std(ddof=1)) / math.sqrt(len(numbers)), method)


def stage_ruler(problem: Problem, profile: Mapping[str, Any], ruler: Any) -> Callable[[str, int | None, tuple[float, ...]], Any]:
    """``rule(u, ..)``: of a large family the policy of any member."""
    plain = ruler(problem, profile)
    looped = {d.name for d in problem.game.decisions if d.axes}
    return lambda name, member, values: plain(name, None if name in looped else member, values)


def judged_stages(problem: Problem, profile: Mapping[str, Any]) -> tuple[dict[str, float], float, float, bool]:
    """The fields of a ``Judgement``."""
    judged = by_dynamic_programming(problem, profile)
    if judged is not None and judged_regrets(judged) is not None:
        worst = max((max(j.bound, j.unreached) / max(abs(j.cost), j.stake, 1e-12) for j in judged.values()), default=0.0)
        costs = {k: j.cost for k, j in judged.items()}
        first = problem.decider(problem.game.decisions[0]).label if problem.game.decisions else ""
        total = costs.get(first, math.nan) if problem.is_team else sum(costs.values())
        return costs, total, worst if math.isfinite(worst) else math.inf, True
    made = batches(problem, profile, 2, plays(problem, 1_000_000))
    costs, stakes = {}, {}
    for i, (name, member) in enumerate(made[0].labels):
        values = np.concatenate([np.asarray(b.played.costs[i]) for b in made])
        if name not in problem.teams:
            label = Person(name, member).label
            costs[label], stakes[label] = float(values.mean()), max(float(np.sqrt((values**2).mean())), 1e-12)
    rows, _ = stage_regrets(problem, profile, plays(problem, 200_000), plays(problem, 400_000), 15)
    worst = max((r.ex_ante / stakes.get(r.player, 1.0) for r in rows), default=0.0)
    first = problem.decider(problem.game.decisions[0]).label if problem.game.decisions else ""
    total = costs.get(first, math.nan) if problem.is_team else sum(costs.values())
    return costs, total, worst if math.isfinite(worst) else math.inf, False
