"""Between what acts of an unbounded decision are placed, where nobody says: acts that answer something.

In a few dozen plays, drawn at random, every unbounded decision is at first 0 (or the bound nearest to it) and answers twice, each time as
if it knew the play and what all others did in it: once what they did at first, once those answers. The range holds all of these acts, and
a tenth of its width more on an open side. A decision that has no best answer of its own (a trader who takes a price as given) gets the
range of the real values that it sees. This is a guess and no bound: it is said which range was taken, and ``--range`` sets another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..core.naming import of_stage, written
from ..core.site import Decision, Random
from ..lower.problem import Problem
from ..source import Diagnostic, GameError
from .histories import Histories
from .moves import Ranges, moves, of_decision, of_draw, seen

PLAYS = 32
ROUNDS = 2
CANDIDATES = 41
REACH = 5.0  # candidates are spread as sinh on [-REACH, REACH], about 75 times the scale of what is drawn
MARGIN = 0.1

Acts = dict[str, np.ndarray]


@dataclass(frozen=True)
class Found:
    ranges: Mapping[str, tuple[float, float]]
    notes: tuple[str, ...]


def found_ranges(problem: Problem, points: int, given: Ranges) -> Found:
    """A range for every unbounded decision for which none is given, by its name in the text. Raises GameError (F004)."""
    wanted = [d for d in problem.game.decisions if open_ended(d)
              and not any(name in given for name in ("", d.name, of_stage(d.name), written(d.name)))]
    if not wanted:
        return Found({}, ())
    search = Search(problem, points, {**{written(d.name): (0.0, 0.0) for d in wanted}, **given})
    acts: Acts = {}
    tried: dict[str, list[np.ndarray]] = {}
    for _ in range(ROUNDS):
        play = search.play(acts)
        answers = {d.name: search.answer(d, play) for d in wanted}
        for d in wanted:
            tried.setdefault(written(d.name), []).append(play.values[d.name].reshape(-1))
            acts[d.name] = play.values[d.name] if answers[d.name] is None else answers[d.name]  # type: ignore[assignment]
            tried[written(d.name)].append(acts[d.name].reshape(-1))
    ranges: dict[str, tuple[float, float]] = {}
    notes = []
    for name, parts in tried.items():
        own = [d for d in wanted if written(d.name) == name]
        low, high = float(min(p.min() for p in parts)), float(max(p.max() for p in parts))
        how = "acts that answer what others may do"
        if high - low <= 1e-9 * max(1.0, abs(high)):
            values = [search.play(acts).value(search.play(acts).world(), e).reshape(-1) for d in own for e in seen(d)]
            low, high = (float(min(v.min() for v in values)), float(max(v.max() for v in values))) if values else (0.0, 0.0)
            how = "the values that it sees"
        if high - low <= 1e-9 * max(1.0, abs(high)):
            raise GameError((Diagnostic("F004", f"no range was found for the acts of `{name}`, which is unbounded", own[0].span,
                                        f"say it: --range {name}=-3,3, or bound it in the text: Interval(a, b)"),))
        margin = MARGIN * (high - low)
        open_low, open_high = all(d.low is None for d in own), all(d.high is None for d in own)
        low = rounded(low - margin, math.floor) if open_low else -math.inf
        high = rounded(high + margin, math.ceil) if open_high else math.inf
        ranges[name] = (low, high)
        ends = f"from {low:g} to {high:g}" if open_low and open_high else f"up to {high:g}" if open_high else f"from {low:g}"
        notes.append(f"{name}: {points} equally spaced acts {ends} ({how}; --range sets others)")
    return Found(ranges, tuple(notes))


def open_ended(d: Decision) -> bool:
    return d.kind == "real" and (d.low is None or d.high is None)


def rounded(x: float, way: object) -> float:
    """Two digits, outwards."""
    if x == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(x))) - 1)
    return float(f"{way(x / unit) * unit:.12g}")  # type: ignore[operator]


@dataclass
class Search:
    """``ranges``: all unbounded decisions have one, so that a play can be made."""

    problem: Problem
    points: int
    ranges: Ranges

    def play(self, acts: Acts) -> Histories:
        """Some plays, drawn at random: every decision but those of ``acts`` is any of its acts (an unbounded one 0)."""
        chance = np.random.default_rng(0)
        histories = Histories(self.problem, PLAYS)
        for site in moves(self.problem.game):
            world = histories.world()
            made = histories.holds(world, site.guards)
            at = chance.random(PLAYS)
            branches = of_draw(site, self.points, histories, world) if isinstance(site, Random) else \
                of_decision(site, self.points, self.ranges, histories, world)
            values = branches.values
            if site.name in acts:
                taken = acts[site.name]
            elif branches.weights is not None:
                option = np.minimum((at[:, None] > np.cumsum(branches.weights, 1)).sum(1), values.shape[1] - 1)
                taken = values[np.arange(PLAYS), option]
            else:
                taken = values[np.arange(PLAYS), (at * values.shape[1]).astype(int)]
            taken = np.where(made.reshape(-1, *(1,) * (taken.ndim - 1)), taken, 0.0)
            histories = histories.grown(np.arange(PLAYS), site.name, taken)
        return histories

    def answer(self, d: Decision, play: Histories) -> np.ndarray | None:
        """(plays, *shape) the act that costs its player least in each play, entry by entry; None if there is none in a wide range."""
        draws = [np.abs(play.values[s.name]).max() for s in moves(self.problem.game) if isinstance(s, Random)]
        scale = max([1.0, *map(float, draws)])
        wide = scale * np.sinh(np.linspace(-REACH, REACH, CANDIDATES))
        best = play.values[d.name].reshape(PLAYS, -1).copy()
        for entry in range(best.shape[1]):
            tried = np.broadcast_to(wide, (PLAYS, CANDIDATES))
            for _ in range(2):
                tried = self.inside(d, play, tried)
                costs = self.costs(d, play, best, entry, tried)
                at = np.argmin(costs, 1)
                if np.any((at == 0) & (tried[:, 0] <= wide[0]) | (at == CANDIDATES - 1) & (tried[:, -1] >= wide[-1])):
                    return None
                left = tried[np.arange(PLAYS), np.maximum(at - 1, 0)]
                right = tried[np.arange(PLAYS), np.minimum(at + 1, CANDIDATES - 1)]
                best[:, entry] = tried[np.arange(PLAYS), at]
                tried = left[:, None] + (right - left)[:, None] * np.linspace(0.0, 1.0, CANDIDATES)
        return best.reshape(play.values[d.name].shape)

    def inside(self, d: Decision, play: Histories, tried: np.ndarray) -> np.ndarray:
        """Candidates brought between the bounds that there are."""
        world = play.world()
        for bound, narrow in ((d.low, np.maximum), (d.high, np.minimum)):
            if bound is not None:
                value = play.value(world, bound)
                tried = narrow(tried, value.reshape(PLAYS, -1)[:, :1])
        return tried

    def costs(self, d: Decision, play: Histories, acts: np.ndarray, entry: int, tried: np.ndarray) -> np.ndarray:
        """(plays, candidates) what d's player pays."""
        rows = np.repeat(np.arange(PLAYS), CANDIDATES)
        own = acts[rows].copy()
        own[:, entry] = tried.reshape(-1)
        many = Histories(self.problem, len(rows), {**{k: v[rows] for k, v in play.values.items()},
                                                   d.name: own.reshape(-1, *play.values[d.name].shape[1:])})
        cost = many.cost(many.world(), self.problem.decider(d)).reshape(PLAYS, CANDIDATES)
        return np.where(np.isfinite(cost), cost, np.inf)
