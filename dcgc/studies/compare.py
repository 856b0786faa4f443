"""Estimators of the gradient by a message, compared by what they cost and what they are worth."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..gradients.estimators import Estimator
from ..gradients.signal import Agreement, agreement, signal
from ..learning.estimated import draws_of
from ..lower.message_sites import Unsuitable
from ..lower.problem import Problem
from ..source import GameError
from .contest import Contest, Rules, Training, able, suited, train
from .sender import exact_gradient

USUAL = ("exact", "pathwise", "mixture", "reinforce", "reinforce_leave_one_out", "gumbel_softmax", "straight_through_gumbel")
ROWS = 128
FLOATS = 20_000_000


@dataclass(frozen=True)
class Worth:
    """Of the senders' gradient at one place of the policies, per play; means over the seeds and their standard errors. ``bias``:
    ||E g - exact|| over ||exact||, ``cosine`` of the mean of ``rows`` batches with the exact gradient; nan where there is none."""

    gsnr: float
    gsnr_error: float
    bias: float = math.nan
    bias_error: float = math.nan
    cosine: float = math.nan
    cosine_error: float = math.nan


@dataclass(frozen=True)
class Outcome:
    """One estimator. ``rate``: its best learning rate; ``tried``: the held-out cost (of all people together) by rate, mean over seeds.
    ``samples`` (points,), ``curves`` (seeds, points, people) at that rate. ``final`` (seeds, people) as played, ``error`` of each;
    ``relaxed``: what it had itself at the end, finite decisions drawn. ``worth``: by place."""

    name: str
    estimator: Estimator
    rate: float
    tried: dict[float, float]
    samples: np.ndarray
    curves: np.ndarray
    final: np.ndarray
    error: np.ndarray
    relaxed: np.ndarray
    worth: dict[str, Worth]
    seconds: float

    def above(self, other: Outcome) -> tuple[float, float]:
        """How much more it cost than another, all people together, and the standard error: seed by seed, since both have the same
        starts and samples. nan for the error with one seed."""
        apart = (self.final - other.final).sum(-1)
        numerical = math.hypot(float(self.error.sum(-1).mean()), float(other.error.sum(-1).mean()))
        if len(apart) < 2:
            return float(apart.mean()), math.nan
        return float(apart.mean()), math.hypot(float(apart.std(ddof=1)) / math.sqrt(len(apart)), numerical)

    def mean(self) -> tuple[np.ndarray, np.ndarray]:
        """Final costs (people,), and the standard error over the seeds with the numerical one."""
        spread = self.final.std(0, ddof=1) / math.sqrt(len(self.final)) if len(self.final) > 1 else np.zeros(self.final.shape[1])
        return self.final.mean(0), np.hypot(spread, self.error.mean(0))


@dataclass(frozen=True)
class Compared:
    """``labels``: whose costs; ``sites``: the message sites in words; ``scored``: how final costs were computed."""

    labels: tuple[str, ...]
    sites: tuple[str, ...]
    rules: Rules
    outcomes: tuple[Outcome, ...]
    scored: str
    exact: str
    notes: tuple[str, ...]

    @property
    def best(self) -> Outcome:
        """The least final cost, all people together; of a team only does it rank anything."""
        return min(self.outcomes, key=lambda o: x if math.isfinite(x := float(o.final.sum(-1).mean())) else math.inf)


def usual(problem: Problem) -> tuple[str, ...]:
    """The estimators that are compared unless others are asked for. Raises Unsuitable."""
    fit = able(Contest(problem, Rules()))
    return tuple(n for n in USUAL if n in fit)


def compare(problem: Problem, names: Sequence[str] = (), rules: Rules | None = None,
            report: Callable[[str, int, int, float], None] = lambda name, step, total, cost: None) -> Compared:
    """Train with every estimator, choose each one's learning rate, score.

    Raises Unsuitable, and GameError for a family that does not fit."""
    rules = rules or Rules()
    contest = Contest(problem, rules)
    if problem.leaders:
        raise Unsuitable("somebody announces a policy (commit), and what is compared follows everybody's own gradient")
    if contest.sites and not problem.is_team and len(rules.rates) > 1:
        raise Unsuitable("this is a game, not a team: no cost tells which learning rate is best; give one rate (--rates 0.003)")
    chosen = {n: suited(contest, n) for n in (names or usual(problem))}
    if not chosen:
        raise Unsuitable("no estimator fits all messages of this game")
    most = max(draws_of([e]) for e in chosen.values())
    if rules.batch % (4 * most):
        raise Unsuitable(f"a batch of {rules.batch} plays cannot be shared out: take a multiple of {4 * most}")
    trainings: dict[str, tuple[Training, int, float]] = {}
    for name, estimator in chosen.items():
        began = time.monotonic()
        t = train(contest, estimator, partial(report, name))
        trainings[name] = (t, best_rate(t), time.monotonic() - began)
    places = dict(places_of(contest, next(iter(trainings.values()))))
    worth, exact = worths(contest, chosen, places)
    _, fixed = eqx.partition(contest.starts, contest.which)
    outcomes = []
    for name, (t, r, seconds) in trainings.items():
        final, error = contest.score(of_rate(contest, t.trained, r), fixed)
        tried = {rate: float(np.mean(np.sum(t.costs[i, :, -1], -1))) for i, rate in enumerate(rules.rates)}
        outcomes.append(Outcome(name, chosen[name], rules.rates[r], tried, t.samples, t.costs[r], final, error, t.costs[r, :, -1],
                                worth[name], seconds))
    sites = tuple(f"{s.name}: {s.form}" for s in contest.sites if s.message)
    return Compared(contest.labels, sites, rules, tuple(outcomes), contest.dense[1], exact, notes_on(contest, chosen, trainings))


def best_rate(t: Training) -> int:
    """The rate of the least held-out cost, mean over the seeds; one that ended in no number is never best."""
    last = np.mean(np.sum(t.costs[:, :, -1], -1), axis=1)
    if not np.isfinite(last).any():
        return 0
    return int(np.argmin(np.where(np.isfinite(last), last, np.inf)))


def of_rate(contest: Contest, trained: Any, r: int) -> Any:
    n = contest.rules.seeds
    return jax.tree.map(lambda x: x[r * n:(r + 1) * n], trained)


def places_of(contest: Contest, first: tuple[Training, int, float]) -> list[tuple[str, Any]]:
    """Where gradients are judged, the same places for all estimators: the starts, and where the first one was at half time."""
    trained, _ = eqx.partition(contest.starts, contest.which)
    return [("start", trained), ("in training", of_rate(contest, first[0].half, first[1]))]


def worths(contest: Contest, chosen: dict[str, Estimator], places: dict[str, Any]) -> tuple[dict[str, dict[str, Worth]], str]:
    """By estimator and place; and how the exact gradient was made."""
    _, fixed = eqx.partition(contest.starts, contest.which)
    senders = tuple(contest.encoders)
    exact: dict[str, Any] = {}
    said: dict[str, None] = {}
    run_exact = eqx.filter_jit(lambda t, f, grid: jax.vmap(lambda a, b: contest.exact_gradient(a, b, grid, senders))(t, f))
    for place, trained in places.items():
        exact[place], how = exact_gradient(contest.problem, partial(run_exact, trained, fixed))
        said[how] = None
    out: dict[str, dict[str, Worth]] = {}
    for name, estimator in chosen.items():
        stack = rows_function(contest, estimator)
        out[name] = {place: worth_at(contest, stack(trained, fixed, contest.keys), exact[place]) for place, trained in places.items()}
    return out, "; ".join(said)


def rows_function(contest: Contest, estimator: Estimator) -> Callable[..., Any]:
    """Senders' gradients (seeds, rows, ...) of independent batches."""
    parameters = sum(x.size for x in jax.tree.leaves(eqx.filter(contest.starts, contest.which))) // contest.rules.seeds
    rows = max(8, min(ROWS, FLOATS // (parameters * contest.rules.seeds)))
    senders = tuple(contest.encoders)

    def of_seed(trained: Any, fixed: Any, key: Array) -> Any:
        keys = jax.vmap(lambda i: jax.random.fold_in(jax.random.fold_in(key, 1_000_003), i))(jnp.arange(rows))
        return jax.lax.map(lambda k: contest.gradient(estimator, trained, fixed, k, jnp.asarray(1.0), senders), keys)

    return eqx.filter_jit(lambda t, f, k: jax.vmap(of_seed)(t, f, k))


@jax.jit
def ratios_of(stack: Any) -> Array:
    """(seeds,): the GSNR of the rows as they are."""
    return jax.vmap(lambda rows: signal(rows).ratio)(stack)


@jax.jit
def agreements_of(stack: Any, exact: Any) -> Agreement:
    return jax.vmap(agreement)(stack, exact)


def worth_at(contest: Contest, stack: Any, exact: Any | None) -> Worth:
    """Means over the seeds of the rows' (seeds, rows, ...) signal, and of their agreement with the exact gradients (seeds, ...)."""
    ratios = np.asarray(ratios_of(stack)) / contest.rules.batch
    gsnr = mean_and_error(ratios)
    if exact is None:
        return Worth(*gsnr)
    found = agreements_of(stack, exact)
    norms = np.sqrt(sum(np.sum(np.square(np.asarray(x)).reshape(len(ratios), -1), -1) for x in jax.tree.leaves(exact)))
    bias = np.sqrt(np.maximum(np.asarray(found.squared_bias), 0.0)) / norms
    chance = np.sqrt(np.asarray(found.squared_bias_error)) / norms
    cosine = mean_and_error(np.asarray(found.cosine))
    return Worth(*gsnr, float(np.mean(bias)), float(np.mean(chance)), cosine[0], max(cosine[1], float(np.mean(found.cosine_error))))


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0


def notes_on(contest: Contest, chosen: dict[str, Estimator], trainings: dict[str, tuple[Training, int, float]]) -> tuple[str, ...]:
    """What a reader must know to trust the comparison."""
    rules = contest.rules
    notes = [f"every estimator has the same starts, samples and {rules.batch} plays a step (one that draws k times per situation has "
             "k times fewer situations); listeners' own gradients are exact"]
    if len(rules.rates) > 1:
        listed = ", ".join(f"{r:g}" for r in rules.rates)
        notes.append(f"each estimator was trained at the learning rates {listed} and is shown at its own best by held-out cost")
        edges = [n for n, (_, r, _) in trainings.items() if r in (0, len(rules.rates) - 1)]
        if edges:
            notes.append(f"the best rate of {', '.join(edges)} is at an end of what was tried: another might be better still")
    if not contest.problem.is_team:
        notes.append("this is a game: costs are no objective to be ranked by, `dcgc train` has the regrets")
    relaxed = [n for n, e in chosen.items() if not e.hard]
    if relaxed:
        notes.append(f"{', '.join(relaxed)}: trained on relaxed words, scored on whole ones")
    if rules.seeds < 5:
        notes.append(f"{rules.seeds} seeds: standard errors from so few are rough, and a difference of two of them says little")
    failed = [n for n, (t, r, _) in trainings.items() if not np.isfinite(t.costs[r, :, -1]).all()]
    if failed:
        notes.append(f"{', '.join(failed)}: some training ended in a cost that is no number")
    return tuple(notes)


def compared_data(c: Compared) -> dict[str, Any]:
    """For other programs."""
    def one(o: Outcome) -> dict[str, Any]:
        mean, error = o.mean()
        return {"unbiased": o.estimator.unbiased, "hard": o.estimator.hard, "draws": o.estimator.draws, "learning_rate": o.rate,
                "tried": {f"{k:g}": v for k, v in o.tried.items()}, "samples": o.samples.tolist(), "curves": o.curves.tolist(),
                "final": dict(zip(c.labels, mean.tolist(), strict=True)), "final_error": dict(zip(c.labels, error.tolist(), strict=True)),
                "above_the_best": dict(zip(("mean", "error"), o.above(c.best), strict=True)),
                "final_by_seed": o.final.tolist(), "numerical_error_by_seed": o.error.tolist(), "as_trained": o.relaxed.tolist(),
                "gradients": {place: vars(w) for place, w in o.worth.items()}, "seconds": o.seconds}

    return {"costs_of": list(c.labels), "sites": list(c.sites), "seeds": c.rules.seeds, "batch": c.rules.batch, "steps": c.rules.steps,
            "scored_by": c.scored, "exact_gradient": c.exact, "notes": list(c.notes),
            "estimators": {o.name: one(o) for o in c.outcomes}}


__all__ = ["Compared", "GameError", "Outcome", "Rules", "Unsuitable", "Worth", "compare", "compared_data", "usual"]
