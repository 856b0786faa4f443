"""Text to tree: statement by statement, so that one mistake costs one statement and makes one report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..source import Ledger, Source, Span, near_names
from . import tree
from .automaton import Automaton, Unexpected
from .build_statements import BUILDERS, channel_body
from .expectation import explain
from .grammar import load_tables
from .layout import BRACKET_LIMIT, Block, Slice, TooDeep, cut
from .mistake import Mistake, SyntaxMistake, visible
from .tokens import NAME, Token, read_tokens

TEXT_LIMIT = 1_000_000  # characters
TOKEN_LIMIT = 200_000
REPORT_LIMIT = 100

# What stands in the block of a statement: the start symbol of its entries.
_ENTRIES = {
    "for": "statement", "stage": "statement", "when": "statement",
    "channel": "channel_entry", "attend": "channel_entry", "gradient": "gradient_entry", "train": "setting",
}


class _TooMany(Exception):
    """REPORT_LIMIT is reached; the rest is not read."""


class _Parser:
    def __init__(self, source: Source, ledger: Ledger):
        self.source = source
        self.ledger = ledger
        self.tables = load_tables()
        self.automaton = Automaton(self.tables, BUILDERS)
        self.first_words = {start: self.tables.first_words(start) for start in set(_ENTRIES.values())}
        self.reports = 0

    def report(self, mistake: Mistake) -> None:
        if self.reports == REPORT_LIMIT:
            self.ledger.error("S011", f"more than {REPORT_LIMIT} mistakes; the rest of the text was not read",
                              Span(self.source, mistake.start, mistake.end), "mend the first ones")
            raise _TooMany
        self.reports += 1
        mistake.report(self.source, self.ledger)

    def parse_slices(self, slices: Sequence[Slice], start: str) -> Iterator[Any]:
        """The nodes of all slices that have no mistake."""
        last: Mistake | None = None  # of the slice before
        for piece in slices:
            self.parse_blocks(piece.tokens)
            mistake = piece.mistake
            if mistake is None:
                try:
                    yield self.automaton.parse(self.source, start, piece.tokens)
                    last = None
                    continue
                except Unexpected as found:
                    if last is not None and self.belongs_to(last, piece.tokens, start):
                        continue
                    mistake = self.explain(found, start)
                except SyntaxMistake as found:
                    mistake = found.mistake
            self.report(mistake)
            last = mistake

    def parse_blocks(self, tokens: Sequence[Token]) -> None:
        """Parse what stands in the blocks of a statement, whatever may be wrong with the statement itself."""
        word = tokens[0].text if tokens and tokens[0].kind == NAME else ""
        start = _ENTRIES.get(word)
        for token in tokens:
            if isinstance(token, Block) and start is not None:
                slices = [part for piece in token.slices for part in self.split(piece, start)]
                token.contents = self.block_contents(token, slices, word, start)

    def block_contents(self, block: Block, slices: Sequence[Slice], word: str, start: str) -> Any:
        contents = tuple(self.parse_slices(slices, start))
        if start != "channel_entry":
            return contents
        span = Span(self.source, block.start, block.end)
        kept: list[Any] = []
        for entry in contents:
            try:
                channel_body([*kept, entry], span)
                kept.append(entry)
            except SyntaxMistake as found:
                self.report(found.mistake)
        return channel_body(kept, span)

    def split(self, piece: Slice, start: str) -> Iterator[Slice]:
        """Entries may also be separated by commas: in ``train`` at any, elsewhere before the word of a next entry."""
        if start == "statement" or piece.mistake is not None:
            yield piece
            return
        begin = depth = 0
        for i, token in enumerate(piece.tokens):
            depth += (token.kind in ("(", "[")) - (token.kind in (")", "]"))
            if token.kind == "," and depth == 0 and i > begin:
                if start == "setting" or self.begins_entry(piece.tokens[i + 1 : i + 3], start):
                    yield Slice(piece.tokens[begin:i])
                    begin = i + 1
        if begin < len(piece.tokens):
            yield Slice(piece.tokens[begin:])

    def begins_entry(self, tokens: Sequence[Token], start: str) -> bool:
        """Whether an entry begins here, and not a player of that name in a ``heard by`` list."""
        return (len(tokens) == 2 and tokens[0].kind == NAME and tokens[0].text in self.first_words[start]
                and tokens[1].kind not in (",", "["))

    def belongs_to(self, last: Mistake, tokens: Sequence[Token], start: str) -> bool:
        """Whether a slice that fails is the rest of the one that failed before it."""
        if tokens[0].kind != NAME:
            return True
        return last.at_end and start != "setting" and tokens[0].text not in self.first_words[start]

    def explain(self, found: Unexpected, start: str) -> Mistake:
        if found.before or start == "setting":
            return explain(found)
        token = found.token
        words = self.first_words[start]
        if token.kind != NAME:
            mistake = explain(found)
            kind = "a statement" if start == "statement" else "an entry"
            return Mistake("S002", f"{kind} cannot begin with {visible(token.text)}", token.start, token.end,
                           mistake.hint)
        near = near_names(token.text, sorted(words))
        if start == "statement":
            return Mistake("S001", f"no statement begins with `{token.text}`", token.start, token.end,
                           self.assignment_hint(token) if not near else "", near)
        return Mistake("S016", f"no entry of this block begins with `{token.text}`", token.start, token.end,
                       "entries here: " + ", ".join(sorted(words)) if not near else "", near)

    def assignment_hint(self, token: Token) -> str:
        rest = self.source.text[token.end : token.end + 80].lstrip(" \t")
        if rest.startswith("=") and not rest.startswith("=="):
            return f"write `let {token.text} = ..`"
        if rest.startswith("~"):
            return f"write `random {token.text} ~ ..`"
        return ""


def _read(source: Source, report: Any) -> tuple[list[Token], list[tree.Comment]]:
    tokens: list[Token] = []
    comments: list[tree.Comment] = []
    for token in read_tokens(source.text):
        if token.kind == "#":
            comments.append(tree.Comment(token.text, span=Span(source, token.start, token.end)))
        else:
            tokens.append(token)
            if len(tokens) > TOKEN_LIMIT:
                report(Mistake("S011", f"the text has more than {TOKEN_LIMIT} words and signs", token.start, token.end))
                return [], comments
    return tokens, comments


def parse(source: Source, ledger: Ledger) -> tree.File:
    """The tree of a text. Mistakes go to the ledger, one report each, and cost only the statement they are in.

    Never raises for any text; FileNotFoundError if dcgc itself is installed without its grammar.
    """
    parser = _Parser(source, ledger)
    whole = Span(source, 0, len(source.text))
    if len(source.text) > TEXT_LIMIT:
        parser.report(Mistake("S011", f"the text has more than {TEXT_LIMIT} characters", 0, 1,
                              "give large tables of numbers with `--set`"))
        return tree.File((), (), span=whole)
    tokens, comments = _read(source, parser.report)
    statements: list[tree.Statement] = []
    try:
        slices, stray = cut(tokens, parser.first_words["statement"])
        for mistake in stray:
            parser.report(mistake)
        statements.extend(parser.parse_slices(slices, "statement"))
    except TooDeep as found:
        parser.report(Mistake("S010", f"brackets are nested more than {BRACKET_LIMIT} deep", found.token.start,
                              found.token.end, "name a part with `let` or `def`"))
    except _TooMany:
        pass
    return tree.File(tuple(statements), tuple(comments), span=whole)
