"""Which theorem solves a game, if any: the main job of this room."""

from __future__ import annotations

from ..information.facts import Facts, facts
from ..information.quadratic import NotQuadratic
from ..lower.problem import Problem
from .affine import solve_affine
from .discrete import solve_finite
from .linear import solve_linear
from .nested import is_static, not_nested
from .reading import LinearQuadratic, linear_quadratic
from .repeated import solve_repeated
from .solution import Exact, NoTheory
from .stationary import NotConvex, Unsolved


def solve(problem: Problem) -> Exact:
    """The exact solution of a game, or the best affine profile of a team that has no nested information. Raises NoTheory."""
    known = facts(problem.source)
    if not problem.game.decisions:
        raise NoTheory("nobody decides anything")
    if problem.leaders:
        raise NoTheory(f"{problem.leaders[0].label} announces its policy, to which others respond: an optimisation over their replies")
    if problem.game.block is not None:
        try:
            return solve_repeated(problem)
        except Unsolved as why:
            raise NoTheory(said(known, str(why))) from None
    try:
        game = linear_quadratic(problem)
    except NotQuadratic as why:
        return finite(problem, known, f"it is not linear-quadratic ({why})")
    if all(d.finite for d in problem.game.decisions):
        return finite(problem, known, "its decisions are finite")
    try:
        return solve_linear(problem, known, game)
    except NotConvex as why:
        raise NoTheory(str(why)) from None
    except Unsolved as why:
        reason = str(why)
    if is_static(game) or not_nested(game) is None and problem.is_team:
        raise NoTheory(said(known, reason, False))
    try:
        return solve_affine(problem, game)
    except Unsolved as why:
        raise NoTheory(said(known, f"{reason}; {why}")) from None


def finite(problem: Problem, known: Facts, reason: str) -> Exact:
    """A finite game, if it is one."""
    try:
        return solve_finite(problem, known)
    except Unsolved as why:
        raise NoTheory(said(known, f"{reason}, and as a finite game it is not solved: {why}", False)) from None


def said(known: Facts, reason: str, nested: bool = True) -> str:
    """A sentence, with the witness where information is not nested."""
    witness = known.information.witness if nested and not known.information.partially_nested else None
    return reason + (f" (not nested: {witness.sentence(known.seen)})" if witness is not None else "")


def baseline(problem: Problem) -> float | None:
    """What the best affine profile costs a team whose information is not nested, where it is cheap to know; else None."""
    if problem.leaders or problem.game.block is not None or not problem.is_team or not problem.is_lqg or len(problem.game.decisions) < 2:
        return None
    try:
        game: LinearQuadratic = linear_quadratic(problem)
        if not_nested(game) is None or sum(len(a.seen) * len(a.place) for a in game.acts) > 4:
            return None
        found = solve_affine(problem, game)
    except (NotQuadratic, Unsolved):
        return None
    return next(iter(found.costs.values()), None)
