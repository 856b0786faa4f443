"""The texts that the tests of this folder read, and ways to spoil them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

from dcgc.semantics import CheckedGame, Variant, check
from dcgc.source import Ledger, Source

ROOT = Path(__file__).resolve().parents[2]
GAMES = sorted((ROOT / "games").glob("*.dcg"))
GOOD = sorted((ROOT / "tests" / "good").glob("*.dcg"))
BAD = sorted((ROOT / "tests" / "bad").glob("*.dcg"))

NO_VARIANT = Variant()
_TOKEN = re.compile(r"\w+|[^\w\s]|\s+")
_STRAY = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    "=",
    "~",
    "..",
    "inf",
    "0",
    "-1",
    "1e9",
    "others",
    "all",
    "recall",
    "true",
    "E",
    "x",
    "u",
    "t",
    "i",
    "sum",
    "exp",
    "history",
    "last",
    "Real",
    "Normal",
    "Choice",
    "\n",
    ";",
    "for i in 1..3 {",
    "}",
]


def read(
    path: Path, settings: dict[str, object] | None = None, variant: Variant = NO_VARIANT
) -> tuple[CheckedGame | None, Ledger]:
    """Check a file, reported under its bare name so that transcripts do not depend on the folder."""
    ledger = Ledger()
    return check(Source(path.name, path.read_text(encoding="utf-8")), ledger, settings, path.parent, variant), ledger


def check_text(text: str, settings: dict[str, object] | None = None) -> tuple[CheckedGame | None, Ledger]:
    ledger = Ledger()
    return check(Source("game.dcg", text), ledger, settings), ledger


def codes(ledger: Ledger) -> list[str]:
    return [diagnostic.code for diagnostic in ledger.sorted()]


def mutants(texts: list[str], number: int, seed: int) -> Iterator[str]:
    """Texts with one to three tokens dropped, doubled, swapped or replaced, also by tokens of other texts."""
    chance = random.Random(seed)
    split = [_TOKEN.findall(text) for text in texts]
    words = [token for tokens in split for token in tokens if not token.isspace()]
    for _ in range(number):
        tokens = list(chance.choice(split))
        for _ in range(chance.choice((1, 1, 2, 3))):
            _spoil(tokens, words, chance)
        yield "".join(tokens)


def _spoil(tokens: list[str], words: list[str], chance: random.Random) -> None:
    place = chance.randrange(len(tokens))
    kind = chance.randrange(6)
    if kind == 0:
        del tokens[place]
        tokens.append("\n")
    elif kind == 1:
        tokens.insert(place, tokens[place])
    elif kind == 2:
        other = chance.randrange(len(tokens))
        tokens[place], tokens[other] = tokens[other], tokens[place]
    elif kind == 3:
        tokens[place] = chance.choice(_STRAY)
    else:
        tokens[place] = chance.choice(words)
