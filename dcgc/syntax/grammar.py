"""The grammar file, and the LALR tables that lark builds from it.

Building takes some 250 ms, most of them lark's, so the tables are kept as JSON in the user's own cache folder. A
cached start needs neither lark nor any unpickling. The cache is keyed by the grammar's text, the Python version and
that of the table format; the format is ours, so lark's version does not matter once the tables are built.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from contextlib import suppress
from functools import cache
from typing import Any

FORMAT = 1
STARTS = ("statement", "channel_entry", "gradient_entry", "setting")

DROP, KEEP, SPLICE = 0, 1, 2


class Rule:
    """One alternative: ``symbols`` long, with the key of its builder.

    ``treatment`` says of each symbol whether its value is dropped, kept or spliced; ``blanks`` how many absent optional
    parts stand before each symbol and after the last. A ``transparent`` rule hands on a single child as it is; one that
    ``collects`` (made by lark for ``*`` and ``+``) only gathers its children.
    """

    __slots__ = ("origin", "builder", "length", "treatment", "blanks", "transparent", "collects")

    def __init__(self, origin: str, builder: str, treatment: list[int], blanks: list[int], transparent: bool,
                 collects: bool):
        self.origin = origin
        self.builder = builder
        self.length = len(treatment)
        self.treatment = treatment
        self.blanks = blanks
        self.transparent = transparent
        self.collects = collects


class Tables:
    """LALR(1) tables. ``states[s][symbol]`` is a state to go to (>= 0) or, negative, ``-1 - rule`` to reduce.

    Terminals are named by the text of their keyword or sign, or NAME, NUMBER, STRING, BLOCK, $END; nonterminals by
    their name after a colon. ``keywords`` are all words that are a keyword somewhere.
    """

    def __init__(self, data: dict[str, Any]):
        self.rules = [Rule(*rule) for rule in data["rules"]]
        self.states: list[dict[str, int]] = data["states"]
        self.starts: dict[str, int] = data["starts"]
        self.ends: dict[str, int] = data["ends"]
        self.keywords = frozenset(data["keywords"])

    def first_words(self, start: str) -> frozenset[str]:
        """The words with which a text of this start symbol may begin."""
        return frozenset(word for word in self.states[self.starts[start]] if word in self.keywords)


def grammar_path() -> str:
    """The grammar: beside the package's modules when installed, in the checkout otherwise.

    Raises FileNotFoundError if it is in neither place.
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for place in (os.path.join(package, "_data"), os.path.dirname(package)):
        path = os.path.join(place, "grammar", "dcg.lark")
        if os.path.isfile(path):
            return path
    raise FileNotFoundError("grammar/dcg.lark is neither in the installed package nor in the checkout")


def build_tables(grammar: str) -> dict[str, Any]:
    """Let lark check the grammar and compute its LALR tables, in the JSON form that ``Tables`` reads."""
    from lark import Lark
    from lark.grammar import Terminal
    from lark.lexer import Lexer
    from lark.parsers.lalr_analysis import Shift

    class NoLexer(Lexer):
        """Lark is asked for tables only; the tokens are ours."""

        __future_interface__ = True

        def __init__(self, *_: object) -> None:
            pass

        def lex(self, *_: object) -> Any:
            raise NotImplementedError

    lark = Lark(grammar, parser="lalr", lexer=NoLexer, start=list(STARTS), maybe_placeholders=True)
    table = lark.parser.parser._parse_table  # type: ignore[attr-defined]
    literals = {t.name: t.pattern.value for t in lark.terminals if t.pattern is not None}
    position = {rule: i for i, rule in enumerate(lark.rules)}
    nonterminals = {rule.origin.name for rule in lark.rules}

    def symbol_name(symbol: str) -> str:
        return f":{symbol}" if symbol in nonterminals else literals.get(symbol, symbol)

    def treatment(symbol: Any, keep_all: bool) -> int:
        if isinstance(symbol, Terminal):
            return KEEP if keep_all or not symbol.filter_out else DROP
        return SPLICE if symbol.name.startswith("_") else KEEP

    def blanks(flags: tuple[bool, ...], length: int) -> list[int]:
        if not flags:
            return [0] * (length + 1)
        return [len(run) for run in "".join(str(int(flag)) for flag in flags).split("0")]

    def action(kind: Any, target: Any) -> int:
        return target if kind is Shift else -1 - position[target]

    rules = [
        [
            f":{rule.origin.name}",
            rule.alias or rule.origin.name,
            [treatment(symbol, rule.options.keep_all_tokens) for symbol in rule.expansion],
            blanks(rule.options.empty_indices, len(rule.expansion)),
            bool(rule.options.expand1 and not rule.alias),
            rule.origin.name.startswith("_"),
        ]
        for rule in lark.rules
    ]
    states = [
        {symbol_name(symbol): action(*entry) for symbol, entry in table.states[state].items()}
        for state in range(len(table.states))
    ]
    keywords = sorted(word for word in literals.values() if word.isidentifier())
    return {"rules": rules, "states": states, "starts": table.start_states, "ends": table.end_states,
            "keywords": keywords}


def cache_path(grammar: str) -> str:
    """Where the tables of this grammar are kept for this user and this Python."""
    folder = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    data = grammar.encode()
    key = f"{zlib.crc32(data):08x}{zlib.adler32(data):08x}"
    python = f"{sys.version_info[0]}{sys.version_info[1]}"
    return os.path.join(folder, "dcgc", f"tables-{FORMAT}-py{python}-{key}.json")


def _read(path: str, grammar: str) -> Tables | None:
    """Tables from a cache file; None if there is none or it is not what was written for this very grammar."""
    try:
        with open(path, encoding="utf-8") as file:
            checksum, _, body = file.read().partition("\n")
        if int(checksum) != zlib.crc32(body.encode()):
            return None
        data = json.loads(body)
        return Tables(data) if data["grammar"] == grammar else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: str, data: dict[str, Any]) -> None:
    """Write atomically; a cache that cannot be written is done without."""
    body = json.dumps(data, separators=(",", ":"))
    temporary = f"{path}.{os.getpid()}"
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            with open(temporary, "w", encoding="utf-8") as file:
                file.write(f"{zlib.crc32(body.encode())}\n{body}")
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)


@cache
def load_tables() -> Tables:
    """The parser's tables, from the user's cache if they are there, else built and put there.

    Raises FileNotFoundError if the grammar file is missing.
    """
    with open(grammar_path(), encoding="utf-8") as file:
        grammar = file.read()
    path = cache_path(grammar)
    tables = _read(path, grammar)
    if tables is None:
        data = build_tables(grammar)
        _write(path, {**data, "grammar": grammar})
        tables = Tables(data)
    return tables
