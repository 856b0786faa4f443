"""The scorecard of a game whose stages are elaborated once: independent plays by one scan over stages, every finite decision drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import equinox as eqx
import jax
import numpy as np

from ..core import expression as core
from ..lower.problem import Person, Problem
from ..lower.stages import Account, Played, Stages, discount_of, horizon
from ..lower.strategy import real_inputs
from ..lower.world import Rule
from ..primitives.relaxations import Relaxation
from .curves import curve
from .dynamic_programming import Judged, by_dynamic_programming, judged_regrets
from .expectations import Reader
from .figures import Curve, Figure, Scorecard
from .stage_equations import stage_equation_alarms
from .stage_ledger import constraint_figures, excesses_in, figure_of, inside, stage_ledgers, told_by
from .stage_regrets import stage_regrets, with_bounds
from .unreached_states import with_other_starts

EXACT = "dynamic programming over all states"
BATCHES = 8
PLAYED = 4_000_000  # player-stages of a batch, about
MOST = 1 << 14
LEAST = 32
JUDGED = 250_000  # the same for a quick judgement
LEAST_STAKE = 1e-12  # cost units
REMEMBERED = 16  # numbers that are known count as much as a member

Label = tuple[str, int | None]  # of an account: a name, and of a family's member its number, from 0


def plays(problem: Problem, many: int = PLAYED) -> int:
    """How many plays (even, for antithetic pairs) make about ``many`` stages of members, at least ``LEAST`` and at most ``MOST``:
    fewer where much is remembered."""
    size = max(problem.members, sum(real_inputs(d) for d in problem.game.decisions if not d.axes) // REMEMBERED)
    return int(min(MOST, max(LEAST, many // (horizon(problem) * size))) // 2 * 2)


def account_of(problem: Problem, name: str, member: int | None) -> Account:
    """What the text charges a player, a member or a team; a team's counts each of its payments once."""
    payments = [p for p in problem.game.payments if p.constraint is None]
    if name in problem.teams:
        pooling = {x for x, team in problem.pooled.items() if team == name}
        return Account(tuple(p for p in payments if p.actor.name == name or any(problem.counts(p, x) for x in pooling)), None)
    person = Person(name, member)
    return Account(tuple(p for p in payments if problem.counts(p, person)), person)


def labels_of(problem: Problem) -> tuple[Label, ...]:
    """All accounts: of players (of a large family the first member) and of teams."""
    return tuple([(p.name, p.member) for p in problem.people] + [(t, None) for t in problem.teams])


@dataclass
class Batch:
    """Plays of one seed. Accounts are those of ``labels`` (name, member), then what each channel of the stages told in nats and what each
    constraint there exceeded (``told``, ``excess``: (stages,), by name)."""

    stages: Stages
    rules: Mapping[str, Rule]
    labels: tuple[Label, ...]
    played: Played

    def path(self, i: int) -> np.ndarray:
        return np.asarray(self.played.paths[len(self.labels) + i])

    @property
    def told(self) -> dict[str, np.ndarray]:
        return {c.name: self.path(i) for i, c in enumerate(inside(self.stages.problem))}

    @property
    def excess(self) -> dict[str, np.ndarray]:
        problem = self.stages.problem
        start = len(inside(problem))
        return {c.name: self.path(start + i) for i, c in enumerate(c for c in problem.game.constraints if c.repeated)}


def minimised_by(problem: Problem, person: Person) -> Account:
    """What a player minimises: with ``--team`` more than it is charged by the text."""
    return Account(tuple(p for p in problem.pays(person) if p.constraint is None), person)


def batches(problem: Problem, profile: Mapping[str, Any], count: int, samples: int, minimised: bool = False) -> list[Batch]:
    """Independent batches of antithetic plays; nothing of their keys is used in training. ``minimised``: of players what they minimise,
    and no teams; else what the text charges players and teams."""
    stages = Stages(problem, figures=True)
    rules = problem.rules_of(profile)
    labels = tuple((p.name, p.member) for p in problem.people) if minimised else labels_of(problem)
    accounts = [minimised_by(problem, Person(*x)) if minimised else account_of(problem, *x) for x in labels]
    accounts += [Account((told_by(c),)) for c in inside(problem)] + excesses_in(problem)
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
    """Reads figures off what the stages leave behind. ``known``: costs of accounts that need no plays; ``missing``: by how much the
    costs of accounts are to be changed, for a second reading that shows what their errors do to a figure (cost units)."""

    batch: Batch = field(kw_only=True)
    known: Mapping[Label, float] = field(kw_only=True)
    missing: Mapping[Label, float] = field(kw_only=True, default_factory=dict)

    def resolved(self, e: core.Expression) -> core.Expression:
        told = self.batch.told
        if isinstance(e, core.Information) and e.channel in told:  # of one use on average
            return core.Constant(float(told[e.channel].mean()))
        return super().resolved(e)

    def account(self, e: core.Account) -> np.ndarray:
        labels = self.batch.labels
        label = (e.name, e.member)
        if label not in labels:  # a member of a large family: as good as the first
            label = next(x for x in labels if x[0] == e.name)
        cost = self.known[label] if label in self.known else np.asarray(self.batch.played.costs[labels.index(label)]).mean()
        cost += self.missing.get(label, 0.0)
        return np.asarray(-cost if e.kind == "payoff" else cost)


def known_costs(problem: Problem, judged: Mapping[str, Judged] | None) -> dict[Label, Judged]:
    """What dynamic programming says of accounts: those that charge just what some player minimises."""
    out = {}
    for name, member in labels_of(problem):
        charged = account_of(problem, name, member).payments
        for p in problem.people:
            if judged is not None and p.label in judged and minimised_by(problem, p).payments == charged:
                out[name, member] = judged[p.label]
                break
    return out


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
    rule: Callable[[str, int | None, tuple[Any, ...]], Any] = stage_ruler(problem, profile, ruler)
    judged = by_dynamic_programming(problem, profile)
    exact = known_costs(problem, judged)
    known = {label: j.cost for label, j in exact.items()}
    readers = [StageReader(problem, b.played.after, rule, batch=b, known=known) for b in made]
    rest = {label: max(left(problem, b, i) for b in made) for i, label in enumerate(made[0].labels)}
    missing = {label: exact[label].error if label in exact else more for label, more in rest.items()}
    second = replace(readers[-1], missing=missing)

    def unseen(e: core.Expression) -> np.ndarray:
        """What the errors of costs do to a figure: plays do not show it."""
        return np.abs(second.number(e) - readers[-1].number(e))

    figures: dict[str, Figure] = {}
    for label, e in accounts(problem):
        how = EXACT if (e.name, e.member) in exact else method
        figures[label] = figure_of(label, [r.account(e) for r in readers], how, missing[e.name, e.member])
    for m in problem.game.measures:
        add_measure(figures, m.name, [r.number(m.value) for r in readers], ground, unseen(m.value))
    comparisons = tuple(compare(problem, p, readers, ground, float(unseen(p.quantity))) for p in problem.game.published if p.active)
    regrets = None if judged is None else judged_regrets(judged)
    if regrets is None:
        regrets = stage_regrets(problem, profile, plays(problem, 400_000), samples, 40)
        regrets = with_other_starts(problem, profile, regrets, plays(problem, 100_000), plays(problem, 400_000), 20) if judged is None \
            else with_bounds(regrets, judged)
    alarms = [*stage_equation_alarms(made[-1].stages, made[-1].rules, made[-1].played.after)]
    alarms += [f"{c.label} = {float(c.found):.6g} lies beyond the published bound {c.relation} {c.published:.6g}: one of them is wrong"
               for c in comparisons if c.verdict == "violated"]
    alarms += [f"{f.label} is not a finite number" for f in figures.values() if not math.isfinite(f.value)]
    if not math.isfinite(problem.game.block.length):  # type: ignore[union-attr]
        method += f"; stages without end are cut after {length}, and what is left out, at most {max(rest.values()):.2g}, is in the errors"
    channels = stage_ledgers(problem, profile, made)
    alarms += [f"the budget of {c.name} is exceeded: {c.budget + c.violated:.6g} of {c.budget:g} bits" for c in channels
               if c.violated > max(c.rate.error, 0.01 * c.budget)]
    for k, over in constraint_figures(problem, profile, made, figures):
        alarms.append(f"the constraint {k.label} is violated by {over:.3g}")
    curves: list[Curve] = [c for p in problem.game.plots for c in [curve(problem, made[-1].played.after, p)] if c is not None]
    return Scorecard(figures, regrets, comparisons, tuple(curves), tuple(alarms), method, channels)


def stage_ruler(problem: Problem, profile: Mapping[str, Any], ruler: Any) -> Callable[[str, int | None, tuple[Any, ...]], Any]:
    """``rule(u, ..)``: of a large family the policy of any member."""
    plain = ruler(problem, profile)
    looped = {d.name for d in problem.game.decisions if d.axes}
    return lambda name, member, values: plain(name, None if name in looped else member, values)


def judged_stages(problem: Problem, profile: Mapping[str, Any]) -> tuple[dict[str, float], float, float, bool, float]:
    """The fields of a ``Judgement``."""
    judged = by_dynamic_programming(problem, profile)
    first = problem.decider(problem.game.decisions[0]).label if problem.game.decisions else ""
    if judged is not None and judged_regrets(judged) is not None:
        shares = [max(j.bound, j.unreached) / max(j.scale, LEAST_STAKE) for j in judged.values() if j.decides]
        added = [judged[first]] if problem.is_team and first in judged else list(judged.values())
        return ({k: j.cost for k, j in judged.items()}, sum(j.cost for j in added), max(shares, default=0.0), True,
                sum(j.error for j in added))
    made = batches(problem, profile, BATCHES, plays(problem, JUDGED), minimised=True)
    costs, stakes, by_batch = {}, {}, {}
    for i, x in enumerate(made[0].labels):
        label, values = Person(*x).label, np.stack([np.asarray(b.played.costs[i]) for b in made])
        costs[label], stakes[label], by_batch[label] = float(values.mean()), float(np.sqrt((values**2).mean())), values.mean(1)
    rows = stage_regrets(problem, profile, plays(problem, 200_000), plays(problem, 400_000), 15)
    known = [r for r in rows if not math.isnan(r.ex_ante) or not math.isfinite(costs[r.player])]
    shares = [r.ex_ante / max(stakes[r.player], LEAST_STAKE) for r in known]
    worst = float(np.max(shares, initial=0.0))
    total = sum((by_batch[k] for k in ([first] if problem.is_team and first in costs else costs)), np.zeros(BATCHES))
    return costs, float(total.mean()), worst if math.isfinite(worst) else math.inf, False, figure_of("", list(total), "", 0.0).error


def surely_more(problem: Problem, a: Mapping[str, Any], b: Mapping[str, Any], person: Person) -> bool:
    """Whether a player surely pays more under one profile than under another, on the same draws: by more than 95% of what independent
    batches of plays disagree by."""
    at = problem.people.index(person)
    played = [batches(problem, profile, BATCHES, plays(problem, JUDGED), minimised=True) for profile in (a, b)]
    one, two = (np.asarray([np.asarray(x.played.costs[at]).mean() for x in made]) for made in played)
    more = figure_of("", list(one - two), "", 0.0)
    return more.value > more.error
