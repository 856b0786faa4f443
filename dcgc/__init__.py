"""dcgc: a compiler for differentiable communication games.

>>> import dcgc
>>> game = dcgc.load("games/kyle.dcg", set={"sigma_v": 2.0})
>>> result = dcgc.train(game)                     # doctest: +SKIP
>>> float(result.value("payoff(Insider)"))        # doctest: +SKIP
1.0

Importing it is light: JAX is loaded, in double precision, when something is first computed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .door import Game, Result, evaluate, load, open_run, train
    from .source import Diagnostic, GameError
    from .verify.figures import Figure, Scorecard

__version__ = "0.1.0"

_HOMES = {
    **dict.fromkeys(("Game", "Result", "evaluate", "load", "open_run", "train"), ".door"),
    **dict.fromkeys(("Diagnostic", "GameError"), ".source"),
    **dict.fromkeys(("Figure", "Scorecard"), ".verify.figures"),
}

__all__ = ["Diagnostic", "Figure", "Game", "GameError", "Result", "Scorecard", "evaluate", "load", "open_run", "train"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
