"""Why engines refuse a game, in words that several of them share."""

from __future__ import annotations

from ..lower.problem import Problem


def not_smooth(problem: Problem) -> str | None:
    """For engines that set derivatives by real decisions to zero."""
    if problem.has_finite_decisions:
        return "some decisions are finite"
    if problem.has_jumps:
        return "payments jump with what is decided"
    if any(d.kind == "simplex" or d.mixed for d in problem.game.decisions):
        return "some decisions are mixed or on a simplex"
    return None


def own_policies(problem: Problem) -> str | None:
    """For engines that let the first member of a large family stand for all."""
    symmetric = {p.name for p in problem.source.players if p.symmetric}
    return next((f"{d.actor.name} is a large family whose members have policies of their own" for d in problem.game.decisions
                 if d.axes and d.actor.name not in symmetric), None)


def bounded_talk(problem: Problem) -> str | None:
    """For engines whose policies are affine: what many members send over noise of a given power would be the larger the better."""
    return next((f"what each {d.actor.name} sends is held to a power that affine policies would exceed" for d in problem.game.decisions
                 if d.axes and d.channel is not None and (d.low is not None or d.high is not None)), None)


def off_the_grid(problem: Problem) -> str | None:
    """For engines whose tables stand on a grid of what is known."""
    if problem.loops:
        return "a family is too large for a grid"
    if not problem.reduction.complete:
        return "; ".join(f"what {k} knows is no set of coordinates ({why})" for k, why in problem.reduction.reasons.items())
    return None
