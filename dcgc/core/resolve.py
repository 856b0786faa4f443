"""Names and expressions: from the tree to core expressions, in a scope.

What a name means depends on where it stands: an argument of a definition, the index of a loop, a site, a parameter. Definitions are
inlined, labels become numbers, and what has no computation yet is raised as ``Unlowered``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..semantics import constants
from ..semantics.checked import CheckedGame
from ..source import Ledger, Span
from ..syntax import tree
from . import bases, memory, stages
from . import expression as core
from .bases import Basis
from .kinds import constant_shape, infer
from .naming import written
from .scope import Scope, Silenced, Unlowered, Whole
from .shapes import OPERATORS, Kind
from .site import Actor, Channel, Constraint, Equation, Measure, Plot, PolicyChoice, Published, Route, Site, StageBlock

LARGEST_EXPRESSION = 20_000  # nodes of one expression after inlining definitions and lets
LARGEST_GAME = 400_000  # nodes of all expressions together

REDUCTION_WORDS = frozenset({"sum", "mean", "prod", "max", "min"})


class Resolver:
    """The state of one elaboration, and the meaning of expressions in it."""

    def __init__(self, checked: CheckedGame, ledger: Ledger, form: str = "auto"):
        self.checked = checked
        self.ledger = ledger
        self.form = form  # of stages: auto | written | scanned
        self.block: StageBlock | None = None
        self.values = {name: p.value for name, p in checked.params.items()}
        self.sizes_of_families = {p.name: p.size for p in checked.players.values() if p.size is not None}
        self.sites: list[Site] = []
        self.kinds: dict[str, Kind] = {}
        self.parameter_shapes = {name: constant_shape(as_constant(v)) for name, v in self.values.items()}
        self.site_axes: dict[str, tuple[core.Axis, ...]] = {}
        self.silent: set[str] = set()
        self.declared: dict[str, tree.Channel] = {}
        self.channels: list[Channel] = []
        self.constraints: list[Constraint] = []
        self.equations: list[Equation] = []
        self.unknown: str | None = None  # of the equation at hand
        self.committed: list[tuple[str, int | None]] = []
        self.shares: dict[str, float] = {}
        self.decoders: dict[str, Callable[[core.Expression], core.Expression]] = {}
        self.functions: dict[str, Basis] = {}  # what is a whole function
        self.observing = False
        self.averaged: set[str] = set()
        self.divided: list[tuple[tuple[str, ...], float]] = []
        self.postponed: list[tuple[tree.TotalBudget, Scope]] = []
        self.settling = False
        self.broken: set[str] = set()
        self.deciding = Actor("")
        self.measures: list[Measure] = []
        self.published: list[Published] = []
        self.plots: list[Plot] = []
        self.taps: list[str] = []
        self.policies: list[PolicyChoice] = []
        self.settings: list[tuple[str, float | bool | str]] = []
        self.routes: list[Route] = []
        self.gradient_budget: Span | None = None
        self.time = stages.Stages()
        self.now: dict[str, float] = {}  # the number of the stage, by its name
        self.aliases: dict[str, str] = {}  # names whose site has another name: states, and the past of a name
        self.counter = 0
        self.nodes = 0
        self.let_sizes: dict[str, int] = {}
        self.sizes: dict[int, int] = {}
        self.kept: list[core.Expression] = []  # keeps ids in ``sizes`` alive

    @contextmanager
    def known_as(self, name: str, site: str) -> Iterator[None]:
        """While a name stands for another site: a value of its past."""
        before = self.aliases.get(name)
        self.aliases[name] = site
        try:
            yield
        finally:
            if before is None:
                del self.aliases[name]
            else:
                self.aliases[name] = before

    def kind(self, e: core.Expression) -> Kind:
        try:
            return infer(e, self.kinds, self.parameter_shapes)
        except (ValueError, IndexError, KeyError) as problem:
            assert e.span is not None
            raise Unlowered("L003", f"this expression cannot be lowered: {problem}", e.span) from None

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
        value = constants.evaluate(e, {**self.checked.constants, **self.now}, self.checked.definitions, self.sizes_of_families)
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
        handler: Callable[[Resolver, tree.Expression, Scope], core.Expression] | None = EXPRESSIONS.get(type(e))
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
        if e.name == self.unknown and not scope.axes:
            return core.Unknown(e.name, span=e.span)
        if e.name in self.now:
            return core.Constant(self.now[e.name], span=e.span)
        site = self.aliases.get(e.name, e.name)
        if e.name in self.time.refused:
            why, hint = self.time.refused[e.name]
            raise Unlowered("L001", f"the last value of `{e.name}` {why} cannot be lowered yet", e.span, hint)
        if site in self.decoders and not self.observing and not self.site_axes[site]:
            return self.decoders[site](core.Reference(site, span=e.span))
        if site in self.kinds:
            return core.Reference(site, span=e.span)
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
        known = e.name in scope.indices or self.aliases.get(e.name, e.name) in self.kinds or e.name in self.values or \
            e.name in self.now or e.name in self.broken
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
        if isinstance(e.base, tree.Name) and e.base.name == self.unknown:
            return self.own_unknown(e, scope)
        base = self.expression(e.base, scope)
        if isinstance(e.base, tree.Call) and isinstance(base, core.Constant) and not isinstance(base.value, tuple):
            return base  # what a silent channel sent
        rest = e.indices
        if stages.is_history(e.base) and isinstance(base, core.Stack):
            at = self.static(rest[0], scope)
            if at is not None:  # an entry of a history is itself, and blank where there is none yet
                blank = core.Constant(stages.zeros(self.kind(base).shape[1:]), span=e.span)
                base, rest = base.items[round(at) - 1] if at <= len(base.items) else blank, rest[1:]
                if not rest:
                    return base
        elif stages.is_history(e.base) and isinstance(base, core.Constant):
            return base
        kind = self.kind(base)
        indices: list[core.Expression] = []
        one_hot: list[bool] = []
        for position, i in enumerate(rest):
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

    def own_unknown(self, e: tree.Index, scope: Scope) -> core.Expression:
        """The unknown of this member's equation."""
        assert self.unknown is not None
        named = [scope.indices.get(i.name) if isinstance(i, tree.Name) else None for i in e.indices]
        if tuple(named) != scope.axes:
            raise Unlowered("L001", "an equation in the unknowns of several members cannot be lowered yet", e.span,
                            "each member's equation may hold its own unknown alone")
        return core.Unknown(self.unknown, span=e.span)

    def family_axis(self, base: core.Expression, position: int, word: tree.Name, scope: Scope) -> core.Axis:
        """The loop whose own member ``others`` leaves out: the innermost over the same domain as the indexed array."""
        made = self.site_axes.get(base.site, ()) if isinstance(base, core.Reference) else ()
        family = made[position].family if position < len(made) else None
        for axis in reversed(scope.axes):
            if family is None or axis.family == family:
                return axis
        raise Unlowered("L003", "`others` stands outside a loop over the family", word.span)

    def call(self, e: tree.Call, scope: Scope) -> core.Expression:
        if not isinstance(e.function, (tree.Name, tree.Index, tree.Call)):
            raise Unlowered("L003", "this call cannot be lowered", e.span)
        if isinstance(e.function, tree.Index) and isinstance(e.function.base, tree.Name) and e.function.base.name in self.broken:
            raise Silenced
        if isinstance(e.function, (tree.Index, tree.Call)) or e.function.name in self.functions or e.function.name in scope.functions or \
                e.function.name in self.silent:
            return self.applied(e, scope)
        name = e.function.name
        if name in self.broken:
            raise Silenced
        arguments = [a.value for a in e.arguments]
        if name in self.checked.definitions and name not in scope.arguments:
            definition = self.checked.definitions[name]
            values = {p: self.expression(a, scope) for p, a in zip(definition.parameters, arguments, strict=True)}
            whole = {p: self.function(a, scope) for p, a in zip(definition.parameters, arguments, strict=True)}
            functions = {p: f for p, f in whole.items() if f is not None}
            return self.expression(definition.body, Scope(scope.axes, {}, values, scope.guards, functions))
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
        if len(values_) == 1 and self.time.once:
            over_past = memory.reduced(self, name, values_[0], e.span)
            if over_past is not None:
                return over_past
        if name in ("max", "min") and len(values_) > 1:
            name = {"max": "maximum", "min": "minimum"}[name]
        return core.Apply(name, values_, span=e.span)

    def applied(self, e: tree.Call, scope: Scope) -> core.Expression:
        """A decision, a message or a regression that is a whole function, at a point."""
        base = e.function.base if isinstance(e.function, tree.Index) else e.function
        if isinstance(base, tree.Name) and base.name in self.silent:
            return core.Constant(0.0, span=e.span)
        if isinstance(base, tree.Name) and base.name in self.broken:
            raise Silenced
        found = self.function(e.function, scope)
        if found is None:
            raise Unlowered("L003", "this function cannot be lowered", e.function.span)
        basis, coefficients = found
        return bases.applied(basis, coefficients, self.expression(e.arguments[0].value, scope), e.span)

    def function(self, e: tree.Expression, scope: Scope) -> Whole | None:
        """The whole function that an expression is: its basis and coefficients; None if it is none."""
        base = e.base if isinstance(e, tree.Index) else e
        if isinstance(base, tree.Name):
            if base.name in scope.functions:
                return scope.functions[base.name]
            basis = self.functions.get(base.name)
            if basis is None or base.name in scope.arguments or base.name in self.broken:
                return None
            if basis.name != "kernel":
                return basis, self.expression(e, scope)
            inside = tree.Name(coefficients_of(base.name), span=base.span)
            return basis, self.expression(replace_base(e, inside), scope)
        if isinstance(e, tree.Call) and isinstance(e.function, tree.Name) and e.function.name == "kernel_ridge":
            made = self.regression(e, scope)
            size, columns = self.kind(made).shape
            vectors = len(self.kind(made.arguments[0]).shape) > 1
            return Basis("kernel", size, dimension=columns - 2 if vectors else None), made
        if isinstance(e, tree.Call) and isinstance(e.function, tree.Name) and e.function.name == "sent" and \
                f"sent({e.arguments[0].value.span.text.strip()})" in self.functions:
            return self.functions[f"sent({e.arguments[0].value.span.text.strip()})"], self.expression(e, scope)
        return None

    def regression(self, e: tree.Call, scope: Scope) -> core.Apply:
        """The coefficients of a kernel regression, a row a point."""
        return core.Apply("kernel_ridge", tuple(self.expression(a.value, scope) for a in e.arguments), span=e.span)

    def kernel_call(self, e: tree.Call, arguments: list[tree.Expression], scope: Scope) -> core.Expression:
        """A kernel regression where a number is wanted: its predictions at its own points."""
        return core.Apply("predictions", (self.regression(e, scope),), span=e.span)

    def fold(self, reduction: str, c: tree.Comprehension, scope: Scope) -> core.Expression:
        if isinstance(c.domain, tree.ArrayLiteral):
            return self.over(reduction, c, c.domain, scope)
        axis = self.axis(c.binder, c.domain, scope)
        inner = scope.index(c.binder, axis)
        condition = None if c.condition is None else self.expression(c.condition, inner)
        return core.Fold(reduction, axis, self.expression(c.body, inner), condition, span=c.span)

    def over(self, operation: str, c: tree.Comprehension, interval: tree.ArrayLiteral, scope: Scope) -> core.Expression:
        """An integral or an extremum over an interval."""
        low, high = (self.expression(x, scope) for x in interval.items)
        self.counter += 1
        name = f"{c.binder}.{self.counter}"
        body = self.expression(c.body, scope.argument(c.binder, core.Unknown(name, span=c.span)))
        return core.Over(operation, name, low, high, body, span=c.span)

    def size_call(self, e: tree.Call, arguments: list[tree.Expression], scope: Scope) -> core.Expression:
        (family,) = arguments
        if isinstance(family, tree.Name) and family.name in self.checked.players:
            return core.Constant(float(self.checked.players[family.name].size or 1), span=e.span)
        return core.Constant(float(self.kind(self.expression(family, scope)).shape[0]), span=e.span)

    def onehot_call(self, e: tree.Call, arguments: list[tree.Expression], scope: Scope) -> core.Expression:
        value = self.expression(arguments[0], scope)
        if len(arguments) > 1:
            size: int | None = round(self.constant(arguments[1]))
        else:
            size = self.time.total if arguments[0].span.text.strip() in self.now else self.kind(value).size
        if size is None:
            raise Unlowered("L003", "`onehot` needs to know how many categories there are", e.span)
        one, zero = core.Constant(1.0), core.Constant(0.0)
        parts = tuple(core.Apply("where", (core.Apply("eq", (value, core.Constant(float(k)))), one, zero))
                      for k in range(1, size + 1))
        return core.Stack(parts, span=e.span)

    def sent_call(self, e: tree.Call, arguments: list[tree.Expression], scope: Scope) -> core.Expression:
        """What the sender put in, before noise."""
        inner = arguments[0]
        base = inner.base if isinstance(inner, tree.Index) else inner
        if not isinstance(base, tree.Name) or base.name in self.silent:
            return core.Constant(0.0, span=e.span)
        if base.name in self.broken:
            raise Silenced
        site = f"sent({base.name})"
        if site not in self.kinds:  # nothing was added to it
            return self.expression(inner, scope)
        reference: core.Expression = core.Reference(site, span=e.span)
        if isinstance(inner, tree.Index):
            indices = tuple(self.expression(i, scope) for i in inner.indices)
            return core.Select(reference, indices, (False,) * len(indices), span=e.span)
        if site in self.decoders and not self.observing and not self.site_axes[site]:
            return self.decoders[site](reference)
        return reference

    def rate_call(self, e: tree.Call, arguments: list[tree.Expression], scope: Scope) -> core.Expression:
        """Bits that one use carries."""
        inner = arguments[0]
        base = inner.base if isinstance(inner, tree.Index) else inner
        assert isinstance(base, tree.Name)
        if base.name in self.silent:
            return core.Constant(0.0, span=e.span)
        if base.name in self.broken:
            raise Silenced
        uses = [c for c in self.channels if c.name == base.name or (base.name in self.time.made and written(c.name) == base.name)]
        if not uses:
            raise Unlowered("L003", f"`{base.name}` has not been sent where its rate is asked", e.span)
        total: core.Expression | None = None
        for channel in uses:  # one a stage: of one use on average
            density: core.Expression = channel.information
            if channel.axes:
                member = core.Constant(self.constant(inner.indices[0])) if isinstance(inner, tree.Index) else core.Constant(1.0)
                density = for_member(density, channel.axes[0], member)
            total = density if total is None else core.Apply("add", (total, density), span=e.span)
        assert total is not None
        if len(uses) > 1:
            total = core.Apply("div", (total, core.Constant(float(len(uses)))), span=e.span)
        nats = core.Moment("E", (total,), None, span=e.span)
        return core.Apply("div", (nats, core.Constant(0.6931471805599453)), span=e.span)

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
        name = who.span.text.strip()
        if name in self.broken:
            raise Silenced
        if name in self.time.knowing:
            name, inputs = stages.rule_in(self, name, inputs, e)
        return core.Rule(name, member, tuple(self.expression(i, scope) for i in inputs), span=e.span)

    def moment(self, e: tree.Moment, scope: Scope) -> core.Expression:
        given = None if e.given is None else self.expression(e.given, scope)
        return core.Moment(e.kind, tuple(self.expression(a, scope) for a in e.arguments), given, span=e.span)


EXPRESSIONS: dict[type, Callable] = {
    tree.Number: Resolver.number, tree.Name: Resolver.name, tree.ArrayLiteral: Resolver.array,
    tree.Unary: Resolver.unary, tree.Binary: Resolver.binary, tree.Conditional: Resolver.conditional,
    tree.Index: Resolver.index, tree.Call: Resolver.call, tree.Moment: Resolver.moment,
}

SPECIAL_CALLS: dict[str, Callable] = {
    "kernel_ridge": Resolver.kernel_call, "sent": Resolver.sent_call, "rate": Resolver.rate_call,
    "size": Resolver.size_call, "onehot": Resolver.onehot_call, "cost": Resolver.account_call,
    "payoff": Resolver.account_call, "rule": Resolver.rule_call, "history": stages.history, "last": stages.last,
}


def as_constant(value: object) -> float | tuple:
    """A parameter's value as a number or a nested tuple of numbers."""
    items = getattr(value, "tolist", lambda: value)()
    if isinstance(items, (list, tuple)):
        return tuple(as_constant(v) for v in items)
    return float(items)  # type: ignore[arg-type]


def for_member(e: core.Expression, axis: core.Axis, member: core.Expression) -> core.Expression:
    """The expression of a loop for one of its members."""
    if isinstance(e, core.Member) and e.axis == axis:
        return member
    return core.rebuild(e, lambda c: for_member(c, axis, member))


def coefficients_of(name: str) -> str:
    """The site that has the coefficients of a regression's function; the site of its own name has its predictions."""
    return f"coefficients({name})"


def replace_base(e: tree.Expression, base: tree.Name) -> tree.Expression:
    """``base`` with the indices of ``e``, if it has any."""
    return tree.Index(base, e.indices, span=e.span) if isinstance(e, tree.Index) else base
