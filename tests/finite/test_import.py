"""From .efg to text and back: the same game, up to names."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from dcgc import door
from dcgc.finite import FiniteGame, InformationSet, Node, to_text, write_efg
from dcgc.finite.tree import CHANCE
from dcgc.source import GameError

HORSE = (Path(__file__).parent / "horse.efg").read_text(encoding="utf-8")  # Selten 1975

# Gambit's own example of the format (bayes2a.efg, shortened by half): commas and decimals, names of nodes, outcomes above the ends.
SIGNALLING = """EFG 2 R "Beer or quiche" { "Sender" "Receiver" }
"Cho and Kreps 1987"

c "ROOT" 1 "(0,1)" { "surly" 0.9 "wimp" 1/10 } 0
p "a" 1 1 "(1,1)" { "beer" "quiche" } 0
p "" 2 1 "after beer" { "fight" "leave" } 1 "bonus of the surly" { 1.0 0 }
t "" 2 "Outcome" { 0.000000 -1.000000 }
t "" 3 "" { 2, 0.0 }
p "" 2 2 "after quiche" { "fight" "leave" } 0
t "" 2
t "" 3
p "b" 1 2 "(1,2)" { "beer" "quiche" } 0
p "" 2 1 0
t "" 4 "" { 0, 1 }
t "" 5 "" { 2, 0 }
p "" 2 2 0
t "" 6 "" { 1, 1 }
t "" 7 "" { 3, 0 }
"""

# Two players who come in either order, and do not know in which: no order of statements puts one after the other.
CROSSED = """EFG 2 R "" { "A" "B" }
c "" 1 "" { "first A" 0.5 "first B" 0.5 } 0
p "" 1 1 "" { "stop" "go on" } 0
t "" 1 "" { 1, 0 }
p "" 2 1 "" { "stop" "go on" } 0
t "" 2 "" { 0, 2 }
t "" 3 "" { 3, 3 }
p "" 2 1 0
t "" 4 "" { 0, 1 }
p "" 1 1 0
t "" 5 "" { 2, 0 }
t "" 6 "" { 5, 1 }
"""

DRIVER = """EFG 2 R "Absent-minded driver" { "D" }
p "" 1 1 "here" { "exit" "go" } 0
t "" 1 "" { 0 }
p "" 1 1 0
t "" 2 "" { 4 }
t "" 3 "" { 1 }
"""

CARDS = """EFG 2 R "Cards" { "A" "B" }
c "" 1 "" { "king" 1/2 "queen" 1/2 } 0
p "" 1 1 "" { "0.5" "-1" "else" } 0
t "" 1 "" { 1/3, -1/3 }
c "" 2 "" { "x" 0.25 "y" 0.75 } 0
p "" 2 1 "" { "one" } 1
t "" 0
t "" 2 "" { 0.1, 7 }
p "" 2 2 "" { "L" "M" "R" } 0
t "" 1
t "" 2
t "" 2
p "" 1 2 "" { "0.5" "-1" "else" } 0
t "" 2
t "" 3 "" { 0, 5 }
t "" 1
"""


def short(game: FiniteGame) -> FiniteGame:
    """The same game without moves of a single action, payoffs at its ends alone."""
    sets: list[InformationSet] = list(game.sets)
    nodes: list[Node] = []

    def walk(k: int) -> int:
        node = game.nodes[k]
        while len(node.children) == 1:
            k = node.children[0]
            node = game.nodes[k]
        here = len(nodes)
        nodes.append(Node(None))
        if node.information is None:
            nodes[here] = Node(None, (), game.totals[k])
        else:
            own = sets[node.information]
            chosen = [a for a in range(len(node.children)) if own.player != CHANCE or own.probabilities[a] > 0]
            nodes[here] = Node(node.information, tuple(walk(node.children[a]) for a in chosen))
        return here

    walk(0)
    return FiniteGame(game.title, game.players, tuple(sets), tuple(nodes))


def same(one: FiniteGame, other: FiniteGame) -> bool:
    """Whether two games are one up to names: a walk through both finds the same moves, laws, ends, and sets that correspond."""
    one, other = short(one), short(other)
    if len(one.nodes) != len(other.nodes) or len(one.players) != len(other.players):
        return False
    there: dict[int, int] = {}
    for a, b in zip(one.nodes, other.nodes, strict=True):
        if a.children != b.children or (a.information is None) != (b.information is None):
            return False
        if a.information is None or b.information is None:
            if not np.allclose([float(x) for x in a.payoffs], [float(x) for x in b.payoffs], rtol=1e-9, atol=1e-11):
                return False
            continue
        s, t = one.sets[a.information], other.sets[b.information]
        if s.player != t.player:
            return False
        if s.player == CHANCE:
            if not np.allclose([float(p) for p in s.probabilities if p], [float(p) for p in t.probabilities if p], atol=1e-9):
                return False
        elif there.setdefault(a.information, b.information) != b.information:
            return False
    return len(set(there.values())) == len(there)


def back(game: FiniteGame) -> FiniteGame:
    return door.shadow(door.load(to_text(game))).game


@pytest.mark.parametrize("text", [HORSE, SIGNALLING, CARDS], ids=["horse", "signalling", "cards"])
def test_round_trip(read, text):
    game = read(text)
    assert write_efg(read(write_efg(game))) == write_efg(game)
    again = back(game)
    assert same(game, again)
    assert same(again, read(write_efg(again)))


def test_shipped_games_go_round(tree_of):
    game = tree_of("kuhn_poker")
    assert same(game, back(game))


def test_another_game_is_not_the_same(read):
    assert not same(read(HORSE), read(HORSE.replace("4, 4, 0", "4, 3, 0")))
    assert not same(read(HORSE), read(HORSE.replace('p "" 3 1 "" { "L" "R" } 0\nt "" 4', 'p "" 3 2 "" { "L" "R" } 0\nt "" 4')))


def test_the_text_says_who_knows_what(read):
    text = to_text(read(SIGNALLING))
    assert "# chance: 1 is surly, 2 is wimp\nrandom chance ~ Categorical([0.9, 0.1])" in text
    assert "decide move_Sender : Choice(beer, quiche) by Sender knowing chance mixed" in text
    assert "decide move_Receiver : Choice(fight, leave) by Receiver knowing move_Sender mixed" in text
    text = to_text(read(HORSE))
    assert "when move_Player_1 == C {\n  decide move_Player_2 : Choice(c, d) by Player_2 knowing nothing mixed" in text
    assert "when move_Player_2 == d or move_Player_1 == D {\n  decide move_Player_3 : Choice(L, R) by Player_3 knowing nothing" in text


def test_payoffs_above_the_ends_are_paid_on_the_way(read):
    game = read(SIGNALLING)
    ends = [game.totals[t] for t in game.terminals]
    assert ends[0] == (Fraction(1), Fraction(-1)) and ends[1] == (Fraction(3), Fraction(0)) and ends[2] == (Fraction(0), Fraction(-1))


def test_sets_without_an_order_keep_their_payoffs(read):
    """Expected payoffs under any behaviour are those of the file, though each player now decides at once."""
    game = read(CROSSED)
    text = to_text(game)
    again = door.shadow(door.load(text)).game
    chance = np.random.default_rng(3)
    for _ in range(3):
        a, b = chance.dirichlet([1, 1], 2)
        law = {0: a, 1: b}
        expected = [g.expected([[1.0] if s.player == CHANCE else law[s.player] for s in g.sets]) for g in (game, again)]
        assert expected[0] == pytest.approx(expected[1], abs=1e-12)
        assert expected[0][0] == pytest.approx(0.5 * (a[0] + a[1] * b[1] * 3) + 0.5 * b[1] * (2 * a[0] + 5 * a[1]), abs=1e-12)


def test_absent_mindedness_has_no_text(read):
    game = read(DRIVER)
    assert game.absent_minded == 0
    p = 1 / 3  # the best chance of an exit: 4 p (1 - p) + (1 - p)^2 (Piccione and Rubinstein 1997)
    assert game.expected([[p, 1 - p]])[0] == pytest.approx(4 / 3)
    with pytest.raises(GameError) as found:
        to_text(game)
    assert [d.code for d in found.value.diagnostics] == ["F003"]


@pytest.mark.parametrize("labels", [['"a b"', '"a.b"'], ['""', '""'], ['"if"', '"then"'], ['"1/2"', '"\\"q\\""'], ['"ä"', '"Real"']])
def test_any_labels_become_names(read, labels):
    text = f'EFG 2 R "game" {{ "1" }}\np "" 1 1 "decide" {{ {labels[0]} {labels[1]} }} 0\nt "" 1 "" {{ 1 }}\nt "" 2 "" {{ -3e-1 }}\n'
    game = read(text)
    made = door.load(to_text(game))
    assert not made.warnings
    assert [s.name for s in made.core.decisions]


def random_tree(seed: int) -> FiniteGame:
    """A tree with chance, two players, sets of nodes that their mover cannot tell apart, payoffs here and there."""
    chance = np.random.default_rng(seed)
    nodes: list[Node] = []
    sets: list[InformationSet] = []
    members: list[list[tuple[tuple[int, int], ...]]] = []

    def grow(path: tuple[tuple[int, int], ...], depth: int) -> int:
        here = len(nodes)
        nodes.append(Node(None))
        pay = tuple(Fraction(int(x)) for x in chance.integers(-99, 100, 2)) if depth == 0 or chance.random() < 0.3 else ()
        if depth == 0 or (path and chance.random() < 0.25):
            nodes[here] = Node(None, (), pay or (Fraction(1000 + here), Fraction(-here)))
            return here
        player = int(chance.integers(-1, 2))
        count = int(chance.integers(2, 4))
        mine = [s for s, x in enumerate(sets) if x.player == player and len(x.actions) == count and player != CHANCE
                and not any(p == s for p, _ in path) and not any(s == p for m in members[s] for p, _ in m)
                and not any(q == s for p, _ in path for m in members[p] for q, _ in m)]
        if mine and chance.random() < 0.5:
            s = mine[int(chance.integers(len(mine)))]
        else:
            s = len(sets)
            law = tuple(Fraction(int(x)) for x in chance.integers(1, 5, count)) if player == CHANCE else ()
            sets.append(InformationSet(player, f"h{s}", tuple(f"a{k}" for k in range(count)), tuple(x / sum(law) for x in law)))
            members.append([])
        members[s].append(path)
        nodes[here] = Node(s, tuple(grow((*path, (s, a)), depth - 1) for a in range(count)), pay)
        return here

    grow((), 3)
    if not any(s.player != CHANCE for s in sets):
        return random_tree(seed + 1000)
    return FiniteGame(f"Tree {seed}", ("A", "B"), tuple(sets), tuple(nodes))


@pytest.mark.parametrize("seed", [3, pytest.param(None, marks=pytest.mark.study)])
def test_random_trees_go_round(read, seed):
    for k in [seed] if seed is not None else range(60):
        game = read(write_efg(random_tree(k)))
        if "made at once" not in to_text(game):
            assert same(game, back(game)), k


@pytest.mark.study
def test_an_imported_game_trains(tree_of):
    """Kuhn's poker, to a tree and back, is solved to its value."""
    import dcgc

    result = dcgc.train(door.load(to_text(tree_of("kuhn_poker"))))
    assert float(result.value("payoff(First)")) == pytest.approx(-1 / 18, abs=1e-6)
