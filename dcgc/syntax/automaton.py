"""The LALR automaton: drives the tables over the tokens of one statement and builds its node bottom-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..source import Source, Span
from .grammar import KEEP, SPLICE, Rule, Tables
from .mistake import Mistake, SyntaxMistake
from .tokens import END, NAME, Token

# An expression nested deeper than this is refused, so that every later walk over the tree may be recursive.
DEPTH_LIMIT = 100

Builder = Callable[[list[Any], Span], Any]


class Unexpected(Exception):
    """A token that cannot stand where it stands; ``expected`` are the terminals that could."""

    def __init__(self, token: Token, before: Sequence[Token], expected: frozenset[str]):
        self.token = token
        self.before = before
        self.expected = expected
        super().__init__(token.text)


class _Entry:
    """A symbol on the stack: its value, its extent and how deep its tree is."""

    __slots__ = ("value", "start", "end", "depth")

    def __init__(self, value: Any, start: int, end: int, depth: int):
        self.value = value
        self.start = start
        self.end = end
        self.depth = depth


class Automaton:
    """A parser for one start symbol. ``builders`` maps a rule's key to the function that builds its node."""

    def __init__(self, tables: Tables, builders: Mapping[str, Builder]):
        self.tables = tables
        self.builders = builders

    def terminal(self, token: Token, state: int) -> str:
        """What a token is in a state: a word is a keyword wherever that keyword may stand, and else a name."""
        if token.kind == NAME and token.text in self.tables.states[state]:
            return token.text
        return token.kind

    def parse(self, source: Source, start: str, tokens: Sequence[Token]) -> Any:
        """The node of ``tokens``. Raises Unexpected, or SyntaxMistake from a builder."""
        states, rules = self.tables.states, self.tables.rules
        initial, final = self.tables.starts[start], self.tables.ends[start]
        stack: list[int] = [initial]
        entries: list[_Entry] = []
        offset = tokens[-1].end if tokens else 0
        for i in range(len(tokens) + 1):
            token = tokens[i] if i < len(tokens) else Token(END, "", offset, offset)
            while True:
                state = stack[-1]
                if token.kind == END and state == final:
                    return entries[-1].value
                action = states[state].get(self.terminal(token, state))
                if action is None:
                    raise Unexpected(token, tokens[:i], self.expected(start, tokens[:i]))
                if action >= 0:
                    stack.append(action)
                    entries.append(_Entry(token, token.start, token.end, 0))
                    break
                rule = rules[-1 - action]
                entry = self._reduce(rule, entries[-rule.length :], source)
                del entries[-rule.length :], stack[-rule.length :]
                entries.append(entry)
                stack.append(states[stack[-1]][rule.origin])
                if stack[-1] == final and token.kind == END:
                    return entry.value
        raise AssertionError("the automaton leaves by returning or raising")

    def _reduce(self, rule: Rule, parts: list[_Entry], source: Source) -> _Entry:
        children: list[Any] = [None] * rule.blanks[0]
        for part, treatment, blanks in zip(parts, rule.treatment, rule.blanks[1:], strict=True):
            if treatment == KEEP:
                children.append(part.value)
            elif treatment == SPLICE:
                if rule.collects and not children:
                    children = part.value  # go on with the list itself: copying it each time would be quadratic
                else:
                    children.extend(part.value)
            if blanks:
                children.extend([None] * blanks)
        start, end, depth = parts[0].start, parts[-1].end, max(part.depth for part in parts)
        if rule.collects:
            return _Entry(children, start, end, depth)
        if rule.transparent and len(children) == 1:
            return _Entry(children[0], start, end, depth)
        if depth >= DEPTH_LIMIT:
            raise SyntaxMistake(Mistake(
                "S010", f"this is nested more than {DEPTH_LIMIT} deep", start, end,
                "name a part of it with `let` or `def`"))
        return _Entry(self.builders[rule.builder](children, Span(source, start, end)), start, end, depth + 1)

    def expected(self, start: str, tokens: Sequence[Token]) -> frozenset[str]:
        """The terminals that could really follow the tokens.

        The automaton may have reduced before it saw that a token does not fit, and its lookaheads list terminals that
        fail later; so the states are walked again up to the token, and each candidate is tried.
        """
        states, rules = self.tables.states, self.tables.rules
        stack = [self.tables.starts[start]]
        for token in tokens:
            while (action := states[stack[-1]][self.terminal(token, stack[-1])]) < 0:
                rule = rules[-1 - action]
                del stack[-rule.length :]
                stack.append(states[stack[-1]][rule.origin])
            stack.append(action)
        candidates = (t for t in states[stack[-1]] if t == ":" or not t.startswith(":"))
        return frozenset(t for t in candidates if self._accepts(stack, t))

    def _accepts(self, stack: list[int], terminal: str) -> bool:
        states, rules = self.tables.states, self.tables.rules
        kept, pushed = len(stack), list[int]()  # the stack is stack[:kept] + pushed, so that it need not be copied
        ends = set(self.tables.ends.values())
        while True:
            state = pushed[-1] if pushed else stack[kept - 1]
            if terminal == END and state in ends:
                return True
            action = states[state].get(terminal)
            if action is None:
                return False
            if action >= 0:
                return True
            rule = rules[-1 - action]
            taken = min(rule.length, len(pushed))
            if taken:
                del pushed[-taken:]
            kept -= rule.length - taken
            pushed.append(states[pushed[-1] if pushed else stack[kept - 1]][rule.origin])
