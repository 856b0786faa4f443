"""From a checked game to the core graph: names resolved, definitions inlined, loops made axes, static ``when`` decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..semantics.checked import CheckedGame
from ..source import Ledger, Span
from ..syntax import tree
from . import channels, memory, stages
from . import expression as core
from .bases import Basis, basis_of
from .naming import dice_of
from .resolve import Resolver, as_constant, coefficients_of
from .scope import Scope, Silenced, Unlowered
from .shapes import OPERATORS, Kind, broadcast
from .site import (
    Actor,
    Constraint,
    Decision,
    Equation,
    Game,
    Let,
    Measure,
    Observation,
    Payment,
    PlayerEntry,
    Plot,
    PolicyChoice,
    Published,
    Random,
    Route,
    Site,
    TeamEntry,
)


def elaborate(checked: CheckedGame, ledger: Ledger, form: str = "auto") -> Game | None:
    """The core graph of a checked game; None, with L diagnostics in the ledger, if something has no computation yet.

    ``form`` of a block of stages: written (out), scanned (elaborated once) or auto, which is what the text's ``train`` block says and
    else written where that is possible.
    """
    before = len(ledger.errors)
    game = Elaborator(checked, ledger, form).run()
    return game if len(ledger.errors) == before else None


@dataclass(frozen=True)
class WrittenOut:
    """``game``: with all stages written out. ``survived``: of every site before which a halt may have come the chance that none has (the
    graph itself has this in payments and in what outlives the stages alone). ``shared``: decisions and channels, by their names in the
    text, of which one rule serves all stages."""

    game: Game
    survived: Mapping[str, core.Expression]
    shared: frozenset[str]


def elaborate_written(checked: CheckedGame, ledger: Ledger) -> WrittenOut | None:
    """The graph of a game for one who follows its plays; nothing trains it, as it may have one rule for several stages."""
    before = len(ledger.errors)
    elaborator = Elaborator(checked, ledger, "written")
    elaborator.shared = set()
    game = elaborator.run()
    return None if len(ledger.errors) > before else WrittenOut(game, elaborator.time.survived, frozenset(elaborator.shared))


class Elaborator(Resolver):
    """Walks the statements once, in order. ``shared``: where one rule may serve several stages that are written out, those that do."""

    shared: set[str] | None = None

    def run(self) -> Game:
        try:
            self.shares = channels.totals(self, self.checked.statements)
        except Unlowered as problem:
            self.ledger.error(problem.code, problem.message, problem.span, problem.hint)
        top = Scope(indices={}, arguments={})
        declared = tuple(s for s in self.checked.statements if isinstance(s, tree.Channel))  # they may be declared after their use
        self.statements(declared, top)
        self.statements(tuple(s for s in self.checked.statements if not isinstance(s, tree.Channel)), top)
        self.settling = True
        self.statements(tuple(s for s, _ in self.postponed), Scope(indices={}, arguments={}))
        channels.fit_looks(self)
        checked = self.checked
        return Game(
            name=checked.name, title=checked.title, sites=tuple(self.sites),
            players=tuple(PlayerEntry(p.name, p.size, p.symmetric) for p in checked.players.values()),
            teams=tuple(TeamEntry(t.name, self.team_members(t.members), t.pooled) for t in checked.teams.values()),
            parameters={name: as_constant(v) for name, v in self.values.items()},
            measures=tuple(self.measures), published=tuple(self.published), plots=tuple(self.plots), taps=tuple(self.taps),
            policies=tuple(self.policies), settings=tuple(self.settings),
            citations=tuple(c.reference for c in checked.citations), channels=tuple(self.channels),
            constraints=tuple(self.constraints), equations=tuple(self.equations),
            routes=tuple(self.routes), gradient_budget=self.gradient_budget,
            divided=tuple(self.divided), committed=tuple(self.committed), block=self.block,
        )

    def team_members(self, members: tuple[tuple[str, int | None], ...]) -> tuple[tuple[str, int | None], ...]:
        out: list[tuple[str, int | None]] = []
        for name, member in members:
            size = self.checked.players[name].size
            if size is not None and member is None:
                out.extend((name, i) for i in range(size))
            else:
                out.append((name, None if member is None else member - 1))
        return tuple(out)

    # ------------------------------------------------------------ statements

    def statements(self, statements: tuple[tree.Statement, ...], scope: Scope) -> None:
        for statement in statements:
            handler = STATEMENTS.get(type(statement))
            try:
                if handler is None:
                    word = statement.span.text.split(None, 1)[0] if statement.span.text.split() else "statement"
                    raise Unlowered("L001", f"`{word}` cannot be lowered yet", statement.span,
                                    "the game can be checked and formatted, but not trained, by this version")
                handler(self, statement, scope)
            except Unlowered as problem:
                self.ledger.error(problem.code, problem.message, problem.span, problem.hint)
                self.broken.update(made(statement))
            except Silenced:
                if not self.ledger.errors:  # nothing is left out without a word
                    self.ledger.error("L003", "this rests on something that cannot be lowered", statement.span)
                self.broken.update(made(statement))

    def skip(self, statement: tree.Statement, scope: Scope) -> None:
        """Players, teams, parameters and definitions are in the checked game's tables."""

    def random(self, s: tree.Random, scope: Scope) -> None:
        call = s.distribution
        if isinstance(call, tree.Call) and isinstance(call.function, tree.Name):
            name = call.function.name
            arguments = tuple(self.expression(a.value, scope) for a in call.arguments)
        elif isinstance(call, tree.Name):
            name, arguments = call.name, ()
        else:
            raise Unlowered("L003", "this distribution cannot be lowered", s.distribution.span)
        dims = self.own_dims(s.target, scope)
        shape, kind = dims, Kind("real", dims)
        if name in ("Dirichlet", "MvNormal") and arguments:
            event = self.kind(arguments[0]).shape
            shape, kind = dims + event[-1:], Kind("real", dims + event[-1:])
        else:
            shapes = [self.kind(a).shape for a in arguments]
            event = 1 if name in ("Categorical", "Discrete") else 0
            shape = dims + broadcast([s[:len(s) - event] for s in shapes])
            kind = Kind("real", shape)
            if name == "Bernoulli":
                kind = Kind("bool", shape, 2)
            elif name == "Categorical":
                kind = Kind("category", shape, shapes[0][-1] if shapes[0] else round(self.constant(call.arguments[0].value)))
        self.add(Random(s.target.name, scope.axes, scope.guards, s.span, name, arguments, shape), kind)

    def let(self, s: tree.Let, scope: Scope) -> None:
        found = self.function(s.value, scope)
        value = self.expression(s.value, scope)
        if found is not None:
            basis, coefficients = found
            self.functions[s.target.name] = basis
            if basis.name == "kernel":
                inside = coefficients_of(s.target.name)
                self.let_sizes[inside] = self.sizes.get(id(coefficients), 1)
                self.add(Let(inside, scope.axes, scope.guards, s.span, coefficients), self.kind(coefficients))
                own = stages.own_entry(inside, scope.axes)
                value = core.Apply("predictions", (own,), span=s.value.span)
        self.let_sizes[s.target.name] = self.sizes.get(id(value), 1)  # information is analysed with lets inlined
        self.add(Let(s.target.name, scope.axes, scope.guards, s.span, value), self.kind(value))

    def solve(self, s: tree.Solve, scope: Scope) -> None:
        """A value like any other, whose expression is the root of an equation."""
        low, high = self.expression(s.low, scope), self.expression(s.high, scope)
        self.unknown = s.target.name
        try:
            left, right = self.expression(s.left, scope), self.expression(s.right, scope)
        finally:
            self.unknown = None
        root = core.Root(s.target.name, low, high, left, right, span=s.span)
        self.measured(root, s.span)
        self.let_sizes[s.target.name] = self.sizes[id(root)]
        self.equations.append(Equation(s.target.name, root, scope.axes, scope.guards, s.span))
        self.add(Let(s.target.name, scope.axes, scope.guards, s.span, root), self.kind(root))

    def decide(self, s: tree.Decide, scope: Scope) -> None:
        kind, low, high = self.decision_type(s.type, scope)
        dims = self.own_dims(s.target, scope)
        if dims:
            kind = replace(kind, shape=dims + kind.shape)
        function = None
        if isinstance(s.type, tree.FunctionType):
            basis = self.functions[s.target.name] = self.basis(s.type)
            function = basis.text
        self.deciding = self.actor(s.player, scope)
        self.one_policy_a_stage(s.target.name, s.knowing, s.span)
        observations = tuple(dict.fromkeys(o for k in s.knowing for o in self.observe(k, scope)))
        words = {"bool": "bool", "choice": "choice", "simplex": "simplex"}
        if s.mixed and words.get(kind.kind, "real") == "real" and not kind.shape:
            observations = (*observations, self.dice(s.target.name, scope, s.span))
        self.add(
            Decision(s.target.name, scope.axes, scope.guards, s.span, words.get(kind.kind, "real"), kind.shape,  # type: ignore[arg-type]
                     low, high, kind.labels, self.deciding, observations, s.mixed, function=function),
            replace(kind, kind="real") if kind.kind == "simplex" else kind)

    def dice(self, decision: str, scope: Scope, span: Span) -> Observation:
        """The private draw of a real decision that is mixed: a policy of it and of what is known is any distribution over acts."""
        name = dice_of(decision)
        self.add(Random(name, scope.axes, scope.guards, span, "Uniform", (core.Constant(0.0), core.Constant(1.0)), ()), Kind("real", ()))
        drawn: core.Expression = core.Reference(name)
        if scope.axes:
            drawn = core.Select(drawn, tuple(core.Member(a) for a in scope.axes), (False,) * len(scope.axes))
        return Observation(drawn, "real", ())

    def payment(self, s: tree.Payment, scope: Scope) -> None:
        cost = self.expression(s.value, scope)
        if s.kind == "payoff":
            cost = core.Apply("neg", (cost,), span=s.span)
        name = f"payment {sum(isinstance(x, Payment) for x in self.sites) + 1}"
        self.pay(Payment(name, scope.axes, scope.guards, s.span, self.actor(s.payer, scope), cost))

    def pay(self, payment: Payment) -> None:
        self.sites.extend(stages.due(self, payment))

    def stage(self, s: tree.Stage, scope: Scope) -> None:
        stages.stage(self, s, scope)

    def state(self, s: tree.State, scope: Scope) -> None:
        stages.state(self, s, scope)

    def next_value(self, s: tree.Next, scope: Scope) -> None:
        stages.next_value(self, s, scope)

    def halt(self, s: tree.Halt, scope: Scope) -> None:
        stages.halt(self, s, scope)

    def delay(self, s: tree.Delay, scope: Scope) -> None:
        stages.delay(self, s, scope)

    def one_policy_a_stage(self, name: str, knowing: tuple[tree.Expression, ...], span: Span) -> None:
        """A policy that knows the stage is as good as one for each stage."""
        if self.time.stage:
            self.time.knowing[name] = knowing
        if self.time.stage and self.time.total > 1 and not self.time.once and not stages.knows_stage(self, knowing):
            if self.shared is not None:
                self.shared.add(name)
                return
            raise Unlowered("L001", f"`{name}` is one policy for all stages, since it does not know the stage: that cannot be lowered yet",
                            span, f"let it know `{self.time.binder}`")

    def loop(self, s: tree.For, scope: Scope) -> None:
        axis = self.axis(s.binder, s.domain, scope)
        inner = replace(scope.index(s.binder, axis), axes=(*scope.axes, axis))
        self.statements(s.body, inner)

    def when(self, s: tree.When, scope: Scope) -> None:
        static = self.static(s.condition, scope)
        if static is None:
            condition = self.expression(s.condition, scope)
            self.statements(s.body, replace(scope, guards=(*scope.guards, condition)))
        elif static:
            self.statements(s.body, scope)

    def channel(self, s: tree.Channel, scope: Scope) -> None:
        channels.declare(self, s, scope)

    def send(self, s: tree.Send, scope: Scope) -> None:
        channels.send(self, s, scope)

    def attend(self, s: tree.Attend, scope: Scope) -> None:
        channels.attend(self, s, scope)

    def total_budget(self, s: tree.TotalBudget, scope: Scope) -> None:
        if self.settling:
            channels.total_budget(self, s, scope)
        else:
            self.postponed.append((s, scope))

    def constrain(self, s: tree.Constrain, scope: Scope) -> None:
        """E[left] <= E[right]: linear in its expectations, so that a multiplier prices the excess draw by draw."""
        left, right = self.unaveraged(s.left, scope), self.unaveraged(s.right, scope)
        if s.relation == ">=":
            left, right = right, left
        excess = core.Apply("sub", (left, right), span=s.span)
        label = " ".join(s.span.text.split()).removeprefix("constrain ").rsplit(" by ", 1)[0]
        self.constraints.append(Constraint(f"constraint {len(self.constraints) + 1}", label, self.actor(s.player, scope), excess,
                                           s.relation == "=", scope.axes, s.span))

    def unaveraged(self, e: tree.Expression, scope: Scope) -> core.Expression:
        """One side of a constraint with the ``E[ ]`` of linear terms taken off; a side without any must not vary."""
        if isinstance(e, tree.Moment) and e.kind == "E" and e.given is None:
            return self.expression(e.arguments[0], scope)
        if isinstance(e, tree.Binary) and e.operator in ("+", "-"):
            return core.Apply(OPERATORS[e.operator], (self.unaveraged(e.left, scope), self.unaveraged(e.right, scope)), span=e.span)
        if isinstance(e, tree.Binary) and e.operator in ("*", "/"):
            constant, term = (e.left, e.right) if self.static(e.left, scope) is not None else (e.right, e.left)
            if self.static(constant, scope) is not None and (e.operator == "*" or constant is e.right):
                parts = (self.unaveraged(term, scope), self.expression(constant, scope))
                return core.Apply(OPERATORS[e.operator], parts, span=e.span)
        value = self.expression(e, scope)
        if any(isinstance(x, core.Moment) for x in core.walk(value)):
            raise Unlowered("L001", "a constraint that is not linear in its expectations cannot be lowered yet", e.span,
                            "write sums of E[..] with fixed factors")
        if any(isinstance(x, (core.Reference, core.Account)) for x in core.walk(value)):
            raise Unlowered("L001", "a constraint that holds draw by draw cannot be lowered yet", e.span,
                            "constrain an expectation, or bound the decision itself with Interval(..)")
        return value

    def commit(self, s: tree.Commit, scope: Scope) -> None:
        """A team commits all its members, a family's name all of it."""
        name = self.base(s.player)
        members: tuple[tuple[str, int | None], ...] = ((name, None),)
        if name in self.checked.teams:
            members = self.team_members(self.checked.teams[name].members)
        elif isinstance(s.player, tree.Index):
            members = ((name, round(self.constant(s.player.indices[0])) - 1),)
        elif self.checked.players[name].size is not None:
            members = self.team_members(members)
        self.committed.extend(m for m in members if m not in self.committed)

    def members_of(self, e: tree.Expression) -> int:
        """How many channels a name stands for."""
        symbol = self.checked.symbols.get(self.base(e))
        size = 1
        for d in symbol.domains if symbol is not None and not isinstance(e, tree.Index) else ():
            size *= d.size
        return size

    def base(self, e: tree.Expression) -> str:
        e = e.base if isinstance(e, tree.Index) else e
        return e.name if isinstance(e, tree.Name) else e.span.text

    def resize(self, name: str, count: int) -> None:
        """A choice among fewer words, wherever it is seen."""
        self.kinds[name] = replace(self.kinds[name], shape=(count,), size=count)
        for i, site in enumerate(self.sites):
            if isinstance(site, Decision):
                seen = tuple(replace(o, shape=(count,), size=count) if o.expression == core.Reference(name) else o
                             for o in site.observations)
                own = {"shape": (count,)} if site.name == name else {}
                self.sites[i] = replace(site, observations=seen, **own)

    def measure(self, s: tree.Measure, scope: Scope) -> None:
        if scope.axes:
            raise Unlowered("L001", "a measure inside `for` cannot be lowered", s.span, "write it outside, over the members")
        self.measures.append(Measure(s.name, self.expression(s.value, scope), s.span))

    def known(self, s: tree.Known, scope: Scope) -> None:
        # what is published speaks of the game as it is written
        active = not self.checked.variant and (s.when is None or bool(self.static(s.when, scope)))
        tolerance = s.within
        self.published.append(Published(
            s.kind, s.quantity.span.text, self.expression(s.quantity, scope), s.relation, self.expression(s.value, scope),
            0.01 if tolerance is None else tolerance.value, tolerance is None or tolerance.relative, active, s.reference,
            s.span))

    def tap(self, s: tree.Tap, scope: Scope) -> None:
        """A name; outside of loops a member of it, too: ``q[1]``."""
        base = s.quantity.base if isinstance(s.quantity, tree.Index) else s.quantity
        if isinstance(base, tree.Name):
            self.taps.append("".join(s.quantity.span.text.split()) if base is not s.quantity and not scope.axes else base.name)

    def policy(self, s: tree.Policy, scope: Scope) -> None:
        base = s.subject.base if isinstance(s.subject, tree.Index) else s.subject
        subject = base.name if isinstance(base, tree.Name) else base.span.text
        if isinstance(s.family, tree.Call):
            family = s.family.function.span.text
            options = tuple((a.keyword or "", self.setting(a.value, scope)) for a in s.family.arguments)
        else:
            family, options = s.family.span.text, ()
        self.policies.append(PolicyChoice(subject, family.strip(), options, s.span))

    def gradient(self, s: tree.Gradient, scope: Scope) -> None:
        if s.budget is not None:
            self.gradient_budget = s.budget.span
        for r in s.routes:
            subject, target = (None if e is None else " ".join(e.span.text.split()) for e in (r.subject, r.target))
            assert subject is not None
            self.routes.append(Route(subject, target, r.order, r.span))  # type: ignore[arg-type]

    def train(self, s: tree.Train, scope: Scope) -> None:
        """What is set for one site has it before the value: ``("estimator", "m=exact")``."""
        for x in s.settings:
            value = x.value.span.text.strip() if x.key == "estimator" else self.setting(x.value, scope)
            self.settings.append((x.key, value if x.subject is None else f"{' '.join(x.subject.span.text.split())}={value}"))

    def plot(self, s: tree.Plot, scope: Scope) -> None:
        value, against = self.expression(s.value, scope), self.expression(s.against, scope)
        if any(isinstance(x, core.Rule) for e in (value, against) for x in core.walk(e)):
            raise Unlowered("L001", "a plot of a policy at inputs of one's own cannot be drawn yet", s.span,
                            "plot what is decided against what is known, and ask for `measure .. = rule(..)` at a few inputs")
        self.plots.append(Plot(value, against, s.value.span.text, s.against.span.text, scope.axes, s.span))

    # ------------------------------------------------------------ parts of statements

    def add(self, site: Site, kind: Kind) -> None:
        self.sites.append(site)
        own = tuple(a.size for a in site.axes)
        self.kinds[site.name] = replace(kind, shape=own + kind.shape) if own else kind
        self.site_axes[site.name] = site.axes
        if self.time.survival is not None:
            self.time.survived[site.name] = self.time.survival

    def own_dims(self, target: tree.Target, scope: Scope) -> tuple[int, ...]:
        """Dimensions of a target apart from the indices of its loops."""
        dims = []
        for index in target.indices:
            if isinstance(index, tree.Name) and index.name in scope.indices:
                continue
            dims.append(round(self.constant(index)))
        return tuple(dims)

    def decision_type(self, t: tree.Type | tree.FunctionType, scope: Scope,
                      ) -> tuple[Kind, core.Expression | None, core.Expression | None]:
        if isinstance(t, tree.FunctionType):
            return Kind("real", (self.basis(t).coefficients,)), None, None
        dims = tuple(round(self.constant(d)) for d in t.dims)
        zero, one = core.Constant(0.0, span=t.span), core.Constant(1.0, span=t.span)
        bounds: dict[str, tuple[core.Expression | None, core.Expression | None]] = {
            "Real": (None, None), "Positive": (zero, None), "Unit": (zero, one)}
        if t.name in bounds:
            return Kind("real", dims), *bounds[t.name]
        if t.name == "Interval":
            return Kind("real", dims), self.expression(t.arguments[0], scope), self.expression(t.arguments[1], scope)
        if t.name == "Bool":
            return Kind("bool", dims, 2), None, None
        if t.name == "Simplex":
            size = round(self.constant(t.arguments[0]))
            return Kind("simplex", (*dims, size)), None, None
        if t.name == "Choice":
            if len(t.arguments) == 1:
                size = round(self.constant(t.arguments[0]))
                return Kind("choice", (*dims, size), size), None, None
            labels = tuple(a.name for a in t.arguments if isinstance(a, tree.Name))
            return Kind("choice", (*dims, len(labels)), len(labels), labels=labels), None, None
        raise Unlowered("L002", f"a decision of type {t.name} cannot be lowered yet", t.span,
                        "this type travels over channels")

    def basis(self, t: tree.FunctionType) -> Basis:
        found = basis_of(t, self.constant)
        if found is None:
            raise Unlowered("L002", "a function of vectors, or with vectors as values, cannot be lowered yet", t.span,
                            "write `Function(Real -> Real, ..)`, one for each number")
        return found

    def observe(self, known: tree.Expression, scope: Scope) -> list[Observation]:
        if isinstance(known, tree.Name) and known.name == "nothing":
            return []
        spoken = known.arguments[0].value if isinstance(known, tree.Call) and isinstance(known.function, tree.Name) \
            and known.function.name == "sent" else known
        base = spoken.base if isinstance(spoken, tree.Index) else spoken
        if isinstance(base, tree.Name) and base.name in self.silent:
            return []
        if isinstance(base, tree.Name) and self.aliases.get(base.name, base.name) in self.decoders:
            self.observing = True
            try:
                return self.observed(self.expression(known, scope))
            finally:
                self.observing = False
        if isinstance(known, tree.Name) and known.name == "recall":
            return self.recall(known, scope)
        if self.time.stage and (stages.is_history(known) or stages.is_last(known)):
            return stages.observe_past(self, known, scope)  # type: ignore[arg-type]
        return self.observed(self.expression(known, scope))

    def observed(self, value: core.Expression) -> list[Observation]:
        inner = value
        while isinstance(inner, core.Reference):  # a let that is a masked value shows its blank, too
            site = next((s for s in self.sites if s.name == inner.site), None)
            if isinstance(site, Let) and not site.axes and isinstance(site.value, (core.Apply, core.Reference)):
                inner = site.value
            else:
                break
        if isinstance(inner, core.Apply) and inner.function == "mask":
            seen, event = inner.arguments
            blank = core.Apply("mask", (seen, event), span=value.span)
            return [*self.observed(event), Observation(blank, "real", self.kind(seen).shape)]
        if all(not isinstance(x, (core.Reference, core.Member)) for x in core.walk(value)):
            return []  # a constant tells nothing
        if self.time.stage and not self.varies(value):
            return []
        kind = self.kind(value)
        return [Observation(value, kind.kind, kind.shape, kind.size, kind.low)]  # type: ignore[arg-type]

    def varies(self, value: core.Expression) -> bool:
        """Whether an expression is more than constants, also behind the values that it is made of."""
        lets = {s.name: s.value for s in self.sites if isinstance(s, Let)}
        pending, seen = [value], set()
        while pending:
            for x in core.walk(pending.pop()):
                if isinstance(x, core.Member):
                    return True
                if isinstance(x, core.Reference) and x.site not in seen:
                    seen.add(x.site)
                    if x.site not in lets:
                        return True
                    pending.append(lets[x.site])
        return False

    def recall(self, word: tree.Name, scope: Scope) -> list[Observation]:
        """Everything that this player has observed and decided so far."""
        if scope.axes:
            raise Unlowered("L003", "`recall` inside `for` cannot be lowered yet", word.span, "name what the decision knows")
        if self.time.stage and self.time.once:
            return memory.recall(self, word)
        out: list[Observation] = []
        decider = self.deciding
        for site in self.sites:
            if isinstance(site, Decision) and site.actor == decider and not site.axes:
                own = self.kinds[site.name]
                seen = Observation(core.Reference(site.name, span=word.span), own.kind, own.shape, own.size, own.low)  # type: ignore[arg-type]
                out.extend(o for o in (*site.observations, seen) if o not in out)
        return out

    def actor(self, e: tree.Expression, scope: Scope) -> Actor:
        if isinstance(e, tree.Index) and isinstance(e.base, tree.Name):
            return Actor(e.base.name, self.expression(e.indices[0], scope))
        if isinstance(e, tree.Name):
            return Actor(e.name)
        raise Unlowered("L003", "this player cannot be lowered", e.span)



STATEMENTS: dict[type, Callable] = {
    tree.Player: Elaborator.skip, tree.Team: Elaborator.skip, tree.Param: Elaborator.skip, tree.Def: Elaborator.skip,
    tree.GameHeader: Elaborator.skip, tree.Cite: Elaborator.skip, tree.Use: Elaborator.skip, tree.Gradient: Elaborator.gradient,
    tree.Random: Elaborator.random, tree.Let: Elaborator.let, tree.Solve: Elaborator.solve, tree.Decide: Elaborator.decide,
    tree.Payment: Elaborator.payment, tree.For: Elaborator.loop, tree.When: Elaborator.when,
    tree.Channel: Elaborator.channel, tree.Send: Elaborator.send, tree.Attend: Elaborator.attend,
    tree.TotalBudget: Elaborator.total_budget, tree.Constrain: Elaborator.constrain, tree.Measure: Elaborator.measure,
    tree.Known: Elaborator.known, tree.Tap: Elaborator.tap, tree.Policy: Elaborator.policy, tree.Train: Elaborator.train,
    tree.Plot: Elaborator.plot, tree.Commit: Elaborator.commit, tree.State: Elaborator.state, tree.Next: Elaborator.next_value,
    tree.Stage: Elaborator.stage, tree.Halt: Elaborator.halt, tree.Delay: Elaborator.delay,
}


def made(statement: tree.Statement) -> set[str]:
    """Every name that a statement, or one inside it, makes."""
    out = set()
    target = getattr(statement, "target", None)
    if isinstance(target, tree.Target):
        out.add(target.name)
    if isinstance(statement, tree.Measure):
        out.add(statement.name)
    for inner in getattr(statement, "body", ()) if isinstance(getattr(statement, "body", ()), tuple) else ():
        out |= made(inner)
    return out
