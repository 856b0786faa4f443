"""Canonical layout: one statement a line, two spaces a level, comments kept with what they stand at."""

from __future__ import annotations

from collections.abc import Sequence

from . import tree
from .layout import BEGINNING_WORDS, CONTINUING
from .print_statements import Block, Piece, piece
from .tokens import NAME, read_tokens

WIDTH = 110


def format_file(file: tree.File) -> str:
    """The text of a tree in canonical layout.

    It parses to an equal tree with the same comments in the same order, and formatting it again changes nothing. A
    comment inside a statement moves to its own line before it. The file must have been parsed without mistakes: what a
    mistake cost is not in the tree.
    """
    writer = _Writer(file.comments)
    writer.write_all([piece(statement) for statement in file.statements], file.span.end, 0)
    return "".join(line + "\n" for line in writer.lines)


def _wrap(line: str, indent: int) -> list[str]:
    """Break a line that is too long where a statement may go on: after commas and operators, before clauses.

    Of the places that fit, the one in the fewest brackets is taken, the last among equals, but none in the first third.
    """
    pad = " " * indent
    if len(pad + line) <= WIDTH:
        return [pad + line]
    places: list[tuple[int, int]] = []  # (depth, offset of the space to break at)
    # Before a block `when` on a new line would begin a statement.
    clauses = BEGINNING_WORDS if line.endswith(("{", "}")) else BEGINNING_WORDS | {"when"}
    depth = 0
    for token in read_tokens(line):
        depth += (token.kind in ("(", "[")) - (token.kind in (")", "]"))
        if token.kind in CONTINUING and line[token.end : token.end + 1] == " ":
            places.append((depth, token.end))
        elif token.kind == NAME and token.text in clauses and token.start > 0 and line[token.start - 1] == " ":
            places.append((depth, token.start - 1))
    lines: list[str] = []
    begin, room = 0, WIDTH - indent
    while len(line) - begin > room:
        later = [place for place in places if place[1] > begin]
        fitting = [place for place in later if begin + room // 3 < place[1] <= begin + room]
        if not fitting:
            fitting = later[:1]
        if not fitting:
            break
        end = min(fitting, key=lambda place: (place[0], -place[1]))[1]
        lines.append(line[begin:end])
        begin, room = end + 1, WIDTH - indent - 4
    lines.append(line[begin:])
    return [pad + lines[0], *(pad + "    " + rest for rest in lines[1:])]


class _Writer:
    """Writes pieces in order and puts every comment at its place among them."""

    def __init__(self, comments: Sequence[tree.Comment]):
        self.comments = comments
        self.next = 0  # the first comment that is not written yet
        self.lines: list[str] = []
        self.last_line: int | None = None  # line in the old text where the last thing ended; None: a block begins

    def write_all(self, pieces: Sequence[Piece], end: int, indent: int) -> None:
        """Write the pieces of a block or file that ends at ``end``, and all comments up to there."""
        for i, item in enumerate(pieces):
            limit = pieces[i + 1].span.start if i + 1 < len(pieces) else end
            self.comments_before(item.span.start, indent)
            self.write(item, indent)
            self.trailing_comment(item.span.source.position(item.span.end)[0], limit)
        self.comments_before(end, indent)

    def write(self, item: Piece, indent: int) -> None:
        position = item.span.source.position
        self.blank_line(position(item.span.start)[0])
        header_end = item.span.end if item.block is None else item.block.span.start
        while self.pending(header_end) is not None:
            self.take_comment(indent)
        if item.block is None:
            self.lines += _wrap(item.line, indent)
        else:
            self.write_block(item.line, item.block, indent)
        self.last_line = position(item.span.end)[0]

    def write_block(self, header: str, block: Block, indent: int) -> None:
        position = block.span.source.position
        first, last = position(block.span.start)[0], position(block.span.end)[0]
        if self.pending(block.span.end) is None:
            if not block.pieces:
                self.lines += _wrap(header + " { }", indent)
                return
            line = f"{header} {{ {'; '.join(inner.line for inner in block.pieces)} }}"
            if block.compact and first == last and indent + len(line) <= WIDTH:
                self.lines.append(" " * indent + line)
                return
        self.lines += _wrap(header + " {", indent)
        start = block.pieces[0].span.start if block.pieces else block.span.end
        self.last_line = first
        self.trailing_comment(first, start)
        self.last_line = None
        self.write_all(block.pieces, block.span.end, indent + 2)
        self.lines.append(" " * indent + "}")

    # ------------------------------------------------------------ comments and blank lines

    def pending(self, before: int) -> tree.Comment | None:
        """The next comment if it stands before an offset."""
        if self.next < len(self.comments) and self.comments[self.next].span.start < before:
            return self.comments[self.next]
        return None

    def take_comment(self, indent: int) -> None:
        self.lines.append(" " * indent + self.comments[self.next].text)
        self.next += 1

    def comments_before(self, offset: int, indent: int) -> None:
        while (comment := self.pending(offset)) is not None:
            line = comment.span.line
            self.blank_line(line)
            self.take_comment(indent)
            self.last_line = line

    def trailing_comment(self, line: int, limit: int) -> None:
        """Put the next comment at the end of what was just written if it stands on the same line."""
        comment = self.pending(limit)
        if comment is not None and comment.span.line == line:
            self.lines[-1] += "  " + comment.text
            self.next += 1

    def blank_line(self, line: int) -> None:
        """Keep one blank line if there was one between the last thing and the one on this line."""
        if self.last_line is not None and line - self.last_line > 1:
            self.lines.append("")


