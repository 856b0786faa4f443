"""From the text of an .efg file to tokens with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ..source import Diagnostic, GameError, Source, Span

CODE = "F001"
MOST_DIGITS = 60
MOST_EXPONENT = 300

_PATTERN = re.compile(r"""
    (?P<space>  \s+ )
  | (?P<string> "(?:[^"\\]|\\.)*" )
  | (?P<number> [-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?:\s*/\s*[-+]?[0-9]+)? )
  | (?P<word>   [^\W\d]\w* )
  | (?P<sign>   [{},] )
  | (?P<open>   " )
  | (?P<other>  . )
""", re.VERBOSE | re.DOTALL)


@dataclass(frozen=True)
class Token:
    """``kind``: string, number, word, a sign itself, or end."""

    kind: str
    text: str
    span: Span


def fail(message: str, span: Span, hint: str = "", code: str = CODE) -> GameError:
    return GameError((Diagnostic(code, message, span, hint),))


def tokens(source: Source) -> Iterator[Token]:
    """All tokens and an end. Raises GameError at the first character that begins none."""
    for found in _PATTERN.finditer(source.text):
        kind = str(found.lastgroup)
        if kind == "space":
            continue
        span = Span(source, found.start(), found.end())
        if kind == "open":
            raise fail("this text in quotes has no end", span, "close it with \"; a quote inside is written \\\"")
        if kind == "other":
            raise fail(f"{found.group()!r} has no meaning here", span)
        text = found.group()
        plain = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL) if kind == "string" else text
        yield Token(text if kind == "sign" else kind, plain, span)
    end = len(source.text)
    yield Token("end", "the end of the file", Span(source, end, end))


def number(token: Token) -> Fraction:
    """The exact value of a number, a decimal or a ratio. Raises GameError for a ratio by 0 and for numbers out of all proportion."""
    if token.kind != "number":
        raise fail(f"a number is expected here, not {token.text[:40]!r}", token.span)
    above, _, below = re.sub(r"\s", "", token.text).partition("/")
    exponent = re.search(r"[eE]([-+]?[0-9]+)", above)
    digits = sum(c.isdigit() for c in token.text)
    if digits > MOST_DIGITS or (exponent and abs(int(exponent.group(1))) > MOST_EXPONENT):
        raise fail("this number has too many digits", token.span, f"at most {MOST_DIGITS} digits, exponents up to {MOST_EXPONENT}")
    if below and int(below) == 0:
        raise fail("a ratio by 0", token.span)
    return Fraction(above) / (int(below) if below else 1)
