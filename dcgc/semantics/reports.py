"""What is reported and how it is sought: measures, published values, taps, policies, gradients, training, figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..source import near_names
from ..syntax import tree
from . import expressions, indexing, names, players
from .checked import ValueType
from .context import Checker, Place, View
from .mistakes import missing as M
from .mistakes import names as N
from .vocabulary import (
    COUNTS,
    ESTIMATOR_NAMES,
    KL_PRIORS,
    NUMBER_SETTINGS,
    OTHER_SETTINGS,
    POLICY_FAMILIES,
    ROUTE_ORDERS,
    SETTINGS,
    STAGE_FORMS,
)

REPORT = View(Place(), "report", averaged=False)


def check_measure(c: Checker, node: tree.Measure, place: Place) -> None:
    type = expressions.infer(c, node.value, replace(REPORT, subject=node.name))
    c.declare(node.name, "measure", node.name_span, type)


def check_known(c: Checker, node: tree.Known, place: Place) -> None:
    _check_quantity(c, node)
    if expressions.infer_scalar(c, node.value, REPORT, "a published value").kind != "unknown":
        c.demand(node.value, "a published value")
    if node.when is not None and expressions.infer_condition(c, node.when, REPORT).kind != "unknown":
        c.demand(node.when, "the condition of a published value")


def _check_quantity(c: Checker, node: tree.Known) -> None:
    quantity = node.quantity
    if isinstance(quantity, tree.Name):
        c.used.add(quantity.name)
        symbol = c.symbols.get(quantity.name)
        if symbol is None and quantity.name in c.later:
            names.early(c, quantity, REPORT)
        elif symbol is None:
            c.unknown_name(quantity.name, quantity.span, ("measure",))
        elif symbol.kind == "measure":
            return
        else:
            c.report(M.NOT_PUBLISHED.at(quantity.span, kind=node.kind))
        return
    if isinstance(quantity, tree.Index) and isinstance(quantity.base, tree.Name):
        symbol = c.symbols.get(quantity.base.name)
        if symbol is not None and symbol.kind == "measure":
            expressions.infer_scalar(c, quantity, REPORT, "a published figure")
            return
    name = names.base_name(quantity.function) if isinstance(quantity, tree.Call) else None
    if name is None or name.name not in ("cost", "payoff", "rate"):
        c.report(M.NOT_PUBLISHED.at(quantity.span, kind=node.kind))
        return
    expressions.infer_scalar(c, quantity, REPORT, "a published figure")


def _named(c: Checker, node: tree.Expression, kinds: tuple[str, ...], what: str, place: Place) -> str | None:
    """The name of something of one of ``kinds``; reports and returns None if it is not."""
    name = names.base_name(node)
    if name is None:
        c.report(M.NOTHING_NAMED.at(node.span, name=" ".join(node.span.text.split()), kind="an expression", what=what))
        return None
    symbol = c.symbols.get(name.name)
    if symbol is None:
        if name.name in c.later:
            names.early(c, name, View(place))
        else:
            c.unknown_name(name.name, name.span, kinds)
        return None
    if symbol.kind not in kinds:
        c.report(M.NOTHING_NAMED.at(name.span, name=name.name, kind=c.describe(name.name), what=what))
        return None
    if isinstance(node, tree.Index):
        if symbol.kind == "player":
            return name.name if players.resolve(c, node, place, "is meant") is not None else None
        known = ValueType("bool") if symbol.type is None else replace(symbol.type, kind="real")
        # An index here says which member; entries of arrays are not named one by one, but do no harm.
        if symbol.type is not None and symbol.type.kind != "unknown":
            indexing.select(c, node, known, symbol.domains, View(place))
    return name.name


def check_tap(c: Checker, node: tree.Tap, place: Place) -> None:
    what = "a tap is for a let, a decision or a draw of nature (every channel has one without asking)"
    name = _named(c, node.quantity, ("let", "decision", "random", "channel"), what, place)
    if name is not None:
        c.used.add(name)


def check_policy(c: Checker, node: tree.Policy, place: Place) -> None:
    what = "a policy belongs to a player, a decision or a channel"
    name = _named(c, node.subject, ("player", "decision", "channel", "attention"), what, place)
    text = " ".join(node.subject.span.text.split())
    if name is not None and text in c.policies:
        c.report(M.SETTING_TWICE.at(node.subject.span, name=text))
    c.policies.add(text)
    family = node.family.function if isinstance(node.family, tree.Call) else node.family
    if not isinstance(family, tree.Name) or family.name not in POLICY_FAMILIES:
        word = " ".join(family.span.text.split())
        c.report(
            N.UNKNOWN_FAMILY.at(
                family.span, name=word, known=", ".join(POLICY_FAMILIES), near=near_names(word, POLICY_FAMILIES)
            )
        )
        return
    seen: set[str] = set()
    for argument in node.family.arguments if isinstance(node.family, tree.Call) else ():
        if argument.keyword is not None and argument.keyword in seen:
            c.report(N.ARGUMENT_TWICE.at(argument.span, name=argument.keyword, function=family.name))
        seen.add(argument.keyword or "")
        # A bare word is an option of the family, such as an activation.
        value = argument.value
        if not isinstance(value, (tree.Name, tree.Text)) or (isinstance(value, tree.Name) and value.name in c.symbols):
            if expressions.infer_number(c, value, REPORT).kind != "unknown":
                c.demand(value, "an option of a policy")


def check_gradient(c: Checker, node: tree.Gradient, place: Place) -> None:
    if node.budget is not None and expressions.infer_scalar(c, node.budget, REPORT, "a budget").kind != "unknown":
        value = c.demand(node.budget, "a budget")
        if isinstance(value, float) and not value > 0:
            c.report(M.BAD_SETTING_VALUE.at(node.budget.span, name="budget", wanted="more than 0"))
    for route in node.routes:
        what = "a route leads from a channel, decision or value"
        kinds = ("channel", "let", "decision", "random", "attention", "solution", "state", "player", "team")
        name = _named(c, route.subject, kinds, what, place)
        if name is not None:
            c.used.add(name)
        if route.target is not None:
            players.resolve(c, route.target, place, "is meant", teams=True, families=True)
        if route.order not in ROUTE_ORDERS:
            c.report(
                N.BAD_CLAUSE.at(
                    route.span,
                    name=route.order,
                    known=", ".join(ROUTE_ORDERS),
                    near=near_names(route.order, ROUTE_ORDERS),
                )
            )


def check_train(c: Checker, node: tree.Train, place: Place) -> None:
    seen: set[str] = set()
    for setting in node.settings:
        text = setting.key if setting.subject is None else f"{setting.key} {' '.join(setting.subject.span.text.split())}"
        if setting.key not in SETTINGS:
            c.report(
                N.UNKNOWN_SETTING.at(
                    setting.span, name=setting.key, known=", ".join(SETTINGS), near=near_names(setting.key, SETTINGS)
                )
            )
        elif text in seen:
            c.report(M.SETTING_TWICE.at(setting.span, name=text))
        elif setting.subject is not None and setting.key != "estimator":
            c.report(N.WHOLE_SETTING.at(setting.subject.span, name=setting.key))
        elif setting.key in NUMBER_SETTINGS or setting.key in OTHER_SETTINGS:
            _SETTING_CHECKS.get(setting.key, _check_number)(c, setting)
        seen.add(text)


def _check_number(c: Checker, setting: tree.Setting) -> None:
    if expressions.infer_number(c, setting.value, REPORT).kind == "unknown":
        return
    value = c.demand(setting.value, f"the setting `{setting.key}`")
    if value is None:
        return
    whole = setting.key in (*COUNTS, "seed")
    least = 1 if setting.key in COUNTS else 0
    wanted = f"a {'whole ' if whole else ''}number from {least} on"
    sound = isinstance(value, float) and value >= least
    if sound and whole:
        sound = isinstance(value, float) and value.is_integer()
    if not sound:
        c.report(M.BAD_SETTING_VALUE.at(setting.value.span, name=setting.key, wanted=wanted))


def _check_numbers(c: Checker, setting: tree.Setting) -> None:
    """``seeds 3`` or ``seeds [1, 2, 3]``."""
    if expressions.infer_number(c, setting.value, REPORT).kind != "unknown":
        c.demand(setting.value, f"the setting `{setting.key}`")


def _check_word(c: Checker, setting: tree.Setting) -> None:
    """A word, perhaps with options, as in ``engine newton`` or ``expectation sobol(12)``; or a number of bits."""
    value = setting.value.function if isinstance(setting.value, tree.Call) else setting.value
    if not isinstance(value, (tree.Name, tree.Text, tree.Number)):
        c.report(M.BAD_SETTING_VALUE.at(setting.value.span, name=setting.key, wanted="a word"))


_WORDS: dict[str, tuple[str, ...]] = {"kl_prior": KL_PRIORS, "stages": STAGE_FORMS}


def _check_choice(c: Checker, setting: tree.Setting) -> None:
    words = _WORDS[setting.key]
    if not isinstance(setting.value, tree.Name) or setting.value.name not in words:
        c.report(M.BAD_SETTING_VALUE.at(setting.value.span, name=setting.key, wanted=" or ".join(f"`{p}`" for p in words)))


def _check_estimator(c: Checker, setting: tree.Setting) -> None:
    """``estimator NAME`` for all messages, ``estimator SITE : NAME`` for one."""
    if setting.subject is not None:
        what = "an estimator is for a channel, or for a decision among finitely many"
        name = _named(c, setting.subject, ("channel", "decision"), what, Place())
        if name is not None:
            c.used.add(name)
    word = " ".join(setting.value.span.text.split())
    if not isinstance(setting.value, tree.Name) or word not in ESTIMATOR_NAMES:
        c.report(
            N.UNKNOWN_ESTIMATOR.at(
                setting.value.span, name=word, known=", ".join(ESTIMATOR_NAMES), near=near_names(word, ESTIMATOR_NAMES)
            )
        )


_SETTING_CHECKS: dict[str, Callable[[Checker, tree.Setting], None]] = {
    "seeds": _check_numbers,
    "engine": _check_word,
    "precision": _check_word,
    "expectation": _check_word,
    **dict.fromkeys(_WORDS, _check_choice),
    "estimator": _check_estimator,
}


def check_plot(c: Checker, node: tree.Plot, place: Place) -> None:
    view = View(Place(), "plot")
    for side in (node.value, node.against):
        expressions.infer_number(c, side, view)


def check_nothing(c: Checker, node: tree.Statement, place: Place) -> None:
    """Citations and headers are checked for the game as a whole."""
