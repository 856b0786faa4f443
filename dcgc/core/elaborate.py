"""From a checked game to the core graph: names resolved, definitions inlined, loops made axes, static ``when`` decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..semantics import constants
from ..semantics.checked import CheckedGame
from ..source import Ledger, Span
from ..syntax import tree
from . import expression as core
from .kinds import constant_shape, infer
from .shapes import OPERATORS, Kind, broadcast
from .site import (
    Actor,
    Decision,
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
    Site,
    TeamEntry,
)

LARGEST_EXPRESSION = 20_000  # nodes of one expression after inlining definitions and lets
LARGEST_GAME = 400_000  # nodes of all expressions together

UNLOWERED_FUNCTIONS = frozenset({"history", "last", "ridge", "kernel_ridge", "sent", "rate"})
REDUCTION_WORDS = frozenset({"sum", "mean", "prod", "max", "min"})


class Unlowered(Exception):
    """Something correct that has no computation yet."""

    def __init__(self, code: str, message: str, span: Span, hint: str = ""):
        super().__init__(message)
        self.code, self.message, self.span, self.hint = code, message, span, hint


class Silenced(Exception):
    """Something that rests on what was reported already."""


@dataclass(frozen=True)
class Scope:
    """What names mean inside loops and definitions."""

    axes: tuple[core.Axis, ...] = ()
    indices: Mapping[str, core.Axis] = None  # type: ignore[assignment]
    arguments: Mapping[str, core.Expression] = None  # type: ignore[assignment]
    guards: tuple[core.Expression, ...] = ()

    def index(self, name: str, axis: core.Axis) -> Scope:
        return replace(self, indices={**(self.indices or {}), name: axis})


def elaborate(checked: CheckedGame, ledger: Ledger) -> Game | None:
    """The core graph of a checked game; None, with L diagnostics in the ledger, if something has no computation yet."""
    before = len(ledger.errors)
    game = Elaborator(checked, ledger).run()
    return game if len(ledger.errors) == before else None


class Elaborator:
    """Walks the statements once, in order."""

    def __init__(self, checked: CheckedGame, ledger: Ledger):
        self.checked = checked
        self.ledger = ledger
        self.values = {name: p.value for name, p in checked.params.items()}
        self.sizes_of_families = {p.name: p.size for p in checked.players.values() if p.size is not None}
        self.sites: list[Site] = []
        self.kinds: dict[str, Kind] = {}
        self.parameter_shapes = {name: constant_shape(as_constant(v)) for name, v in self.values.items()}
        self.site_axes: dict[str, tuple[core.Axis, ...]] = {}
        self.silent: set[str] = set()
        self.broken: set[str] = set()
        self.deciding = Actor("")
        self.measures: list[Measure] = []
        self.published: list[Published] = []
        self.plots: list[Plot] = []
        self.taps: list[str] = []
        self.policies: list[PolicyChoice] = []
        self.settings: list[tuple[str, float | bool | str]] = []
        self.counter = 0
        self.nodes = 0
        self.let_sizes: dict[str, int] = {}
        self.sizes: dict[int, int] = {}
        self.kept: list[core.Expression] = []  # keeps ids in ``sizes`` alive

    def run(self) -> Game:
        self.statements(self.checked.statements, Scope(indices={}, arguments={}))
        checked = self.checked
        return Game(
            name=checked.name, title=checked.title, sites=tuple(self.sites),
            players=tuple(PlayerEntry(p.name, p.size, p.symmetric) for p in checked.players.values()),
            teams=tuple(TeamEntry(t.name, self.team_members(t.members)) for t in checked.teams.values()),
            parameters={name: as_constant(v) for name, v in self.values.items()},
            measures=tuple(self.measures), published=tuple(self.published), plots=tuple(self.plots), taps=tuple(self.taps),
            policies=tuple(self.policies), settings=tuple(self.settings),
            citations=tuple(c.reference for c in checked.citations),
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
        value = self.expression(s.value, scope)
        self.let_sizes[s.target.name] = self.sizes.get(id(value), 1)  # information is analysed with lets inlined
        self.add(Let(s.target.name, scope.axes, scope.guards, s.span, value), self.kind(value))

    def decide(self, s: tree.Decide, scope: Scope) -> None:
        kind, low, high = self.decision_type(s.type, scope)
        dims = self.own_dims(s.target, scope)
        if dims:
            kind = replace(kind, shape=dims + kind.shape)
        self.deciding = self.actor(s.player, scope)
        observations = tuple(dict.fromkeys(o for k in s.knowing for o in self.observe(k, scope)))
        words = {"bool": "bool", "choice": "choice", "simplex": "simplex"}
        self.add(
            Decision(s.target.name, scope.axes, scope.guards, s.span, words.get(kind.kind, "real"), kind.shape,  # type: ignore[arg-type]
                     low, high, kind.labels, self.deciding, observations, s.mixed),
            replace(kind, kind="real") if kind.kind == "simplex" else kind)

    def payment(self, s: tree.Payment, scope: Scope) -> None:
        cost = self.expression(s.value, scope)
        if s.kind == "payoff":
            cost = core.Apply("neg", (cost,), span=s.span)
        name = f"payment {sum(isinstance(x, Payment) for x in self.sites) + 1}"
        self.sites.append(Payment(name, scope.axes, scope.guards, s.span, self.actor(s.payer, scope), cost))

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
        """A budget of nothing is silence: the channel carries a constant, which nobody needs to be told."""
        budget = s.body.budget
        if budget is not None and self.static(budget.amount, scope) == 0:
            self.silent.add(s.target.name)
            return
        raise Unlowered("L001", f"the channel `{s.target.name}` cannot be lowered yet", s.span,
                        "only `budget 0 bits`, which is silence, can")

    def send(self, s: tree.Send, scope: Scope) -> None:
        """Silence is sent for free; other channels are reported where they are declared."""

    def measure(self, s: tree.Measure, scope: Scope) -> None:
        if scope.axes:
            raise Unlowered("L001", "a measure inside `for` cannot be lowered", s.span, "write it outside, over the members")
        self.measures.append(Measure(s.name, self.expression(s.value, scope), s.span))

    def known(self, s: tree.Known, scope: Scope) -> None:
        active = s.when is None or bool(self.static(s.when, scope))
        tolerance = s.within
        self.published.append(Published(
            s.kind, s.quantity.span.text, self.expression(s.quantity, scope), s.relation, self.expression(s.value, scope),
            0.01 if tolerance is None else tolerance.value, tolerance is None or tolerance.relative, active, s.reference,
            s.span))

    def tap(self, s: tree.Tap, scope: Scope) -> None:
        base = s.quantity.base if isinstance(s.quantity, tree.Index) else s.quantity
        if isinstance(base, tree.Name):
            self.taps.append(base.name)

    def policy(self, s: tree.Policy, scope: Scope) -> None:
        base = s.subject.base if isinstance(s.subject, tree.Index) else s.subject
        subject = base.name if isinstance(base, tree.Name) else base.span.text
        if isinstance(s.family, tree.Call):
            family = s.family.function.span.text
            options = tuple((a.keyword or "", self.setting(a.value, scope)) for a in s.family.arguments)
        else:
            family, options = s.family.span.text, ()
        self.policies.append(PolicyChoice(subject, family.strip(), options, s.span))

    def train(self, s: tree.Train, scope: Scope) -> None:
        self.settings.extend((x.key, self.setting(x.value, scope)) for x in s.settings)

    def plot(self, s: tree.Plot, scope: Scope) -> None:
        self.plots.append(Plot(self.expression(s.value, scope), self.expression(s.against, scope), s.value.span.text,
                               s.against.span.text, scope.axes, s.span))

    # ------------------------------------------------------------ parts of statements

    def kind(self, e: core.Expression) -> Kind:
        try:
            return infer(e, self.kinds, self.parameter_shapes)
        except (ValueError, IndexError, KeyError) as problem:
            assert e.span is not None
            raise Unlowered("L003", f"this expression cannot be lowered: {problem}", e.span) from None

    def add(self, site: Site, kind: Kind) -> None:
        self.sites.append(site)
        own = tuple(a.size for a in site.axes)
        self.kinds[site.name] = replace(kind, shape=own + kind.shape) if own else kind
        self.site_axes[site.name] = site.axes

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
            raise Unlowered("L002", "a decision that is a whole function cannot be lowered yet", t.span)
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

    def observe(self, known: tree.Expression, scope: Scope) -> list[Observation]:
        if isinstance(known, tree.Name) and known.name == "nothing":
            return []
        base = known.base if isinstance(known, tree.Index) else known
        if isinstance(base, tree.Name) and base.name in self.silent:
            return []
        if isinstance(known, tree.Name) and known.name == "recall":
            return self.recall(known, scope)
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
        kind = self.kind(value)
        return [Observation(value, kind.kind, kind.shape, kind.size, kind.low)]  # type: ignore[arg-type]

    def recall(self, word: tree.Name, scope: Scope) -> list[Observation]:
        """Everything that this player has observed and decided so far."""
        if scope.axes:
            raise Unlowered("L003", "`recall` inside `for` cannot be lowered yet", word.span, "name what the decision knows")
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

    def axis(self, binder: str, domain: tree.Expression, scope: Scope) -> core.Axis:
        self.counter += 1
        name = f"{binder}.{self.counter}"
        if isinstance(domain, tree.Range):
            low = round(self.constant(domain.low))
            high = round(self.constant(domain.high))
            return core.Axis(name, max(0, high - low + 1), None, low)
        family = domain.name if isinstance(domain, tree.Name) else domain.span.text
        return core.Axis(name, self.checked.players[family].size or 1, family)

    def constant(self, e: tree.Expression) -> float:
        """A number that is fixed before play."""
        value = constants.evaluate(e, self.checked.constants, self.checked.definitions, self.sizes_of_families)
        return float(value)  # type: ignore[arg-type]

    def static(self, e: tree.Expression, scope: Scope) -> float | None:
        """The value of a condition that only parameters determine, else None."""
        try:
            return self.constant(e)
        except (constants.ConstantError, TypeError, ValueError):
            return None

    def setting(self, e: tree.Expression, scope: Scope) -> float | bool | str:
        if isinstance(e, tree.Name) and e.name in ("true", "false"):
            return e.name == "true"
        if isinstance(e, tree.Text):
            return e.value
        value = self.static(e, scope)
        return e.span.text if value is None else value

    # ------------------------------------------------------------ expressions

    def expression(self, e: tree.Expression, scope: Scope) -> core.Expression:
        handler: Callable[[Elaborator, tree.Expression, Scope], core.Expression] | None = EXPRESSIONS.get(type(e))
        if handler is None:
            raise Unlowered("L003", "this expression cannot be lowered", e.span)
        return self.measured(handler(self, e, scope), e.span)

    def measured(self, result: core.Expression, span: Span) -> core.Expression:
        """Refuse what inlining has made too large (sizes are counted once per shared node)."""
        size = self.let_sizes.get(result.site, 1) if isinstance(result, core.Reference) else \
            1 + sum(self.sizes.get(id(c), 1) for c in result.children)
        if id(result) not in self.sizes:
            self.sizes[id(result)] = size
            self.kept.append(result)
            self.nodes += 1
        if size > LARGEST_EXPRESSION or self.nodes > LARGEST_GAME:
            raise Unlowered("L004", "this grows too large when its definitions are expanded", span,
                            "a value that mentions itself so many times over cannot be analysed: write it with fewer repetitions")
        return result

    def number(self, e: tree.Number, scope: Scope) -> core.Expression:
        return core.Constant(float(e.value), span=e.span)

    def name(self, e: tree.Name, scope: Scope) -> core.Expression:
        if e.name in self.broken:
            raise Silenced
        constant = {"true": 1.0, "false": 0.0, "pi": 3.141592653589793, "inf": float("inf")}
        if e.name in scope.arguments:
            return scope.arguments[e.name]
        if e.name in scope.indices:
            return core.Member(scope.indices[e.name], span=e.span)
        if e.name in self.kinds:
            return core.Reference(e.name, span=e.span)
        if e.name in self.values:
            return core.Parameter(e.name, span=e.span)
        if e.name in constant:
            return core.Constant(constant[e.name], span=e.span)
        for m in self.measures:  # a published figure names its measure
            if m.name == e.name:
                return m.value
        raise Unlowered("L003", f"`{e.name}` cannot be lowered here", e.span)

    def array(self, e: tree.ArrayLiteral, scope: Scope) -> core.Expression:
        return core.Stack(tuple(self.expression(i, scope) for i in e.items), span=e.span)

    def unary(self, e: tree.Unary, scope: Scope) -> core.Expression:
        operand = self.expression(e.operand, scope)
        if e.operator == "+":
            return operand
        return core.Apply("neg" if e.operator == "-" else "not", (operand,), span=e.span)

    def binary(self, e: tree.Binary, scope: Scope) -> core.Expression:
        if e.operator in ("==", "!="):
            equal = self.equality(e, scope)
            if equal is not None:
                one = core.Constant(1.0, span=e.span)
                return equal if e.operator == "==" else core.Apply("sub", (one, equal), span=e.span)
        left, right = self.expression(e.left, scope), self.expression(e.right, scope)
        return core.Apply(OPERATORS[e.operator], (left, right), span=e.span)

    def equality(self, e: tree.Binary, scope: Scope) -> core.Expression | None:
        """Equality with a choice: with a label or a number it selects an entry, with another choice it is the dot product."""
        for this, that in ((e.left, e.right), (e.right, e.left)):
            if isinstance(this, tree.Name) and this.name not in scope.arguments and self.is_label(this, scope):
                value = self.expression(that, scope)
                return self.labelled(value, this)
        left, right = self.expression(e.left, scope), self.expression(e.right, scope)
        kinds = self.kind(left), self.kind(right)
        if kinds[0].kind == "choice" and kinds[1].kind == "choice":
            return core.Apply("dot", (left, right), span=e.span)
        for this, that, other in ((left, right, kinds[0]), (right, left, kinds[1])):
            if other.kind == "choice":
                return core.Select(this, (that,), (False,), span=e.span)
        return None

    def is_label(self, e: tree.Name, scope: Scope) -> bool:
        known = e.name in scope.indices or e.name in self.kinds or e.name in self.values
        return not known and e.name not in ("true", "false", "pi", "inf") and not any(m.name == e.name for m in self.measures)

    def labelled(self, value: core.Expression, label: tree.Name) -> core.Expression:
        labels = self.kind(value).labels
        if label.name not in labels:
            raise Unlowered("L003", f"`{label.name}` is no label of this choice", label.span)
        position = core.Constant(float(labels.index(label.name) + 1), span=label.span)
        return core.Select(value, (position,), (False,), span=label.span)

    def conditional(self, e: tree.Conditional, scope: Scope) -> core.Expression:
        parts = tuple(self.expression(x, scope) for x in (e.condition, e.then, e.otherwise))
        return core.Apply("where", parts, span=e.span)

    def index(self, e: tree.Index, scope: Scope) -> core.Expression:
        if isinstance(e.base, tree.Name) and e.base.name in self.silent:
            return core.Constant(0.0, span=e.span)
        base = self.expression(e.base, scope)
        kind = self.kind(base)
        indices: list[core.Expression] = []
        one_hot: list[bool] = []
        for position, i in enumerate(e.indices):
            if isinstance(i, tree.Name) and i.name == "all":
                indices.append(core.Whole(span=i.span))
            elif isinstance(i, tree.Name) and i.name == "others":
                indices.append(core.Others(self.family_axis(base, position, i, scope), span=i.span))
            elif isinstance(i, tree.Name) and i.name in kind.labels and i.name not in scope.arguments:
                indices.append(core.Constant(float(kind.labels.index(i.name) + 1), span=i.span))
            else:
                indices.append(self.expression(i, scope))
            one_hot.append(not isinstance(indices[-1], (core.Whole, core.Others))
                           and self.kind(indices[-1]).kind == "choice")
        return core.Select(base, tuple(indices), tuple(one_hot), span=e.span)

    def family_axis(self, base: core.Expression, position: int, word: tree.Name, scope: Scope) -> core.Axis:
        """The loop whose own member ``others`` leaves out: the innermost over the same domain as the indexed array."""
        made = self.site_axes.get(base.site, ()) if isinstance(base, core.Reference) else ()
        family = made[position].family if position < len(made) else None
        for axis in reversed(scope.axes):
            if family is None or axis.family == family:
                return axis
        raise Unlowered("L003", "`others` stands outside a loop over the family", word.span)

    def call(self, e: tree.Call, scope: Scope) -> core.Expression:
        if not isinstance(e.function, (tree.Name, tree.Index)):
            raise Unlowered("L003", "this call cannot be lowered", e.span)
        if isinstance(e.function, tree.Index) and isinstance(e.function.base, tree.Name) and e.function.base.name in self.broken:
            raise Silenced
        if isinstance(e.function, tree.Index) or e.function.name in self.kinds:
            raise Unlowered("L003", "a decision that is a function cannot be lowered yet", e.span)
        name = e.function.name
        if name in self.broken:
            raise Silenced
        arguments = [a.value for a in e.arguments]
        if name in self.checked.definitions and name not in scope.arguments:
            definition = self.checked.definitions[name]
            values = {p: self.expression(a, scope) for p, a in zip(definition.parameters, arguments, strict=True)}
            return self.expression(definition.body, Scope(scope.axes, {}, values, scope.guards))
        if name in UNLOWERED_FUNCTIONS:
            raise Unlowered("L003", f"`{name}` cannot be lowered yet", e.span)
        special = SPECIAL_CALLS.get(name)
        if special is not None:
            return special(self, e, arguments, scope)
        if len(arguments) == 1 and isinstance(arguments[0], tree.Comprehension):
            return self.fold(name, arguments[0], scope)
        values_ = tuple(self.expression(a, scope) for a in arguments)
        if name == "mask" and not scope.arguments:
            seen = self.static(arguments[1], scope)
            if seen is not None:  # decided by parameters: nothing is blanked, or there is nothing to see
                return values_[0] if seen else core.Constant(0.0, span=e.span)
        if name in ("max", "min") and len(values_) > 1:
            name = {"max": "maximum", "min": "minimum"}[name]
        return core.Apply(name, values_, span=e.span)

    def fold(self, reduction: str, c: tree.Comprehension, scope: Scope) -> core.Expression:
        axis = self.axis(c.binder, c.domain, scope)
        inner = scope.index(c.binder, axis)
        condition = None if c.condition is None else self.expression(c.condition, inner)
        return core.Fold(reduction, axis, self.expression(c.body, inner), condition, span=c.span)

    def size_call(self, e: tree.Call, arguments: list[tree.Expression], scope: Scope) -> core.Expression:
        (family,) = arguments
        if isinstance(family, tree.Name) and family.name in self.checked.players:
            return core.Constant(float(self.checked.players[family.name].size or 1), span=e.span)
        return core.Constant(float(self.kind(self.expression(family, scope)).shape[0]), span=e.span)

    def onehot_call(self, e: tree.Call, arguments: list[tree.Expression], scope: Scope) -> core.Expression:
        value = self.expression(arguments[0], scope)
        size = self.kind(value).size if len(arguments) == 1 else round(float(
            self.constant(arguments[1])))
        if size is None:
            raise Unlowered("L003", "`onehot` needs to know how many categories there are", e.span)
        one, zero = core.Constant(1.0), core.Constant(0.0)
        parts = tuple(core.Apply("where", (core.Apply("eq", (value, core.Constant(float(k)))), one, zero))
                      for k in range(1, size + 1))
        return core.Stack(parts, span=e.span)

    def account_call(self, e: tree.Call, arguments: list[tree.Expression], scope: Scope) -> core.Expression:
        assert isinstance(e.function, tree.Name)
        who = arguments[0]
        if isinstance(who, tree.Index) and isinstance(who.base, tree.Name):
            member = round(self.constant(who.indices[0])) - 1
            return core.Account(e.function.name, who.base.name, member, span=e.span)
        return core.Account(e.function.name, who.span.text.strip(), None, span=e.span)

    def rule_call(self, e: tree.Call, arguments: list[tree.Expression], scope: Scope) -> core.Expression:
        who, *inputs = arguments
        member = None
        if isinstance(who, tree.Index):
            member = round(self.constant(who.indices[0])) - 1
            who = who.base
        return core.Rule(who.span.text.strip(), member, tuple(self.expression(i, scope) for i in inputs), span=e.span)

    def moment(self, e: tree.Moment, scope: Scope) -> core.Expression:
        given = None if e.given is None else self.expression(e.given, scope)
        return core.Moment(e.kind, tuple(self.expression(a, scope) for a in e.arguments), given, span=e.span)


STATEMENTS: dict[type, Callable] = {
    tree.Player: Elaborator.skip, tree.Team: Elaborator.skip, tree.Param: Elaborator.skip, tree.Def: Elaborator.skip,
    tree.GameHeader: Elaborator.skip, tree.Cite: Elaborator.skip, tree.Use: Elaborator.skip, tree.Gradient: Elaborator.skip,
    tree.Random: Elaborator.random, tree.Let: Elaborator.let, tree.Decide: Elaborator.decide,
    tree.Payment: Elaborator.payment, tree.For: Elaborator.loop, tree.When: Elaborator.when,
    tree.Channel: Elaborator.channel, tree.Send: Elaborator.send, tree.Measure: Elaborator.measure,
    tree.Known: Elaborator.known, tree.Tap: Elaborator.tap, tree.Policy: Elaborator.policy, tree.Train: Elaborator.train,
    tree.Plot: Elaborator.plot,
}

EXPRESSIONS: dict[type, Callable] = {
    tree.Number: Elaborator.number, tree.Name: Elaborator.name, tree.ArrayLiteral: Elaborator.array,
    tree.Unary: Elaborator.unary, tree.Binary: Elaborator.binary, tree.Conditional: Elaborator.conditional,
    tree.Index: Elaborator.index, tree.Call: Elaborator.call, tree.Moment: Elaborator.moment,
}

SPECIAL_CALLS: dict[str, Callable] = {
    "size": Elaborator.size_call, "onehot": Elaborator.onehot_call, "cost": Elaborator.account_call,
    "payoff": Elaborator.account_call, "rule": Elaborator.rule_call,
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


def as_constant(value: object) -> float | tuple:
    """A parameter's value as a number or a nested tuple of numbers."""
    items = getattr(value, "tolist", lambda: value)()
    if isinstance(items, (list, tuple)):
        return tuple(as_constant(v) for v in items)
    return float(items)  # type: ignore[arg-type]
