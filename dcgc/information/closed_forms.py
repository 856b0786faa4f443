"""Which decisions have a closed-form best response: last movers with a quadratic cost, recognised with SymPy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.expression import Apply, Constant, Expression, Member, Over, Parameter, Reference, Select, references, show, walk
from ..core.site import Decision, Game, Payment
from .dependence import Dependence

if TYPE_CHECKING:
    import sympy

LARGEST = 400  # nodes of a cost that is looked at


@dataclass(frozen=True)
class ClosedForm:
    """``u* = E[minus_linear | known] / E[curvature | known]`` for E[cost] = curvature u^2 / 2 - minus_linear u + ...;
    ``payments``: the payments whose sum is minimised; ``text``: the formula."""

    decision: str
    payments: tuple[str, ...]
    text: str


def closed_forms(game: Game, dependence: Dependence, payments_of: dict[str, tuple[Payment, ...]]) -> dict[str, ClosedForm]:
    """Closed forms by decision. ``payments_of``: the payments that count for each decision's player.

    A set without circles: what one of them replies to does not reply to it in turn.
    """
    found: dict[str, ClosedForm] = {}
    for d in reversed(game.decisions):
        if d.kind != "real" or d.shape or d.axes or d.mixed or d.guards or dependence.observers(d.name):
            continue
        payments = tuple(p for p in payments_of[d.name] if p.name in dependence.payments_of(d.name))
        if not payments or circular(d, payments, found, dependence, payments_of):
            continue
        text = quadratic(d, payments, dependence)
        if text is not None:
            found[d.name] = ClosedForm(d.name, tuple(p.name for p in payments), text)
    return found


def circular(d: Decision, payments: tuple[Payment, ...], found: Iterable[str], dependence: Dependence,
             payments_of: dict[str, tuple[Payment, ...]]) -> bool:
    """Whether a decision already solved replies to ``d`` while ``d`` replies to it."""
    mine = frozenset().union(*(dependence.ancestors[p.name] for p in payments))
    for other in found:
        theirs = frozenset().union(*(dependence.ancestors[p.name] for p in payments_of[other]
                                     if p.name in dependence.payments_of(other)))
        if other in mine and d.name in theirs:
            return True
    return False


def quadratic(d: Decision, payments: tuple[Payment, ...], dependence: Dependence) -> str | None:
    """The formula of the best response if the cost is quadratic and convex in ``d``, else None."""
    import sympy

    names: dict[str, sympy.Symbol] = {}
    u = sympy.Symbol("u", real=True)
    total: Any = sympy.Integer(0)
    for p in payments:
        cost = expand_around(p.cost, d.name, dependence)
        if sum(1 for _ in walk(cost)) > LARGEST or p.guards:
            return None
        converted = to_sympy(cost, d.name, u, names)
        if converted is None:
            return None
        total += converted
    total = sympy.expand(total)
    if not total.is_polynomial(u):
        return None
    polynomial = sympy.Poly(total, u)
    if polynomial.degree() != 2:
        return None
    curvature, slope = 2 * polynomial.coeff_monomial(u**2), polynomial.coeff_monomial(u)
    if curvature.is_nonpositive:
        return None
    known = ", ".join(show(o.expression) for o in d.observations) or "nothing"
    if not curvature.free_symbols or curvature.is_constant():
        inside = sympy.simplify(-slope / curvature)
        return f"{d.name} = E[{readable(inside, names)} | {known}]"
    return f"{d.name} = E[{readable(sympy.simplify(-slope), names)} | {known}] / E[{readable(curvature, names)} | {known}]"


def expand_around(e: Expression, name: str, dependence: Dependence) -> Expression:
    """The expression with those lets inlined that depend on a site; others stay names."""
    from ..core.expression import rebuild
    from ..core.site import Let

    if isinstance(e, Reference):
        site = dependence.sites[e.site]
        if isinstance(site, Let) and not site.axes and name in dependence.ancestors[e.site]:
            return expand_around(site.value, name, dependence)
        return e
    return rebuild(e, lambda c: expand_around(c, name, dependence))


def to_sympy(e: Expression, name: str, u: Any, names: dict[str, Any]) -> Any:
    """A SymPy expression in ``u``; what does not mention the decision and is no arithmetic becomes a symbol; None if impossible."""
    import sympy

    arithmetic = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
                  "neg": lambda a: -a}
    if isinstance(e, Reference) and e.site == name:
        return u
    if isinstance(e, Constant) and not isinstance(e.value, tuple):
        return sympy.nsimplify(e.value, rational=True) if abs(e.value) < 1e12 else sympy.Float(e.value)
    if isinstance(e, Apply) and e.function in arithmetic:
        parts = [to_sympy(a, name, u, names) for a in e.arguments]
        return None if any(p is None for p in parts) else arithmetic[e.function](*parts)
    if isinstance(e, Apply) and e.function == "pow" and isinstance(e.arguments[1], Constant) and \
            not isinstance(e.arguments[1].value, tuple) and float(e.arguments[1].value).is_integer() and \
            0 <= e.arguments[1].value <= 8:
        base = to_sympy(e.arguments[0], name, u, names)
        return None if base is None else base ** int(e.arguments[1].value)
    if name in references(e):
        return None
    key = show(e)
    if not isinstance(e, (Reference, Parameter, Select, Apply, Member, Over)):
        return None
    return names.setdefault(key, sympy.Symbol(f"s{len(names)}", real=True))


def readable(e: Any, names: dict[str, Any]) -> str:
    import sympy

    back = {symbol: sympy.Symbol(text) for text, symbol in names.items()}
    return str(e.subs(back)).replace("**", "^")
