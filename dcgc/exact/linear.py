"""Exact solutions of linear-quadratic games: which theorem applies, and its assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..information.facts import Facts
from ..lower.problem import Problem
from .moves import Move, solve_moves
from .nested import is_static, not_nested, solve_team
from .profile import inside_bounds, profile_of
from .reading import LinearQuadratic, payer
from .solution import Assumption, Exact
from .stationary import FLAT, Stationary, Unsolved

STATIC_TEAM = "Radner 1962, theorem 5: the optimum of a static team with convex quadratic cost and linear conditional means is linear, " \
    "and person-by-person stationarity is sufficient"
NESTED_TEAM = "Ho and Chu 1972, theorem 1: partially nested information is worth a static one; then Radner 1962, theorem 5"
CONTROL = "separation and certainty equivalence (Joseph and Tou 1961): with perfect recall the act is a gain (Riccati) on the estimate " \
    "(Kalman)"
STATIC_GAME = "Basar 1978: equilibria of static linear-quadratic games with linear conditional means solve linear equations"
SADDLE = "a convex-concave quadratic has a saddle point where its derivatives vanish (Basar and Olsder 1999, section 4.6)"
DYNAMIC_GAME = "feedback Nash equilibrium by the coupled Riccati recursion (Basar and Olsder 1999, corollary 6.1)"
DYNAMIC_SADDLE = "feedback saddle point by the Riccati recursion (Ho, Bryson and Baron 1965; Basar and Olsder 1999, theorem 6.7)"


def solve_linear(problem: Problem, facts: Facts, game: LinearQuadratic) -> Exact:
    """The solution of a linear-quadratic game by linear systems alone. Raises Unsolved."""
    team = problem.is_team
    static, broken = is_static(game), not_nested(game)
    remembers = len({problem.decider(d) for d in problem.game.decisions}) == 1 and not facts.forgotten and not static
    if remembers:
        try:
            return by_moves(problem, game)
        except Unsolved:
            pass  # what matters need not be known, only nested
    if static or (team and broken is None):
        return by_one_system(problem, game, static, team)
    return by_moves(problem, game)


def common_assumptions(problem: Problem, game: LinearQuadratic, rules: Mapping[str, np.ndarray]) -> list[Assumption]:
    """Those of all linear-quadratic games. Raises Unsolved where a bound would bind."""
    out = [Assumption("affine observations, quadratic payments", "read as matrices")]
    if game.normal.all():
        out.append(Assumption("normal draws", f"all {len(game.normal)}" if len(game.normal) else "nature draws nothing"))
    else:
        out.append(Assumption("linear conditional means", "of draws that are not normal each decision knows all or nothing"))
    if any(d.low is not None or d.high is not None for d in problem.game.decisions):
        if not is_static(game):
            raise Unsolved("decisions have bounds, which replies to errors may meet")
        inside_bounds(problem, game, rules)
        out.append(Assumption("no bound of a decision binds", "largest and smallest acts over all draws"))
    return out


def by_one_system(problem: Problem, game: LinearQuadratic, static: bool, team: bool) -> Exact:
    rules, found = solve_team(game)
    assumptions = common_assumptions(problem, game, rules)
    assumptions.append(Assumption("static information" if static else "partially nested information",
                                  "no act stands in what anybody sees" if static else
                                  "for each pair, what the earlier knew lies in the span of what the later sees"))
    zero = opposed(game)
    assumptions.append(convex(game, found, team))
    if len(game.people) > 1 and zero:
        assumptions.append(Assumption("zero-sum payments", "the players' matrices add up to a constant"))
    assumptions.append(unique([found.size], [found.residual]))
    theorem = (STATIC_TEAM if static else NESTED_TEAM) if team else SADDLE if zero else STATIC_GAME
    kind = "static" if static else "partially nested"
    gaussian = "-Gaussian" if game.normal.all() and len(game.normal) else ""
    what = f"{kind} linear-quadratic{gaussian} team" if team else "linear-quadratic zero-sum game" if zero else \
        "linear-quadratic game of static information"
    strict = found.curvature > FLAT
    return Exact(profile_of(problem, rules), f"{what}: gains by one linear system of {found.size} equations", theorem, tuple(assumptions),
                 count=("the optimum, which is unique" if team else "one equilibrium, and no other that is inside all bounds"
                        if not strict or bounded(problem) else "one equilibrium, and there is no other with linear rules"),
                 costs=costs_of(problem, game, rules))


def bounded(problem: Problem) -> bool:
    return any(d.low is not None or d.high is not None for d in problem.game.decisions)


def by_moves(problem: Problem, game: LinearQuadratic) -> Exact:
    rules, moves = solve_moves(game)
    assumptions = common_assumptions(problem, game, rules)
    assumptions += of_moves(moves, problem.is_team, opposed(game))
    what = title(moves, problem.is_team, opposed(game))
    return Exact(profile_of(problem, rules), f"{what}: {len(moves)} linear systems, the last move first",
                 theorem_of(moves, problem.is_team, opposed(game)), tuple(assumptions),
                 count="the optimum, which is unique" if problem.is_team else
                 "one equilibrium in rules that reply to every past (other Nash equilibria, in threats, are not looked for)",
                 costs=costs_of(problem, game, rules))


def title(moves: Sequence[Move], team: bool, zero: bool) -> str:
    if team:
        return "linear-quadratic-Gaussian control, Riccati's and Kalman's recursions" if any(m.how == "common past" for m in moves) \
            else "linear-quadratic control of a known state, Riccati's recursion"
    return "linear-quadratic zero-sum game, Riccati's recursion" if zero else "linear-quadratic game, coupled Riccati recursion"


def theorem_of(moves: Sequence[Move], team: bool, zero: bool) -> str:
    return CONTROL if team else DYNAMIC_SADDLE if zero else DYNAMIC_GAME


def of_moves(moves: Sequence[Move], team: bool, zero: bool) -> list[Assumption]:
    """The assumptions of moves that are solved one after the other."""
    past = sum(m.how == "common past" for m in moves)
    known = len(moves) - past
    how = [f"{known} of known state: what matters is in the span of what is seen there, or drawn later"] if known else []
    how += [f"{past} in which all that was known and done earlier and matters is known"] if past else []
    least = min(m.curvature for m in moves)
    out = [Assumption(f"each of {len(moves)} moves can be solved whatever was done before" if len(moves) > 1 else
                      "the move can be solved by itself", "; ".join(how))]
    if zero and not team:
        out.append(Assumption("zero-sum payments", "the players' matrices add up to a constant"))
        out.append(Assumption("existence of the saddle point in every stage", "each side's second derivative has its sign, later moves "
                              f"in place; the least over the largest is {least:.3g}"))
    else:
        out.append(Assumption("convex costs, later moves in place", "eigenvalues of each player's own second derivatives in each move, the "
                              f"least over the largest {least:.3g}"))
    out.append(unique([m.size for m in moves], [m.residual for m in moves]))
    return out


def convex(game: LinearQuadratic, found: Stationary, team: bool) -> Assumption:
    """That costs are convex. Raises Unsolved where a team's is not strictly so."""
    if team:
        places = game.places
        own = 2 * game.costs[0][np.ix_(places, places)]
        try:
            factor = np.linalg.cholesky((own + own.T) / 2)
        except np.linalg.LinAlgError:
            raise Unsolved("the team's cost is not strictly convex in what is decided") from None
        return Assumption("strictly convex cost",
                          f"Cholesky factor of the second derivatives, least diagonal entry {np.diag(factor).min():.3g}")
    return Assumption("each player's cost convex in its own acts", f"least eigenvalue over the largest {found.curvature:.3g}")


def unique(sizes: Sequence[int], residuals: Sequence[float]) -> Assumption:
    return Assumption("a unique solution of the first-order conditions",
                      f"regular matri{'x' if len(sizes) == 1 else 'ces'}, residual {max(residuals):.1g} of the terms")


def opposed(game: LinearQuadratic) -> bool:
    """Whether two players' payments add up to a constant."""
    if len(game.costs) != 2:
        return False
    total = game.costs[0] + game.costs[1]
    total[0, 0] = 0.0
    return bool(np.abs(total).max() <= 1e-12 * (np.abs(game.costs).max() + 1e-300))


def costs_of(problem: Problem, game: LinearQuadratic, rules: Mapping[str, np.ndarray]) -> dict[str, float]:
    """What everybody who decides pays, by second moments."""
    base, count = 1 + len(game.normal), len(game.places)
    plan = np.concatenate([rules[a.name] @ a.known for a in game.acts])
    played = np.concatenate([np.eye(base), np.linalg.solve(np.eye(count) - plan[:, base:], plan[:, :base])])
    return {payer(problem, x): float(np.einsum("ij,ik,jk->", q, played, played)) for x, q in zip(game.people, game.costs, strict=True)}
