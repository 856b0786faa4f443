"""Games in Gambit's .efg format, version 2 (https://gambitproject.readthedocs.io, "Game representation formats")."""

from __future__ import annotations

from collections.abc import Iterator

from .tree import CHANCE, FiniteGame, written


def write_efg(game: FiniteGame) -> str:
    """The text of a file; nodes depth first, as the format wants them. Information sets are numbered as they come."""
    return "\n".join(lines(game)) + "\n"


def lines(game: FiniteGame) -> Iterator[str]:
    yield f"EFG 2 R {quoted(game.title)} {{ {' '.join(map(quoted, game.players))} }}"
    yield quoted(game.comment)
    yield ""
    numbers: dict[int, int] = {}  # of every information set that was mentioned, from 1 for each player
    mentioned: dict[int, int] = {}
    outcomes: dict[tuple[object, ...], int] = {}
    waiting = [0]
    while waiting:
        k = waiting.pop()
        node = game.nodes[k]
        waiting.extend(reversed(node.children))
        reward = "0"
        if node.payoffs and (any(node.payoffs) or node.information is None):
            key = (node.payoffs, node.outcome)
            new = key not in outcomes
            number = outcomes.setdefault(key, len(outcomes) + 1)
            reward = str(number)
            if new:
                reward += f" {quoted(node.outcome)} {{ {', '.join(map(written, node.payoffs))} }}"
        if node.information is None:
            yield f't "" {reward}'
            continue
        s = game.sets[node.information]
        known = ""
        if node.information not in numbers:
            mentioned[s.player] = numbers[node.information] = mentioned.get(s.player, 0) + 1
            actions = [f"{quoted(a)} {written(p)}" for a, p in zip(s.actions, s.probabilities, strict=True)] \
                if s.player == CHANCE else [quoted(a) for a in s.actions]
            known = f" {quoted(s.label)} {{ {' '.join(actions)} }}"
        who = "c \"\"" if s.player == CHANCE else f'p "" {s.player + 1}'
        yield f"{who} {numbers[node.information]}{known} {reward}"


def quoted(text: str) -> str:
    """A label in quotes, on one line."""
    plain = " ".join(text.split())
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
