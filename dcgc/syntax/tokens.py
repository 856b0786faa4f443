"""From text to tokens and comments (section 1 of the language).

Words are not classified here: a word is a keyword or a name according to where it stands, which only the grammar knows.
The exceptions are the reserved words, which are never names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import normalize

from .mistake import Mistake, visible

RESERVED = frozenset(
    "if then else and or not true false nothing recall others all inf pi E Var Cov".split()
)

NAME, NUMBER, STRING, BLOCK, BAD, END = "NAME", "NUMBER", "STRING", "BLOCK", "BAD", "$END"


class Token:
    """A word, number, string or sign, with its offsets.

    ``kind`` is NAME (any word that is not reserved), NUMBER, STRING, BAD (with its ``mistake``), or the text itself for
    reserved words and signs. ``line_start`` says that it is the first of its line.
    """

    __slots__ = ("kind", "text", "start", "end", "line_start", "mistake")

    def __init__(self, kind: str, text: str, start: int, end: int, line_start: bool = False,
                 mistake: Mistake | None = None):
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end
        self.line_start = line_start
        self.mistake = mistake

    def __repr__(self) -> str:
        return f"Token({self.kind}, {self.text!r}, {self.start})"


_WORD = r"[^\W\d][\w\u0300-\u036f]*"
_PATTERN = re.compile(
    rf"""
    (?P<newline> \n )
  | (?P<space>   [^\S\n]+ | \ufeff )
  | (?P<comment> \#[^\n]* )
  | (?P<name>    {_WORD} (?: \. {_WORD} )* )
  | (?P<number>  [0-9]+ (?: \.[0-9]+ )? (?: [eE][+-]?[0-9]+ )? %? )
  | (?P<string>  "[^"\n]*" )
  | (?P<sign>    \.\. | -> | \*\* | == | != | <= | >= | [-+*/^<>=~:,;|()\[\]{{}}] )
  | (?P<halfnumber> \.[0-9]+ )
  | (?P<openstring> "[^\n]* )
  | (?P<other>   . )
    """,
    re.VERBOSE | re.DOTALL,
)

_INSTEAD = {
    "≤": "<=", "≥": ">=", "≠": "!=", "−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "∞": "inf", "→": "->", "∼": "~",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "'": '"', "‘": '"', "’": '"', "`": '"', "&": "and", "!": "not",
    "²": "^2", "³": "^3", "…": "..", "√": "sqrt(x)", "?": "if c then a else b", "%": "2%` in one word or `mod(a, b)",
    ".": "..` for a range or `0.5",
}


def _unknown(text: str, start: int) -> Mistake:
    instead = _INSTEAD.get(text[0])
    return Mistake("S008", f"{visible(text)} is not part of the language", start, start + len(text),
                   f"write `{instead}`" if instead else "")


def _foreign_character(word: str) -> int | None:
    """Where in a word a character stands that is neither letter, digit nor ``_`` (``²`` counts as a word to ``re``)."""
    if word.isascii():
        return None
    for i, character in enumerate(word):
        if not (character.isalpha() or character.isdecimal() or character in "_." or "\u0300" <= character <= "\u036f"):
            return i
    return None


def _number_mistake(text: str, found: str, start: int, end: int) -> Mistake | None:
    """What is wrong with a number that ends at ``end``: nothing after its point, a word glued to it, too large."""
    follower = text[end : end + 1]
    if follower == "." and text[end + 1 : end + 2] != ".":
        return Mistake("S006", f"the number `{found}.` has no digits after its point", start, end + 1,
                       f"write `{found}.0` or `{found}`")
    if follower and (follower.isalnum() or follower == "_"):
        return Mistake("S006", f"the number `{found}` runs into a word", start, end + 1,
                       f"write `{found} * ..` for a product; names begin with a letter")
    if found != "inf" and float(found.rstrip("%")) == float("inf"):
        return Mistake("S006", f"the number `{found[:40]}` is too large", start, end, "write `inf` for infinity")
    return None


def read_tokens(text: str) -> Iterator[Token]:
    """All tokens of a text in order; comments come as tokens of kind ``#``. Never raises."""
    line_start = True
    position, length = 0, len(text)
    match_at = _PATTERN.match
    while position < length:
        match = match_at(text, position)
        if match is None:  # cannot be: the last alternative takes any character
            return
        kind, found, start = match.lastgroup, match.group(), position
        position = match.end()
        if kind == "space":
            continue
        if kind == "newline":
            line_start = True
            continue
        if kind == "comment":
            yield Token("#", found.rstrip(), start, start + len(found.rstrip()), line_start)
            continue
        token = Token(found, found, start, position, line_start)
        line_start = False
        if kind == "name":
            foreign = _foreign_character(found)
            if foreign is not None:
                token.kind, token.mistake = BAD, _unknown(found[foreign], start + foreign)
            elif found not in RESERVED:
                token.kind = NAME
                if not found.isascii():
                    token.text = normalize("NFC", found)
        elif kind == "number":
            token.kind = NUMBER
            mistake = _number_mistake(text, found, start, position)
            if mistake is not None:
                token.kind, token.mistake = BAD, mistake
                token.end = position = mistake.end
        elif kind == "string":
            token.kind, token.text = STRING, found[1:-1]
        elif kind == "halfnumber":
            token.kind = BAD
            token.mistake = Mistake("S006", f"the number `{found}` has no digits before its point", start, position,
                                    f"write `0{found}`")
        elif kind == "openstring":
            token.kind = BAD
            token.mistake = Mistake("S007", "this string is not closed on its line", start, position,
                                    'end it with `"`')
        elif kind == "other":
            token.kind, token.mistake = BAD, _unknown(found, start)
        yield token
