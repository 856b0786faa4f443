"""What has no finite tree, with the line of the game that says it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..core.site import Game, Random
from ..primitives.distributions import DISTRIBUTIONS
from ..semantics.checked import CheckedGame
from ..source import Ledger
from ..syntax import tree

CODE = "F004"


def announcements(statements: tuple[tree.Statement, ...]) -> Iterator[tree.Commit]:
    """Every ``commit``, those inside of blocks too."""
    for s in statements:
        if isinstance(s, tree.Commit):
            yield s
        elif isinstance(s, (tree.For, tree.When, tree.Stage)):
            yield from announcements(s.body)


def refuse(game: Game, checked: CheckedGame, ledger: Ledger) -> None:
    """Put into the ledger why a game has no finite tree; nothing if it may have one. ``game``: loops written out."""
    if game.block is not None:
        ledger.error(CODE, "stages without end have no finite tree", game.block.span, "let the stages end: `stage t in 1..4 { .. }`")
    if game.committed:
        said = list(announcements(checked.statements))
        for s in said:
            ledger.error(CODE, "a policy that is announced is no move of a tree, but a choice of a whole strategy before it", s.span,
                         "leave `commit` out, or let the announcement be a decision that others know")
        if not said:
            ledger.error(CODE, "a policy that is announced (--commit) is no move of a tree", game.sites[0].span, "leave --commit out")
    for held in game.constraints:
        ledger.error(CODE, f"`{held.label}` holds in expectation, over all plays together: no tree says that", held.span,
                     "write it as a cost, or leave the budget on average out (a hard budget of tokens has a tree)")
    for p in game.payments:
        if p.information is not None:
            ledger.error(CODE, "what is charged on information depends on a whole policy, not on one play", p.span,
                         "leave the price out, or carry few tokens at a fixed cost")
    channels = {c.name.split("[", 1)[0] for c in game.channels}
    for c in game.channels:
        symbol = checked.symbols.get(c.name.split("[", 1)[0].split("@", 1)[0])
        if symbol is not None and symbol.type is not None and isinstance(symbol.type.type, tree.FunctionType):
            ledger.error(CODE, f"`{c.name}` carries whole functions, of which there are too many for a tree", c.place,
                         "carry tokens or numbers")
        elif c.carrier == "reals" and c.sd > 0:
            ledger.error(CODE, f"`{c.name}` carries reals through Gaussian noise: how well it is heard is a choice of scale, which a few "
                               "points cannot show", c.place, "carry tokens: `carries Tokens(1, 4)`")
    for d in game.decisions:
        if d.function is not None and d.name.split("[", 1)[0] not in channels:
            ledger.error(CODE, f"`{d.name}` is a whole function ({d.function}): it has no few acts", d.span,
                         "let the decision be a number or a choice")
    for site in game.sites:
        if site.axes:
            ledger.error(CODE, f"`{site.name}` stands for {site.axes[0].size} members: a tree of so many does not fit anywhere", site.span,
                         "make the family smaller, with --set")
        if not isinstance(site, Random):
            continue
        law = DISTRIBUTIONS[site.distribution]
        if site.shape and (law.finite or not any(law.parameter_ranks)):
            ledger.error(CODE, f"`{site.name}` is {math.prod(site.shape)} draws: a tree of so many does not fit anywhere", site.span,
                         "draw fewer, with --set")
        elif any(law.parameter_ranks) and not law.finite:
            ledger.error(CODE, f"`{site.name}` is drawn as a whole ({site.distribution}) and has no quantile cells", site.span,
                         "draw its entries one by one")


