"""Channels: what they carry, budgets, prices and noise, who sends, and private looks."""

from __future__ import annotations

import math
from dataclasses import replace

from ..source import Note, near_names
from ..syntax import tree
from . import carriers, expressions, names, players
from .checked import IndexDomain, ValueType
from .context import UNKNOWN, ChannelInfo, Checker, Place, View, written
from .functions import counted
from .mistakes import Mistake
from .mistakes import channels as C
from .mistakes import names as N
from .mistakes import types as T
from .moves import check_knowing, target_sizes
from .types import resolve_type
from .vocabulary import NOISES, TYPES


def check_channel(c: Checker, node: tree.Channel, place: Place) -> None:
    name = node.target.name
    binder, domain = _domain(c, node)
    # The declaration speaks of each member's channel, so its index is bound as in a loop.
    view = View(place)
    if binder is not None:
        view = view.bind(**{binder: expressions.index_type(domain) if domain is not None else UNKNOWN})
    type = _carrier(c, node.body, view, name, node.target)
    sender = _player(c, node.sender, view)
    heard: set[str] = set()
    for listener in (*node.receivers, *node.body.heard_by):
        _check_listener(c, node, listener, sender, heard, view)
    check_clauses(c, node.body, name, type, view)
    if c.declare(name, "channel", node.target.span, type):
        symbol = c.symbols[name]
        domains = (domain,) if domain is not None else ()
        c.symbols[name] = replace(symbol, domains=domains)
        c.bounded(math.prod(d.size for d in domains) * math.prod(type.shape), f"`{name}`", node.target.span)
        c.channels[name] = ChannelInfo(node, binder, domain, type)


def _domain(c: Checker, node: tree.Channel) -> tuple[str | None, IndexDomain | None]:
    indices = node.target.indices
    if not indices:
        return None, None
    first = indices[0]
    if len(indices) > 1 or not isinstance(first, tree.Binder):
        more = f"write `channel {node.target.name}[i in FAMILY] : ..`"
        text = ", ".join(" ".join(index.span.text.split()) for index in indices)
        c.report(T.WRONG_TARGET.at(node.target.span, name=node.target.name, indices=f"[{text}]", more=more))
        return None, None
    if first.name in c.symbols:
        kind = c.describe(first.name).split(" ", 1)[1]
        c.report(N.HIDES.at(first.span, name=first.name, kind=kind))
    return first.name, expressions.domain_of(c, first.domain, "channel's index")


def _player(c: Checker, node: tree.Expression, view: View) -> players.PlayerRef | None:
    return players.resolve(c, node, view.place, "sends here", locals=view.locals)


def _check_listener(
    c: Checker,
    node: tree.Channel,
    listener: tree.Expression,
    sender: players.PlayerRef | None,
    heard: set[str],
    view: View,
) -> None:
    name = node.target.name
    if isinstance(listener, tree.Name) and listener.name == "all":
        c.hearing.update(c.players)
        return
    if isinstance(listener, tree.Name) and listener.name == "others":
        if sender is None:
            return
        if sender.member is None:
            c.report(C.NO_OTHERS.at(listener.span, name=name))
        c.hearing.add(sender.name)
        return
    who = players.resolve(c, listener, view.place, "hears this", families=True, locals=view.locals)
    if who is None:
        return
    text = players.text_of(c, who)
    c.hearing.add(who.name)
    if sender is not None and text == players.text_of(c, sender):
        c.report(C.HEARS_ITSELF.at(listener.span, player=text, name=name))
    elif text in heard:
        c.report(C.LISTENER_TWICE.at(listener.span, player=text, name=name))
    heard.add(text)


def _carrier(c: Checker, body: tree.ChannelBody, view: View, name: str, target: tree.Target) -> ValueType:
    if body.carries is None:
        return c.report(C.NO_CARRIER.at(target.span, name=name))
    written_type = body.carries
    if isinstance(written_type, tree.Type) and written_type.name in TYPES and not TYPES[written_type.name].carried:
        more = "carry `Tokens(1, n)` for one of n" if written_type.name in ("Choice", "Bool") else "carry `Real`"
        return c.report(C.NOT_CARRIED.at(written_type.span, type=written_type.name, more=more))
    return resolve_type(c, written_type, view)


def check_clauses(c: Checker, body: tree.ChannelBody, name: str, type: ValueType, view: View) -> None:
    """Check budget, price, noise and stop against what the channel carries."""
    budget = _amount(c, body.budget.amount, C.BAD_BUDGET, view, "a budget") if body.budget is not None else None
    if body.budget is not None and budget is not None and body.budget.unit == "nats":
        budget /= math.log(2)
    if body.price is not None:
        _amount(c, body.price.amount, C.BAD_PRICE, view, "a price")
        if body.price.paid_by is not None:
            players.resolve(c, body.price.paid_by, view.place, "pays", teams=True, locals=view.locals)
    noise = _noise(c, body.noise, type, view) if body.noise is not None else None
    if type.kind == "unknown":
        return
    if body.stop is not None:
        _check_stop(c, body, type, view)
    if body.budget is None or budget is None:
        return
    real = type.kind not in ("tokens",)
    if noise == "none" and real and math.isfinite(budget) and body.noise is not None:
        c.report(C.NOISELESS_BUDGET.at(body.noise.span))
        return
    _check_capacity(c, body, name, type, budget, noise)


def _amount(c: Checker, node: tree.Expression, mistake: Mistake, view: View, what: str) -> float | None:
    """A number of bits, or a price; None if it is unknown before play, or after a report."""
    if expressions.infer_scalar(c, node, view, what).kind == "unknown":
        return None
    value = c.demand(node, what)
    if not isinstance(value, float):
        return None
    if value != value or value < 0:
        c.report(mistake.at(node.span, value=written(value)))
        return None
    return value


def _noise(c: Checker, node: tree.Expression, type: ValueType, view: View) -> str | None:
    name = node.function if isinstance(node, tree.Call) else node
    arguments = node.arguments if isinstance(node, tree.Call) else ()
    if not isinstance(name, tree.Name) or name.name not in NOISES:
        text = " ".join(name.span.text.split())
        c.report(
            C.UNKNOWN_NOISE.at(name.span, name=text, known=", ".join(NOISES), near=near_names(text, tuple(NOISES)))
        )
        return None
    wanted = NOISES[name.name]
    values = noise_arguments(node)
    for argument in arguments:
        if argument.keyword is not None and argument.keyword not in wanted:
            c.report(
                N.UNKNOWN_KEYWORD.at(
                    argument.span, function=name.name, name=argument.keyword, known=", ".join(wanted) or "none"
                )
            )
            return None
    if len(arguments) > len(wanted) or (len(values) < len(arguments)) or (wanted == ("p",) and not arguments):
        c.report(
            N.WRONG_ARITY.at(
                node.span,
                function=name.name,
                given=len(arguments),
                signature=f"({', '.join(wanted)})",
                wanted=counted(len(wanted), len(wanted)),
            )
        )
        return None
    for key, expression in values.items():
        if expressions.infer_scalar(c, expression, view, f"the {key} of {name.name}").kind == "unknown":
            return None
        value = c.demand(expression, f"the {key} of {name.name}")
        limit = 1.0 if key == "p" else math.inf
        if isinstance(value, float) and not 0 <= value <= limit:
            c.report(
                T.BAD_PARAMETER.at(
                    expression.span,
                    what=key,
                    distribution=name.name,
                    value=written(value),
                    wanted="between 0 and 1" if key == "p" else "0 or more",
                )
            )
            return None
    return name.name if _noise_fits(c, node, name.name, type) else None


def noise_arguments(node: tree.Expression) -> dict[str, tree.Expression]:
    """The arguments of a noise by name."""
    if not isinstance(node, tree.Call) or not isinstance(node.function, tree.Name):
        return {}
    names = NOISES.get(node.function.name, ())
    return {
        argument.keyword or names[position]: argument.value
        for position, argument in enumerate(node.arguments)
        if argument.keyword is not None or position < len(names)
    }


def _noise_fits(c: Checker, node: tree.Expression, noise: str, type: ValueType) -> bool:
    if type.kind == "unknown":
        return True
    if type.kind == "tokens" and noise in ("awgn", "gaussian"):
        c.report(
            C.NOISE_MISFIT.at(node.span, noise=noise, carrier="Tokens", more="write `noise erasure(p)` or `bsc(p)`")
        )
        return False
    if noise == "bsc" and (type.kind != "tokens" or type.size != 2):
        carrier = f"Tokens of {type.size} symbols" if type.kind == "tokens" else "reals"
        c.report(C.NOISE_MISFIT.at(node.span, noise=noise, carrier=carrier, more="carry `Tokens(L, 2)`"))
        return False
    return True


def _check_stop(c: Checker, body: tree.ChannelBody, type: ValueType, view: View) -> None:
    assert body.carries is not None
    if body.stop != "soft":
        c.report(N.BAD_CLAUSE.at(body.carries.span, name=body.stop, known="soft", near=("soft",)))
    elif type.kind not in ("message", "tokens"):
        c.report(C.STOP_MISFIT.at(body.carries.span))


def _check_capacity(
    c: Checker, body: tree.ChannelBody, name: str, type: ValueType, budget: float, noise: str | None
) -> None:
    """Report a budget that cannot bind: above what the carrier holds, or above what the noise lets through."""
    assert body.budget is not None
    dimensions = math.prod(type.shape)
    holds = math.inf
    if type.kind == "tokens" and type.size is not None:
        holds = carriers.nominal_bits(type.shape[0], type.size, body.stop is not None)
        if math.isfinite(budget) and budget > holds + 1e-9:
            assert body.carries is not None
            c.report(
                C.ABOVE_CARRIER.at(
                    body.budget.span,
                    name=name,
                    budget=f"{budget:g}",
                    held=f"{holds:g} bits",
                    carrier=" ".join(body.carries.span.text.split()),
                )
            )
            return
    values = {key: c.constant(value) for key, value in noise_arguments(body.noise).items()} if body.noise else {}
    p = values.get("p")
    power, sd = values.get("power", 1.0), values.get("sd")
    through = math.inf
    if noise == "awgn" and isinstance(power, float) and isinstance(sd, float) and sd > 0:
        through = carriers.gaussian_capacity(dimensions, power, sd)
    elif noise == "bsc" and isinstance(p, float):
        through = type.shape[0] * carriers.token_capacity(noise, 2, p)
    elif noise == "erasure" and isinstance(p, float) and math.isfinite(holds):
        through = holds * (1 - p)
    if math.isfinite(budget) and budget > through + 1e-9:
        c.report(C.UNREACHABLE.at(body.budget.span, name=name, budget=f"{budget:g}", held=f"{through:g} bits"))


# ---------------------------------------------------------------- use of channels


def check_send(c: Checker, node: tree.Send, place: Place) -> None:
    name = node.target.name
    who = players.resolve(c, node.player, place, "sends")
    check_knowing(c, node.knowing, name, who, place)
    if who is not None:
        c.acting.add(who.name)
        c.deciding.setdefault(who.name, node.player.span)
    used = name in c.used
    target = tree.Name(name, span=node.target.span)
    found = names.channel_named(c, target)
    if not used:
        c.used.discard(name)
    if found is None or name not in c.channels:
        return
    info = c.channels[name]
    owner = info.statement.sender
    if who is not None and _base_name(owner) != who.name:
        c.report(
            C.WRONG_SENDER.at(
                node.player.span, name=name, owner=" ".join(owner.span.text.split()), player=players.text_of(c, who)
            )
        )
    _check_send_indices(c, node, info, place)
    for before, other in info.sends:
        if not (other.conditional and place.conditional) and not (node.target.indices and _differ(info, node)):
            c.report(C.SENT_TWICE.at(node.target.span, name=name, notes=(Note("it is sent here", before),)))
            break
    info.sends.append((node.target.span, place))
    if place.stage is not None:
        c.stages[name] = place.stage
        place.stage.made.add(name)


def _base_name(node: tree.Expression) -> str:
    name = names.base_name(node)
    return name.name if name is not None else ""


def _differ(info: ChannelInfo, node: tree.Send) -> bool:
    """Whether this send names a member of its own, as in ``send s[1]``."""
    return all(isinstance(index, tree.Number) for index in node.target.indices)


def _check_send_indices(c: Checker, node: tree.Send, info: ChannelInfo, place: Place) -> None:
    wanted = 0 if info.domain is None else 1
    if len(node.target.indices) != wanted:
        name = node.target.name
        more = f"write `send {name}`" if wanted == 0 else f"write it inside `for i in ..` as `send {name}[i]`"
        indices = "[" + ", ".join(" ".join(i.span.text.split()) for i in node.target.indices) + "]"
        c.report(T.WRONG_TARGET.at(node.target.span, name=name, indices=indices, more=more))
        return
    for index in node.target.indices:
        expressions.infer(c, index, View(place))


def check_attend(c: Checker, node: tree.Attend, place: Place) -> None:
    name = node.target.name
    sizes = target_sizes(c, node.target, place)
    who = players.resolve(c, node.player, place, "attends")
    check_knowing(c, (*node.to, *node.knowing), name, who, place)
    view = View(place)
    type = _carrier(c, node.body, view, name, node.target)
    check_clauses(c, node.body, name, type, view)
    c.priced = c.priced or node.body.price is not None
    if node.body.budget is None and node.body.price is None:
        c.report(C.FREE_LOOK.at(node.target.span, name=name))
    if who is not None:
        c.acting.add(who.name)
        c.owners[name] = who.name
    c.declare(name, "attention", node.target.span, type if sizes is not None else UNKNOWN, place)


def check_total_budget(c: Checker, node: tree.TotalBudget, place: Place) -> None:
    for channel in node.channels:
        names.channel_named(c, channel)
    _amount(c, node.budget.amount, C.BAD_BUDGET, View(place), "a budget")
