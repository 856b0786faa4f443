"""From tokens to statements: line ends, semicolons and brackets (section 1 of the language).

The result is a list of slices, one a statement; what stands in ``{ }`` becomes one BLOCK token with slices of its own.
Bracket mistakes are found here, each reported once, and cost only the statement in which they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .mistake import Mistake
from .tokens import BAD, BLOCK, NAME, NUMBER, STRING, Token

BRACKET_LIMIT = 100

# A statement goes on after these at the end of a line. The words are such only after a complete operand.
CONTINUING = frozenset("+ - * / ^ ** == != < <= > >= = ~ : , -> .. and or not then else".split())
_CONTINUING_WORDS = frozenset(("by", "knowing"))
# A line that begins with one of these goes on with the statement before it.
_BEGINNING = frozenset("+ * / ^ ** == != < <= > >= and or then else {".split())
BEGINNING_WORDS = frozenset(("knowing", "by", "within", "from"))
# After a statement's word these show that it was a name: no statement begins so.
_CLAUSE_WORDS = frozenset(
    "mixed by knowing when within from to per in discount against bits nats bit nat for symmetric flop kflop Mflop "
    "Gflop as doi paid on".split())
_OPERAND_ENDS = frozenset((NAME, NUMBER, STRING, ")", "]", *"true false nothing recall others all inf pi".split()))
_CLOSER = {"(": ")", "[": "]"}


@dataclass
class Slice:
    """The tokens of one statement or entry. ``mistake``: what is wrong with its brackets or characters."""

    tokens: list[Token] = field(default_factory=list)
    mistake: Mistake | None = None

    def blame(self, mistake: Mistake) -> None:
        """Keep the first mistake of a statement; later ones are most often its consequences."""
        if self.mistake is None:
            self.mistake = mistake


class Block(Token):
    """``{ ... }`` with the slices between."""

    __slots__ = ("slices", "contents")

    def __init__(self, opener: Token):
        super().__init__(BLOCK, "{", opener.start, opener.end, opener.line_start)
        self.slices: list[Slice] = []
        self.contents: Any = ()  # what the parser makes of the slices


class TooDeep(Exception):
    """Brackets beyond BRACKET_LIMIT: reading stops."""

    def __init__(self, token: Token):
        self.token = token


def ends_operand(token: Token) -> bool:
    return token.kind in _OPERAND_ENDS


def _is_clause_word(tokens: Sequence[Token], words: frozenset[str]) -> bool:
    """Whether the last token is one of the words, standing where a clause may begin and not where a name is due."""
    return tokens[-1].kind == NAME and tokens[-1].text in words and len(tokens) > 1 and ends_operand(tokens[-2])


class _Layout:
    """Walks once over the tokens. ``blocks`` are the open ``{``, ``opened`` the open brackets of the innermost one."""

    def __init__(self, tokens: Sequence[Token], statement_words: frozenset[str]):
        self.tokens = tokens
        self.statement_words = statement_words
        self.top: list[Slice] = []
        self.blocks: list[tuple[Block, Slice]] = []  # each with the statement that it belongs to
        self.current = Slice()
        self.opened: list[Token] = []
        self.stray: list[Mistake] = []
        self.depth = 0

    def run(self) -> list[Slice]:
        table = {";": self.semicolon, "{": self.open_block, "}": self.close_block,
                 "(": self.open, "[": self.open, ")": self.close, "]": self.close}
        for i, token in enumerate(self.tokens):
            if token.line_start and self.current.tokens:
                self.line_end(i)
            if token.kind == BAD and token.mistake is not None:
                self.current.blame(token.mistake)
            handler = table.get(token.kind)
            if handler is None:
                self.current.tokens.append(token)
            else:
                handler(token)
        self.end_slice()
        if self.blocks:
            opener = self.blocks[-1][0]
            self.stray.append(Mistake("S004", "this `{` is never closed", opener.start, opener.start + 1,
                                      "end the block with `}`"))
        while self.blocks:
            self.end_block(self.tokens[-1])
            self.end_slice()
        return self.top

    # ------------------------------------------------------------ ends

    def slices(self) -> list[Slice]:
        return self.blocks[-1][0].slices if self.blocks else self.top

    def end_slice(self) -> None:
        self.blame_unclosed()
        if self.current.tokens or self.current.mistake:
            self.slices().append(self.current)
        self.current = Slice()

    def blame_unclosed(self) -> None:
        if self.opened:
            opener = self.opened[-1]
            self.current.blame(Mistake("S004", f"this `{opener.text}` is never closed", opener.start, opener.end,
                                       f"add `{_CLOSER[opener.text]}` where the group ends"))
            self.depth -= len(self.opened)
            self.opened = []

    def line_end(self, i: int) -> None:
        """A new line begins at token i: end the statement unless it goes on."""
        if self.begins_statement(i) or not (self.opened or self.goes_on(i)):
            self.end_slice()

    def begins_statement(self, i: int) -> bool:
        """Whether the line at token i can only be a new statement: in an expression no two names stand side by side.

        Then the statement before was left unfinished, by a forgotten bracket or operand.
        """
        token = self.tokens[i]
        if token.kind != NAME or token.text not in self.statement_words or token.text in ("for", "when"):
            return False
        follower = self.tokens[i + 1] if i + 1 < len(self.tokens) else token
        return not follower.line_start and (
            follower.kind == STRING or (follower.kind == NAME and follower.text not in _CLAUSE_WORDS))

    def goes_on(self, i: int) -> bool:
        last, token = self.current.tokens[-1], self.tokens[i]
        if last.kind in CONTINUING or _is_clause_word(self.current.tokens, _CONTINUING_WORDS):
            return True
        if token.kind == NAME and token.text == "when":
            return not self.opens_block(i)
        return token.kind in _BEGINNING or (token.kind == NAME and token.text in BEGINNING_WORDS)

    def opens_block(self, i: int) -> bool:
        """Whether the line that begins at i has a ``{`` before it ends: its `when` is a statement then, no clause."""
        depth = 0
        for j in range(i + 1, len(self.tokens)):
            token = self.tokens[j]
            if token.kind == "{":
                return True
            if token.kind in (";", "}"):
                return False
            if depth == 0 and token.line_start and self.tokens[j - 1].kind not in CONTINUING \
                    and token.kind not in _BEGINNING:
                return False
            depth += (token.kind in _CLOSER) - (token.kind in (")", "]"))
        return False

    # ------------------------------------------------------------ signs

    def semicolon(self, _: Token) -> None:
        self.end_slice()

    def deeper(self, token: Token) -> None:
        self.depth += 1
        if self.depth > BRACKET_LIMIT:
            raise TooDeep(token)

    def open(self, token: Token) -> None:
        self.deeper(token)
        self.opened.append(token)
        self.current.tokens.append(token)

    def close(self, token: Token) -> None:
        if not self.opened:
            self.current.blame(Mistake("S005", f"this `{token.text}` closes nothing", token.start, token.end,
                                       "remove it, or add what it should close"))
            return
        opener = self.opened.pop()
        self.depth -= 1
        if token.text != _CLOSER[opener.text] and not self.half_open(opener):
            self.current.blame(Mistake(
                "S005", f"`{opener.text}` is closed by `{token.text}`", token.start, token.end,
                f"write `{_CLOSER[opener.text]}`", note=("opened here", opener.start, opener.end)))
        self.current.tokens.append(token)

    def half_open(self, opener: Token) -> bool:
        """Ranges ``in [lo, hi)`` may mix brackets."""
        before = next((t for t in reversed(self.current.tokens) if t.start < opener.start), None)
        return before is not None and before.kind == NAME and before.text == "in"

    def open_block(self, token: Token) -> None:
        self.blame_unclosed()
        self.deeper(token)
        self.blocks.append((Block(token), self.current))
        self.current = Slice()

    def close_block(self, token: Token) -> None:
        self.end_slice()
        if self.blocks:
            self.end_block(token)
        else:
            self.stray.append(Mistake("S005", "this `}` closes nothing", token.start, token.end,
                                      "remove it, or add the `{` that it should close"))

    def end_block(self, token: Token) -> None:
        block, self.current = self.blocks.pop()
        self.depth -= 1
        block.end = token.end
        self.current.tokens.append(block)


def cut(tokens: Sequence[Token], statement_words: frozenset[str]) -> tuple[list[Slice], list[Mistake]]:
    """The statements of a text, and the mistakes that belong to none of them. Raises TooDeep."""
    layout = _Layout(tokens, statement_words)
    slices = layout.run()
    return slices, layout.stray
