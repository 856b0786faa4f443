"""What every member of a large family pays, all at once, with the others' acts held fixed.

In member i's payment a sum over members is the sum of what all do, held fixed, less i's own term, plus i's own term as it moves. So the
derivative of everybody's payments together is, member by member, that of each in its own policy alone: one pass for all, linear in their
number, where sums are all that ties them.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
from jax import Array

from ..core.expression import Apply, Axis, Constant, Expression, Fold, Member, Reference, Select, rebuild, walk
from ..core.folding import ZERO
from ..core.site import Decision, Let, Payment
from ..passes.over_members import Members, Unrepresentable
from .evaluate import evaluate
from .problem import Problem
from .variable import Variable
from .world import World, held_fixed


def held(name: str) -> str:
    """The value of a decision of all members, of which no derivative is taken."""
    return f"held({name})"


class OwnViews:
    """The payments of a family's members, as each sees them. Raises Unrepresentable where members are tied by more than sums over all
    of them, or somebody sees what others did."""

    def __init__(self, problem: Problem):
        self.problem = problem
        self.members = Members(problem.game)
        self.decisions = [d for d in problem.game.decisions if d.axes]
        names = {d.name for d in self.decisions}
        for d in problem.game.decisions:
            if not d.axes:
                raise Unrepresentable(f"{d.actor.name} decides beside a large family whose members have policies of their own")
            if problem.dependence.ancestors[d.name] & names:
                raise Unrepresentable(f"{d.name} knows what others decided")
        families = {d.axes[0].family for d in self.decisions}
        if len(families) != 1 or any(len(d.axes) != 1 for d in self.decisions):
            raise Unrepresentable("several large families")
        self.family = next(iter(families))
        self.size = self.decisions[0].axes[0].size
        self.payments = [p for p in problem.game.payments if p.axes and p.actor.member is not None and p.actor.name == self.family]
        if len(self.payments) != len(problem.game.payments):
            raise Unrepresentable("something is paid by others than the members, or by one of them apart")
        self.views = [self.own(p) for p in self.payments]

    def own(self, p: Payment) -> Expression:
        cost = p.cost
        for g in p.guards:
            cost = Apply("where", (g, cost, ZERO))
        return self.view(cost, p.axes[0])

    def view(self, e: Expression, axis: Axis) -> Expression:
        sites, looped = self.problem.dependence.sites, self.members.looped
        if isinstance(e, Reference) and isinstance(s := sites.get(e.site), Let) and not s.axes:
            return self.view(s.value, axis)
        if isinstance(e, Select) and isinstance(e.base, Reference) and e.base.site in looped:
            s, head, rest = looped[e.base.site], e.indices[0], e.indices[1:]
            if not isinstance(head, Member):
                raise Unrepresentable(f"{e.base.site} is asked for of some of its members")
            if not isinstance(s, Let):
                return e
            value = self.view(self.members.moved(s.value, s.axes[0], head.axis), axis)
            return Select(value, rest, e.one_hot[1:]) if rest else value
        if isinstance(e, Apply) and len(e.arguments) == 1 and e.function in ("sum", "mean", "prod", "max", "min") and \
                self.members.spans(e.arguments[0]):
            return self.view(self.members.as_fold(e), axis)
        if isinstance(e, Fold) and e.axis.family == self.family and e.axis.size == self.size:
            return self.fold(e, axis)
        if isinstance(e, Reference) and isinstance(sites.get(e.site), Decision):
            raise Unrepresentable(f"{e.site} is used as an array over the members")
        return rebuild(e, lambda c: self.view(c, axis))

    def fold(self, e: Fold, axis: Axis) -> Expression:
        body = self.view(e.body, axis)
        if not any(isinstance(x, Reference) and isinstance(self.problem.dependence.sites.get(x.site), Decision) for x in walk(body)):
            return Fold(e.reduction, e.axis, body, e.condition, span=e.span)
        frozen = self.frozen(body, e.axis)
        if e.reduction not in ("sum", "mean"):
            raise Unrepresentable(f"its members are tied by a {e.reduction}")
        if e.condition is not None:  # the others' terms alone
            return Fold(e.reduction, e.axis, frozen, e.condition, span=e.span)
        others = Apply("sub", (Fold("sum", e.axis, frozen, None, span=e.span), self.members.moved(frozen, e.axis, axis)))
        total: Expression = Apply("add", (others, self.members.moved(body, e.axis, axis)))
        return total if e.reduction == "sum" else Apply("div", (total, Constant(float(e.axis.size))))

    def frozen(self, e: Expression, axis: Axis) -> Expression:
        if isinstance(e, Select) and isinstance(e.base, Reference) and e.indices[0] == Member(axis):
            decided = isinstance(self.problem.dependence.sites.get(e.base.site), Decision)
            return Select(Reference(held(e.base.site)), e.indices, e.one_hot) if decided else e
        return rebuild(e, lambda c: self.frozen(c, axis))

    def costs(self, world: World, fixed: Mapping[str, Variable] | None = None) -> Array:
        """Expected cost of every member (size,). ``fixed``: what the others do, by decision (default: what all do in this world)."""
        for d in self.decisions:
            value = (fixed or {}).get(d.name) or held_fixed(world.value(d.name))
            world._values[held(d.name)] = value
        total = jnp.zeros(self.size)
        for p, view in zip(self.payments, self.views, strict=True):
            total = total + world.expectation(world.loop(p, lambda view=view: evaluate(world, view))).data  # type: ignore[misc]
        return total


def own_views(problem: Problem) -> OwnViews:
    """The views of a game's members. Raises Unrepresentable."""
    return problem.once("own views", OwnViews, Unrepresentable)  # type: ignore[no-any-return]
