"""Words for what was expected: from the automaton's terminals to a sentence for the author."""

from __future__ import annotations

from collections.abc import Callable

from ..source import near_names
from .automaton import Unexpected
from .layout import ends_operand
from .mistake import Mistake, visible
from .tokens import BLOCK, END, NAME, NUMBER, RESERVED, STRING, Token

_OPERAND = frozenset(
    (NAME, NUMBER, STRING, "(", "[", "-", "+", "not", "if", "E", "Var", "Cov", "true", "false", "nothing", "recall",
     "others", "all", "inf", "pi"))
_OPERATORS = frozenset(("+", "-", "*", "/", "^", "**", "==", "!=", "<", "<=", ">", ">=", "and", "or", "(", "["))
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
# Statements that may have been put on the line of another one.
_LEADING = frozenset(("let", "param", "random", "decide", "send", "cost", "payoff", "next", "state", "halt"))

_WORDS = {
    NAME: "a name", NUMBER: "a number", STRING: 'a text in double quotes', BLOCK: "a block in `{ }`",
    END: "the end of the statement", "by": "`by PLAYER`", "knowing": "`knowing ..`", "to": "`to ..`",
    "against": "`against ..`", "per": "`per ..`", "within": "`within TOLERANCE`", "when": "`when CONDITION`",
    "from": '`from "reference"`',
}


def in_words(expected: frozenset[str]) -> str:
    """``an expression``, ``a name or `(```, ... for a set of terminals."""
    words: list[str] = []
    rest = set(expected)
    if {NAME, NUMBER, "("} <= rest:
        words.append("an expression")
        rest -= _OPERAND
    elif {"+", "*", "^"} <= rest:
        rest -= _OPERATORS
        if not rest:
            words.append("an operator")
    elif {NAME, "others"} <= rest:
        words.append("a player, `others` or `all`")
        rest -= {NAME, "others", "all"}
    order = sorted(rest, key=lambda t: (t == END, t.isidentifier() and t not in _WORDS, t))
    words += [_WORDS.get(terminal, f"`{terminal}`") for terminal in order]
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " or " + words[-1]


def _shown(token: Token) -> str:
    if token.kind == STRING:
        return "a text"
    if token.kind == BLOCK:
        return "a block in `{ }`"
    return visible(token.text if len(token.text) <= 40 else token.text[:37] + "...")


# Hints for what is often meant. Each looks at the token, at what stands before it and at what could have come.
_Hint = Callable[[Unexpected], str]


def _hint_equal_in_condition(found: Unexpected) -> str:
    if found.token.kind == "=" and "==" in found.expected:
        return "`==` compares; `=` defines"
    return ""


def _hint_compare_for_define(found: Unexpected) -> str:
    return "`=` defines; `==` compares" if found.token.kind == "==" and "=" in found.expected else ""


def _hint_random(found: Unexpected) -> str:
    if found.token.kind == "=" and "~" in found.expected:
        return "a random variable is drawn with `~`; a computed value is a `let`"
    if found.token.kind == "~" and "=" in found.expected:
        return "`~` draws a `random` variable; here a value is set with `=`"
    return ""


def _hint_knowing(found: Unexpected) -> str:
    if "knowing" in found.expected and found.token.kind == END:
        return "say what is known: `knowing x, y` or `knowing nothing`"
    return ""


def _hint_else(found: Unexpected) -> str:
    return "`if c then a else b` needs its `else`" if "else" in found.expected and "then" not in found.expected else ""


def _hint_conditional(found: Unexpected) -> str:
    return "put the `if .. then .. else ..` in round brackets" if found.token.kind == "if" else ""


def _hint_minus_line(found: Unexpected) -> str:
    if not found.before and found.token.kind == "-":
        return "a line that begins with `-` is a new statement: put the `-` at the end of the line before"
    return ""


def _hint_product(found: Unexpected) -> str:
    if found.before and found.before[-1].kind == NUMBER and found.token.kind in (NAME, "(", "E", "pi") \
            and found.token.text not in _LEADING:
        return f"write `{found.before[-1].text} * ..` for a product"
    return ""


def _hint_two_statements(found: Unexpected) -> str:
    if END in found.expected and found.token.kind == NAME and not found.token.line_start \
            and found.before and (ends_operand(found.before[-1]) or found.before[-1].kind == BLOCK):
        return "a new statement begins on a new line or after `;`"
    return ""


def _hint_interval(found: Unexpected) -> str:
    return "a range is written `in [lo, hi]`" if found.token.kind == ".." and "," in found.expected else ""


_HINTS: tuple[_Hint, ...] = (
    _hint_random, _hint_equal_in_condition, _hint_compare_for_define, _hint_knowing, _hint_else, _hint_conditional,
    _hint_minus_line, _hint_interval, _hint_product, _hint_two_statements,
)


def explain(found: Unexpected) -> Mistake:
    """The mistake that an unexpected token is."""
    token = found.token
    hint = next((text for text in (hint(found) for hint in _HINTS) if text), "")
    words = in_words(found.expected)
    after = f" after {_shown(found.before[-1])}" if found.before else ""
    if token.kind == END:
        return Mistake("S003", f"the statement ends too early: expected {words}{after}", found.before[-1].start,
                       found.before[-1].end, hint, at_end=True)
    if token.kind in RESERVED and NAME in found.expected and NUMBER not in found.expected:
        return Mistake("S012", f"{_shown(token)} is a reserved word and cannot be a name", token.start, token.end,
                       f"choose another name, such as `{token.text}_`")
    if token.kind in _COMPARISONS and not found.expected & _COMPARISONS and "+" in found.expected \
            and any(t.kind in _COMPARISONS for t in found.before):
        return Mistake("S009", "comparisons do not chain", token.start, token.end,
                       "write `a < b and b < c`, or put the first comparison in round brackets")
    near: tuple[str, ...] = ()
    if token.kind == NAME:
        near = near_names(token.text, sorted(t for t in found.expected if t.isidentifier() and t != NAME))
    return Mistake("S002", f"unexpected {_shown(token)}{after}: expected {words}", token.start, token.end, hint, near)
