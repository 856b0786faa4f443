"""What can be inferred: which expressions are functions of those that somebody sees.

Every expression is brought into a linear form over atoms (draws, decisions, and whatever is no sum of others), each written once. A
form is known if it lies in the span of the known ones, where an atom f(a, b, ..) is known as soon as a, b, .. are. What is seen
through an invertible function (``exp(x)``) is seen itself. This finds x1 = x0 + u1 from x0 and u1, and w from y = x + w and x; it is
sound and, for what is not linear, not complete: what is said to be known is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..core.expression import Apply, Constant, Expression, Fold, Parameter, Reference, Select, Stack
from ..core.site import Decision, Game, Let, Payment, Site

INVERTIBLE = frozenset({"exp", "log", "sqrt", "tanh", "sigmoid"})
LONGEST = 40  # atoms of a form; a longer one is an atom itself
ACCURACY = 1e-9


@dataclass(frozen=True)
class Form:
    """constant + sum of coefficient * atom."""

    terms: tuple[tuple[int, float], ...] = ()
    constant: float = 0.0

    def __add__(self, other: Form) -> Form:
        total = dict(self.terms)
        for atom, c in other.terms:
            total[atom] = total.get(atom, 0.0) + c
        scale = max((abs(c) for _, c in (*self.terms, *other.terms)), default=0.0)
        return Form(tuple(sorted((a, c) for a, c in total.items() if abs(c) > ACCURACY * scale)), self.constant + other.constant)

    def __mul__(self, factor: float) -> Form:
        return Form(tuple((a, c * factor) for a, c in self.terms) if factor else (), self.constant * factor)

    @property
    def moving(self) -> Form:
        """Without the constant."""
        return Form(self.terms)


@dataclass
class Atoms:
    """The forms of a game's expressions. ``made``: the number of each atom; ``parts``: the forms that an atom is a function of (None: it
    is a draw or a decision, or is not looked into)."""

    game: Game
    made: dict[object, int] = field(default_factory=dict)
    parts: list[tuple[Form, ...] | None] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    _forms: dict[str, Form] = field(default_factory=dict)
    _sites: Mapping[str, Site] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sites = {s.name: s for s in self.game.sites}
        for site in self.game.sites:  # in time order: nothing is deep
            if isinstance(site, Let):
                plain = not site.axes and not site.guards
                self._forms[site.name] = self.form(site.value) if plain else self.atom(("site", site.name), None, "", site.name)

    def atom(self, key: object, parts: tuple[Form, ...] | None, function: str = "", name: str = "") -> Form:
        """The form of one atom."""
        if key not in self.made:
            self.made[key] = len(self.parts)
            self.parts.append(parts)
            self.functions.append(function)
            self.names.append(name)
        return Form(((self.made[key], 1.0),))

    def is_choice(self, form: Form) -> bool:
        """Whether a form is a decision among options, which one of its entries tells if it is 1."""
        name = self.names[form.terms[0][0]] if len(form.terms) == 1 and not form.constant else ""
        site = self._sites.get(name)
        return isinstance(site, Decision) and site.kind == "choice"

    def of_site(self, name: str) -> Form:
        """The form of a site's value."""
        site = self._sites.get(name)
        if isinstance(site, Let) and name in self._forms:
            form = self._forms[name]
            if len(form.terms) <= LONGEST:
                return form
        return self.atom(("site", name), None, "", name)

    def form(self, e: Expression) -> Form:
        """The linear form of an expression."""
        if isinstance(e, Reference):
            return self.of_site(e.site)
        if isinstance(e, Constant) and not isinstance(e.value, tuple):
            return Form((), float(e.value))
        if isinstance(e, Parameter):
            value = self.game.parameters[e.name]
            return Form((), float(value)) if not isinstance(value, tuple) else self.atom(("parameter", e.name), ())
        if isinstance(e, Apply):
            if e.function in ("sum", "mean") and len(e.arguments) == 1 and isinstance(e.arguments[0], Stack):
                return self.added(e.arguments[0], e.function)
            return self.applied(e.function, [self.form(a) for a in e.arguments])
        if isinstance(e, (Stack, Select, Fold)):
            parts = tuple(self.form(c) for c in e.children)
            if isinstance(e, Stack):
                return self.atom(("stack", parts), parts, "stack")
            if isinstance(e, Select):
                return self.atom(("select", parts, e.one_hot, tuple(type(i).__name__ for i in e.indices)), parts, "select")
            return self.atom(("fold", e.reduction, e.axis, parts), parts)
        parts = tuple(self.form(c) for c in e.children)
        return self.atom((type(e).__name__, e if not parts else parts), parts)

    def added(self, items: Stack, function: str) -> Form:
        """The sum or the mean of an array that is written out."""
        total, count = Form(), 0
        waiting = list(items.items)
        while waiting:
            item = waiting.pop()
            if isinstance(item, Stack):
                waiting.extend(item.items)
            else:
                total, count = total + self.form(item), count + 1
        return total * (1.0 / count) if function == "mean" and count else total

    def applied(self, function: str, parts: list[Form]) -> Form:
        """The form of a function of forms."""
        if function in ("add", "sub") and len(parts) == 2:
            return parts[0] + parts[1] * (1.0 if function == "add" else -1.0)
        if function == "neg":
            return parts[0] * -1.0
        if function == "not":
            return Form((), 1.0) + parts[0] * -1.0
        if function == "where":  # a condition is 0 or 1
            return parts[2] + self.applied("mul", [parts[0], parts[1] + parts[2] * -1.0])
        if function == "mul" and any(not p.terms for p in parts):
            fixed, other = (parts[0], parts[1]) if not parts[0].terms else (parts[1], parts[0])
            return other * fixed.constant
        if function == "div" and not parts[1].terms and parts[1].constant:
            return parts[0] * (1.0 / parts[1].constant)
        if function in ("mul", "and", "or", "eq", "maximum", "minimum"):
            if function == "mul":  # a * b and (-a) * (-b) are one atom
                factor = 1.0
                for k, p in enumerate(parts):
                    factor *= p.terms[0][1]
                    parts[k] = p * (1.0 / p.terms[0][1])
                parts = sorted(parts, key=lambda p: (p.terms, p.constant))
                return self.atom(("mul", tuple(parts)), tuple(parts), "mul") * factor
            parts = sorted(parts, key=lambda p: (p.terms, p.constant))
        return self.atom((function, tuple(parts)), tuple(parts), function)


def implied(atoms: Atoms, condition: Form) -> list[Form]:
    """Forms that are known where a condition holds: every part of a conjunction, and both sides of an equation with a constant."""
    if len(condition.terms) != 1 or condition.constant:
        return []
    atom = condition.terms[0][0]
    parts, function = atoms.parts[atom] or (), atoms.functions[atom]
    if function in ("and", "mul"):
        return [f for p in parts for f in (p, *implied(atoms, p))]
    if function == "eq" and any(not p.terms for p in parts):
        return list(parts)
    if function == "select" and atoms.is_choice(parts[0]):
        return [parts[0]]
    return []


class Knowledge:
    """What follows from seeing certain expressions; ``conditions`` are seen to hold."""

    def __init__(self, atoms: Atoms, seen: Iterable[Form], conditions: Iterable[Form] = ()):
        self.atoms = atoms
        self.rows: dict[int, Form] = {}  # by leading atom, none of which stands in another row
        self._known: dict[int, bool] = {}
        waiting = [*seen, *(f for c in conditions for f in implied(atoms, c))]
        while waiting:
            waiting.extend(self.learn(waiting.pop()))

    def learn(self, form: Form) -> list[Form]:
        """Take up one more known form; returns those that follow by inverting a function."""
        if atoms := [a for a, _ in form.terms if self.atoms.functions[a] == "stack"]:
            if len(form.terms) == 1:
                return list(self.atoms.parts[atoms[0]] or ())
        left = self.reduce(form.moving)
        if not left.terms:
            return []
        self._known.clear()
        lead, coefficient = max(left.terms, key=lambda t: abs(t[1]))
        left = left * (1.0 / coefficient)
        for other, row in list(self.rows.items()):
            factor = dict(row.terms).get(lead)
            if factor:
                self.rows[other] = row + left * -factor
        self.rows[lead] = left
        if len(left.terms) == 1 and self.atoms.functions[lead] in INVERTIBLE:
            return [p for p in self.atoms.parts[lead] or ()]
        return []

    def reduce(self, form: Form) -> Form:
        """What is left of a form when all that is known is taken away."""
        left = form
        for atom, c in form.terms:
            if atom in self.rows:
                left = left + self.rows[atom] * -c
        return left

    def knows(self, form: Form) -> bool:
        """Whether the form is a function of what is seen, so far as can be told."""
        left = self.reduce(form.moving)
        return all(self.knows_atom(a) for a, _ in left.terms)

    def knows_atom(self, atom: int) -> bool:
        if atom not in self._known:
            row = self.rows.get(atom)
            parts = self.atoms.parts[atom]
            self._known[atom] = False  # while it is looked into
            self._known[atom] = (row is not None and len(row.terms) == 1) or \
                (parts is not None and all(self.knows(p) for p in parts))
        return self._known[atom]

    @property
    def sites(self) -> tuple[str, ...]:
        """Draws and decisions whose value follows."""
        return tuple(self.atoms.names[a] for a, row in self.rows.items() if len(row.terms) == 1 and self.atoms.names[a])

    @property
    def rank(self) -> int:
        """How many numbers are known that do not follow from each other linearly."""
        return len(self.rows)


def payment_form(atoms: Atoms, payment: Payment) -> Form:
    """A payment as a linear form (a guard makes it an atom of its own)."""
    form = atoms.form(payment.cost)
    if not payment.guards:
        return form
    parts = (form, *(atoms.form(g) for g in payment.guards))
    return atoms.atom(("guarded", parts), parts)
