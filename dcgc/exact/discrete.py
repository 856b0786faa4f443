"""Exact solutions of finite games: which way of solving applies, how many equilibria there are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..information.facts import Facts
from ..learning.backward_engine import BackwardEngine
from ..learning.settings import Settings
from ..lower.problem import Problem
from .finite import SURE, FiniteGame, minimax, pure, supports, zero_sum
from .reading import payer
from .solution import Assumption, Exact
from .stationary import Unsolved

BACKWARD = "backward induction in games of perfect information (Zermelo 1913; Kuhn 1953; Selten 1965: subgame perfect)"
MINIMAX = "minimax theorem (von Neumann 1928); plans and behaviour are worth the same with perfect recall (Kuhn 1953)"
SUPPORTS = "Nash 1951; an equilibrium makes everybody indifferent on its support (Dickhaut and Kaplan 1993)"
PLANS = "costs are linear in what each decision does in each situation: a plan without chance is best (Kuhn 1953; Radner 1962)"
PURE = "Nash equilibrium in plans: nobody gains by any other plan"


def solve_finite(problem: Problem, facts: Facts) -> Exact:
    """Raises Unsolved."""
    game = FiniteGame(problem)
    points = int(np.prod(list(game.grid.sizes.values()) or [1]))
    finite = Assumption("finitely many draws, acts and things to know", f"grid of {points} points")
    if not problem.is_team and is_perfect(problem, facts):
        found = backward(problem, game, finite)
        if found is not None:
            return found
    costs = game.costs
    labels = [payer(problem, x) for x in game.people]
    if problem.is_team:
        at = tuple(int(k) for k in np.unravel_index(int(np.argmin(costs[0])), costs.shape[1:]))
        ties = int((costs[0] <= costs[0].min() + 1e-12 * (1 + np.abs(costs[0]).max())).sum())
        plans = f"{ties} of {costs[0].size} profiles of plans cost{'s' * (ties == 1)} least"
        return Exact(game.profile(laws(game, at)), "finite team: all profiles of plans looked at", PLANS, (finite,), count=plans,
                     costs={x: float(c[at]) for x, c in zip(labels, costs, strict=True)})
    stable = pure(costs)
    if not game.mixing:
        if not len(stable):
            raise Unsolved("nobody may mix, and there is no equilibrium in plans without chance (all were looked at)")
        order = sorted(map(tuple, stable), key=lambda at: float(costs[(slice(None), *at)].sum()))
        return Exact(game.profile(laws(game, order[0])), "finite game: all profiles of plans looked at", PURE, (finite,),
                     count=f"{len(stable)} equilibri{'um' if len(stable) == 1 else 'a'} in plans, and there are no others; shown is that "
                     "of least total cost", costs=paid(labels, costs, order[0]),
                     others=tuple((game.profile(laws(game, at)), paid(labels, costs, at)) for at in order[1:9]))
    if len(game.people) != 2:
        raise Unsolved(f"{len(game.people)} players who may mix: enumeration is for two")
    if not all(d.mixed for d in problem.game.decisions):
        raise Unsolved("some decisions may mix and others may not")
    if facts.forgotten:
        raise Unsolved(f"{next(iter(facts.forgotten))} forgets, so that plans and behaviour are not the same")
    recall = Assumption("perfect recall", "each player's decisions know what its earlier ones knew and did")
    if zero_sum(costs):
        x, y, value = minimax(costs[0])
        rules = [game.behaviour(p, w) for p, w in zip(game.people, (x, y), strict=True)]
        slack = max(float((costs[0].T @ x).max() - value), float(value - (costs[0] @ y).min())) / (np.abs(costs).max() + 1e-300)
        if slack > SURE:
            raise Unsolved("the linear program was not solved well enough")
        return Exact(game.profile(rules), f"zero-sum game of {costs.shape[1]} x {costs.shape[2]} plans, by linear programs", MINIMAX, (
            finite, recall, Assumption("zero-sum", "costs of all profiles of plans add up to 0"),
            Assumption("a saddle point", f"no plan gains more than {max(slack, 0):.1g} of what is at stake")),
            count="the value is unique; there may be other optimal rules", costs=dict(zip(labels, (value, -value), strict=True)))
    found_pairs, regular = supports(costs[0], costs[1])
    if not found_pairs:
        raise Unsolved("no equilibrium on supports of one size: the game is degenerate")
    rows = sorted(found_pairs, key=lambda pair: float(pair[0] @ (costs[0] + costs[1]) @ pair[1]))
    solved = [(game.profile([game.behaviour(p, w) for p, w in zip(game.people, pair, strict=True)]),
               dict(zip(labels, (float(pair[0] @ c @ pair[1]) for c in costs), strict=True))) for pair in rows[:9]]
    complete = "all there are (no ties: a nondegenerate game)" if regular else "there may be more (ties between plans)"
    return Exact(solved[0][0], f"game of {costs.shape[1]} x {costs.shape[2]} plans, all pairs of supports of one size", SUPPORTS,
                 (finite, recall), count=f"{len(rows)} equilibri{'um' if len(rows) == 1 else 'a'}, {complete}",
                 costs=solved[0][1], others=tuple(solved[1:]))


def laws(game: FiniteGame, at: tuple[int, ...]) -> list[Any]:
    """What a profile of plans does in each situation, also in those that it never reaches."""
    return [{d: np.asarray(t.data).reshape(-1, t.data.shape[-1]) for d, t in game.plan(p, np.int64(k)).items()}  # type: ignore[arg-type]
            for p, k in zip(game.people, at, strict=True)]


def paid(labels: list[str], costs: np.ndarray, at: tuple[int, ...]) -> dict[str, float]:
    return {x: float(c[at]) for x, c in zip(labels, costs, strict=True)}


def is_perfect(problem: Problem, facts: Facts) -> bool:
    """Perfect information: nature draws nothing, and each decision knows all that was known and done."""
    if len(problem.game.decisions) < 2 or facts.information.nested != "strictly classical" or facts.information.static:
        return False
    return not problem.game.randoms


def backward(problem: Problem, game: FiniteGame, finite: Assumption) -> Exact | None:
    """Every move solved in every situation, the last first; None where the engine has no way into the game."""
    engine = BackwardEngine()
    if engine.refuses(problem) is not None:
        return None
    state = engine.start(problem, Settings())
    while not state["done"]:
        state = engine.advance(problem, Settings(), state, lambda progress: None)
    found = engine.harvest(problem, Settings(), state)
    if not found:
        return None
    return Exact(dict(found[0].profile), f"backward induction over {len(problem.game.decisions)} decisions", BACKWARD, (
        finite, Assumption("perfect information", "each decision knows all that was known and done before it; nature draws nothing")),
        count="one subgame perfect equilibrium (the only one unless somebody is indifferent)")
