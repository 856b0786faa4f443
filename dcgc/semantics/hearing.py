"""Who may know a message or an observation."""

from __future__ import annotations

from collections.abc import Iterator

from ..syntax import tree
from .checked import Constant
from .constants import ConstantError, evaluate
from .context import ChannelInfo, Checker, Place, children
from .mistakes import knowledge as K
from .players import SAMPLED, PlayerRef, samples, text_of

Reference = tuple[tree.Name, tuple[tree.Expression, ...], bool]


def references(c: Checker, node: tree.Expression) -> Iterator[Reference]:
    """The channels, observations and lets that an expression names: (name, indices, inside ``sent``)."""
    waiting: list[tuple[tree.Node, bool]] = [(node, False)]
    while waiting:
        current, sent = waiting.pop()
        if isinstance(current, tree.Call) and isinstance(current.function, tree.Name):
            sent = sent or current.function.name == "sent"
            waiting.extend((argument.value, sent) for argument in current.arguments)
            continue
        if isinstance(current, tree.Index) and isinstance(current.base, tree.Name):
            yield current.base, current.indices, sent
            waiting.extend((index, False) for index in current.indices)
        elif isinstance(current, tree.Name):
            yield current, (), sent
        else:
            waiting.extend((part, sent) for part in children(current))


def check_hearing(c: Checker, expression: tree.Expression, who: PlayerRef, place: Place) -> None:
    """Report what in an information set this player cannot have heard or seen."""
    for name, indices, sent in references(c, expression):
        if any(loop.binder == name.name for loop in place.loops):
            continue
        symbol = c.symbols.get(name.name)
        if symbol is None:
            continue
        if symbol.kind == "attention":
            _check_owner(c, name, name.name, who)
        elif symbol.kind == "channel":
            c.known_channels.add(name.name)
            _check_channel(c, name, indices, sent, who, place)
        elif symbol.kind == "let":
            for origin in sorted(c.hears.get(name.name, ())):
                _check_derived(c, name, origin, who)


def _check_owner(c: Checker, node: tree.Name, observation: str, who: PlayerRef) -> None:
    owner = c.owners.get(observation)
    if owner is not None and owner != who.name:
        c.report(K.NOT_THE_OBSERVER.at(node.span, name=node.name, owner=owner, player=text_of(c, who)))


def _check_derived(c: Checker, node: tree.Name, origin: str, who: PlayerRef) -> None:
    """A value computed from a message tells as much as the message."""
    if c.symbols[origin].kind == "attention":
        _check_owner(c, node, origin, who)
        return
    c.known_channels.add(origin)
    info = c.channels[origin]
    listeners = {_base(receiver) for receiver in (*info.statement.receivers, *info.statement.body.heard_by)}
    family = _base(info.statement.sender)
    if who.name not in listeners and "all" not in listeners and not ("others" in listeners and who.name == family):
        c.report(K.NOT_A_LISTENER.at(node.span, player=text_of(c, who), name=origin))


def _base(node: tree.Expression) -> str:
    base = node.base if isinstance(node, tree.Index) else node
    return base.name if isinstance(base, tree.Name) else ""


def _check_channel(
    c: Checker, node: tree.Name, indices: tuple[tree.Expression, ...], sent: bool, who: PlayerRef, place: Place
) -> None:
    info = c.channels[node.name]
    for row in samples(place):
        me = _member(c, who.member, row)
        for channel in _members_heard(c, info, indices, who, row):
            sends = _is(c, info.statement.sender, who.name, me, info, channel)
            hears = not sends and any(
                _is(c, listener, who.name, me, info, channel)
                for listener in (*info.statement.receivers, *info.statement.body.heard_by)
            )
            player = text_of(c, who)
            if sent and not sends:
                c.report(K.NOT_THE_SENDER.at(node.span, name=node.name, player=player))
                return
            if not sent and not hears:
                mistake = K.SENDER_KNOWS if sends else K.NOT_A_LISTENER
                c.report(mistake.at(node.span, name=node.name, player=player))
                return


def _member(c: Checker, index: tree.Expression | None, row: dict[str, float]) -> float | None:
    """The number of a member, None if it is not known before play."""
    if index is None:
        return None
    names: dict[str, Constant] = {**c.constants, **row}
    try:
        value = evaluate(index, names, c.definitions, c.families)
    except ConstantError:
        return None
    return value if isinstance(value, float) else None


def _members_heard(
    c: Checker, info: ChannelInfo, indices: tuple[tree.Expression, ...], who: PlayerRef, row: dict[str, float]
) -> list[float | None]:
    """Which of a family of channels an expression names; [None] for a single channel."""
    if info.domain is None:
        return [None]
    low, size = info.domain.low, info.domain.size
    some = [float(member) for member in sorted({*range(low, low + min(size, SAMPLED)), low + size - 1})]
    if not indices or (isinstance(indices[0], tree.Name) and indices[0].name == "all"):
        return list(some)
    if isinstance(indices[0], tree.Name) and indices[0].name == "others":
        me = _member(c, who.member, row)
        return [member for member in some if member != me]
    member = _member(c, indices[0], row)
    return [] if member is None else [member]


def _is(
    c: Checker, node: tree.Expression, name: str, member: float | None, info: ChannelInfo, channel: float | None
) -> bool:
    """Whether ``name[member]`` is the player that ``node`` names, in the declaration of the channel's given member."""
    row = {info.binder: channel} if info.binder is not None and channel is not None else {}
    if isinstance(node, tree.Name):
        if node.name == "all":
            return True
        if node.name == "others":
            sender = info.statement.sender
            if _base(sender) != name:
                return False
            own = _member(c, sender.indices[0], row) if isinstance(sender, tree.Index) else None
            return own is None or member is None or own != member
        return node.name == name
    if _base(node) != name or not isinstance(node, tree.Index):
        return False
    own = _member(c, node.indices[0], row)
    return own is None or member is None or own == member
