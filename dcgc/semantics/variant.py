"""Variants of a game that need no new text: who commits, and who minimises together, said beside it (on the command line)."""

from __future__ import annotations

from dataclasses import dataclass

from ..source import Ledger, Source, Span
from ..syntax import parse, tree
from .mistakes import parameters as P


@dataclass(frozen=True)
class Variant:
    """``commits``: players, members or teams, as a text would name them after ``commit``. ``teams``: (name, members as a text would
    list them): they minimise the sum of all that the text charges any of them."""

    commits: tuple[str, ...] = ()
    teams: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.commits or self.teams)

    @property
    def flags(self) -> tuple[str, ...]:
        """As flags of the command line."""
        return (*(f"--commit {who}" for who in self.commits), *(f"--team {name}={members}" for name, members in self.teams))

    def statements(self, ledger: Ledger) -> tuple[tree.Statement, ...]:
        """What a text would say instead; what is no player is reported at the flag."""
        found: list[tree.Statement] = []
        for who in self.commits:
            found.extend(statement_of(f"--commit {who}", f"commit {who}", tree.Commit, ledger))
        for name, members in self.teams:
            found.extend(statement_of(f"--team {name}={members}", f"team {name} = {members}", tree.Team, ledger))
        return tuple(found)


def statement_of(flag: str, text: str, kind: type[tree.Statement], ledger: Ledger) -> tuple[tree.Statement, ...]:
    """The one statement that a flag stands for; a report and nothing if it is none."""
    source = Source(flag, text)
    own = Ledger()
    statements = parse(source, own).statements
    if not own.errors and len(statements) == 1 and isinstance(statements[0], kind):
        return statements
    for diagnostic in own:
        ledger.add(diagnostic)
    if not own.errors:
        ledger.add(P.NO_VARIANT.at(statements[0].span if statements else Span(source, 0, len(text)), flag=flag))
    return ()
