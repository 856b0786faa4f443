"""One stage of a repeated block as a game of its own, in which the states are acts that everybody may know.

A state stands as a decision that nobody takes: a coordinate like any other act, with a value put in by whoever goes backward over the
stages. What the stage leaves behind is one more payment for everybody, over the next states and the chance that play goes on: in words
of structure only, its amount is the value of the next stage, which whoever evaluates it puts in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp

from ..core.expression import Apply, Constant, Expression, Parameter, Reference, references
from ..core.folding import ONE
from ..core.site import Actor, Decision, Let, Payment, Record, Site, StageBlock, State
from ..passes import stage_game
from .problem import Person, Problem

NUMBER = "number of the stage"


class Unstageable(Exception):
    """A block whose stages are no games of their own; the message says why."""


@dataclass(frozen=True)
class OneStage:
    """``problem``: the stage alone. ``states``: their names, sorted, with the ``following`` value of each. ``after``: of each person the
    payment that stands for the stages that follow."""

    problem: Problem
    block: StageBlock
    states: tuple[str, ...]
    following: Mapping[str, str]
    after: Mapping[str, str]
    finite: frozenset[str]


def one_stage(problem: Problem) -> OneStage:
    """The stage of a game's block. Raises Unstageable."""
    return problem.once("one stage", _one_stage, Unstageable)  # type: ignore[no-any-return]


def _one_stage(problem: Problem) -> OneStage:
    game, block = problem.game, problem.game.block
    assert block is not None
    if problem.loops:
        raise Unstageable("a family is too large")
    outside = [s for s in game.sites if not s.repeated and isinstance(s, (Decision, Payment))]
    if outside:
        raise Unstageable(f"something is decided or paid outside of the stages ({outside[0].name})")
    if game.channels or game.constraints:
        raise Unstageable("there are channels or constraints")
    inherited = {x for s in game.sites if s.repeated and not isinstance(s, State) for x in problem.dependence.parents[s.name]}
    fixed = {s.name for s in game.sites if not s.repeated and not isinstance(s, Record)}
    drawn = {x for x in inherited & fixed if problem.dependence.ancestors[x] or x in {r.name for r in game.randoms}}
    if drawn:
        raise Unstageable(f"{sorted(drawn)[0]} is drawn before the stages and lasts through all of them")
    states = [s for s in game.states if s.name != block.binder]
    given: dict[str, Site] = {block.binder: Let(block.binder, (), (), block.span, Parameter(NUMBER))}
    finite = set()
    for s in states:
        kind, size = kind_of(problem, s)
        if kind != "real":
            finite.add(s.name)
        given[s.name] = Decision(s.name, (), (), s.span, kind=kind, shape=(size,) if kind == "choice" else (), low=None,  # type: ignore[arg-type]
                                 high=None, labels=(), actor=Actor("the state"), observations=(), mixed=False)
    following = [s.following for s in states]
    payers = {p: next(x for x in problem.people if problem.pooled.get(x) == problem.pooled[p]) if p in problem.pooled else p
              for p in problem.people}  # who minimise a sum of everybody's have one value of what follows, and it counts once
    payments = {p: payment_after(problem, block, p, following) for p in dict.fromkeys(payers.values())}
    after = tuple(payments.values())
    stage = stage_game(game, given, after)
    inner = Problem(stage, stage, {**problem.parameters, NUMBER: jnp.asarray(1.0)})
    return OneStage(inner, block, tuple(sorted(s.name for s in states)), {s.name: s.following for s in states},
                    {p.label: payments[payers[p]].name for p in problem.people}, frozenset(finite))


def kind_of(problem: Problem, s: State) -> tuple[str, int]:
    """The kind of a state, and its number of options: as it is seen, else as it starts."""
    if s.axes:
        raise Unstageable(f"the state {s.name} is one for every member of a large family")
    for d in problem.game.decisions:
        for o in d.observations:
            if o.expression == Reference(s.name) and o.size is not None:
                if o.kind in ("bool", "choice"):
                    return o.kind, o.size
                raise Unstageable(f"the state {s.name} is a number of a finite list")
    if isinstance(s.first, Constant) and isinstance(s.first.value, tuple):
        raise Unstageable(f"the state {s.name} is a vector")
    return "real", 0


def payment_after(problem: Problem, block: StageBlock, person: Person, following: list[str]) -> Payment:
    parts = [*following, *([block.delay] if block.delay else [])]
    cost: Expression = ONE
    for x in parts:
        cost = Apply("add", (cost, Reference(x)))
    guards = (Reference(block.survival),) if block.survival else ()
    member = None if person.member is None else Constant(float(person.member + 1))
    return Payment(f"payment after the stage of {person.label}", (), guards, block.span, Actor(person.name, member), cost)


def depends_on_stage(stage: OneStage) -> bool:
    """Whether anything in the stage but what is known depends on its number."""
    binder = stage.block.binder
    for s in stage.problem.game.sites:
        if isinstance(s, Decision) or s.name in (binder, f"next({binder})"):
            continue
        texts = [s.cost, *s.guards] if isinstance(s, Payment) else [s.value, *s.guards] if isinstance(s, Let) else \
            [*getattr(s, "arguments", ()), *s.guards]
        if any(binder in references(e) for e in texts):
            return True
    return False
