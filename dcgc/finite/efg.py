"""Games in Gambit's .efg format, version 2 (https://gambitproject.readthedocs.io, "Game representation formats")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .tree import CHANCE, FiniteGame, written


def write_efg(game: FiniteGame) -> str:
    """The text of a file; nodes depth first, as the format wants them. Information sets are numbered as they come. Labels of players, of a
    player's information sets and of the actions of one differ, as Gambit 17 wants it: a number is added where they do not. Each chance node
    is a set of its own: Gambit takes chance for a player who may forget."""
    return "\n".join(lines(game)) + "\n"


def lines(game: FiniteGame) -> Iterator[str]:
    yield f"EFG 2 R {quoted(game.title)} {{ {' '.join(map(quoted, apart(game.players)))} }}"
    yield quoted(game.comment)
    yield ""
    numbers: dict[int, int] = {}  # of every information set that was mentioned, from 1 for each player
    mentioned: dict[int, int] = {}
    labels: dict[int, dict[str, int]] = {}
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
        if node.information not in numbers or s.player == CHANCE:
            mentioned[s.player] = numbers[node.information] = mentioned.get(s.player, 0) + 1
            actions = [quoted(a) for a in apart(s.actions)]
            if s.player == CHANCE:
                actions = [f"{a} {written(p)}" for a, p in zip(actions, s.probabilities, strict=True)]
            label = another(s.label, labels.setdefault(s.player, {})) if s.player != CHANCE or s.label else ""
            known = f" {quoted(label)} {{ {' '.join(actions)} }}"
        who = "c \"\"" if s.player == CHANCE else f'p "" {s.player + 1}'
        yield f"{who} {numbers[node.information]}{known} {reward}"


def apart(labels: Sequence[str]) -> list[str]:
    """The labels, made different from each other."""
    taken: dict[str, int] = {}
    return [another(label, taken) for label in labels]


def another(label: str, taken: dict[str, int]) -> str:
    """A label that is not taken yet, near to one that is; it is taken then. ``taken``: how often each was asked for."""
    base = " ".join(label.split())
    new = base
    while not new or new in taken:
        taken[base] = taken.get(base, 0) + 1
        new = f"{base} ({taken[base]})" if base else str(taken[base])
    taken[new] = 1
    return new


def quoted(text: str) -> str:
    """A label in quotes, on one line."""
    plain = " ".join(text.split())
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
