"""Classes of information against their definitions: by ranks of matrices on random linear games, by enumeration on random finite ones."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from dcgc.core import elaborate
from dcgc.information.facts import Facts, facts
from dcgc.information.intrinsic import information_structure
from dcgc.information.sentences import sentences
from dcgc.semantics import check
from dcgc.source import Ledger, Source


def facts_of(text: str, **values: object) -> Facts:
    ledger = Ledger()
    checked = check(Source("game.dcg", text), ledger, values, None)
    ledger.raise_errors()
    assert checked is not None
    core = elaborate(checked, ledger)
    assert core is not None, ledger.sorted()
    return facts(core)


# ------------------------------------------------------------ linear games


def linear_game(seed: int) -> tuple[str, list[np.ndarray], int]:
    """A team of up to five decisions that see sums of draws and earlier acts: its text, each decision's observations as rows over all
    variables (draws, then acts), and the number of draws."""
    dice = random.Random(seed)
    draws, acts = dice.randint(1, 3), dice.randint(2, 5)
    size = draws + acts
    names = [f"w{k}" for k in range(draws)] + [f"u{k}" for k in range(acts)]
    lines = ["game Linear", "player P"] + [f"random w{k} ~ Normal(0, 1)" for k in range(draws)]
    seen: list[np.ndarray] = []
    kept: list[tuple[str, np.ndarray]] = []
    for k in range(acts):
        rows = []
        for j in range(dice.randint(0, 3)):
            if kept and dice.random() < 0.5:
                name, row = dice.choice(kept)
            else:
                row = np.zeros(size)
                for v in range(draws + k):
                    if dice.random() < 0.4:
                        row[v] = dice.choice([1, 1, -1, 2])
                if not row.any():
                    continue
                name = f"y{k}_{j}"
                lines.append(f"let {name} = " + " + ".join(f"({row[v]:g}) * {names[v]}" for v in range(size) if row[v]))
                kept.append((name, row))
            rows.append((name, row))
        lines.append(f"decide u{k} : Real by P knowing {', '.join(dict.fromkeys(n for n, _ in rows)) or 'nothing'}")
        kept.append((f"u{k}", np.eye(size)[draws + k]))
        seen.append(np.array([r for _, r in rows]).reshape(len(rows), size))
    lines.append("cost P = " + " + ".join(f"{n}^2" for n in names))
    return "\n".join(lines) + "\n", seen, draws


def rank(rows: np.ndarray) -> int:
    return int(np.linalg.matrix_rank(rows)) if rows.size else 0


def knows(later: np.ndarray, earlier: np.ndarray) -> bool:
    return rank(np.vstack([later, earlier])) == rank(later)


def test_classes_are_those_of_the_definitions() -> None:
    """Witsenhausen 1975, Ho and Chu 1972: fields are row spaces here, and a field lies in another where its rows are in the
    other's span."""
    met = set()
    for seed in range(150):
        text, seen, draws = linear_game(seed)
        found = information_structure(facts_of(text).seen)
        acts = len(seen)
        unit = np.eye(draws + acts)[draws:]
        influences = [(a, b) for b in range(acts) for a in range(acts) if seen[b].size and seen[b][:, draws + a].any()]
        assert found.influences == bool(influences), seed
        nested = all(knows(seen[b], seen[a]) for a, b in influences)
        acting = all(knows(seen[b], np.vstack([seen[a], unit[a]])) for a, b in influences)
        chains = [order for order in itertools.permutations(range(acts))
                  if all(knows(seen[b], seen[a]) for a, b in zip(order, order[1:], strict=False))]
        strict = [order for order in chains
                  if all(knows(seen[b], np.vstack([seen[a], unit[a]])) for a, b in zip(order, order[1:], strict=False))]
        expected = "non-classical" if not nested else "strictly classical" if strict else "classical" if chains else \
            "strictly quasi-classical" if acting else "quasi-classical"
        assert found.nested == expected, (seed, text)
        met.add(expected)
    assert len(met) == 5


# ------------------------------------------------------------ finite games


def test_what_is_said_to_be_known_is_known() -> None:
    """Products, comparisons and exponentials: every value that is said to follow is a function of what is seen, over all draws and acts."""
    said = 0
    for seed in range(150):
        dice = random.Random(seed)
        names = ["a", "b", "c"]
        terms = []
        for k in range(6):
            x, y = dice.choice([*names, *(f"t{j}" for j in range(k))]), dice.choice(names)
            terms.append((f"t{k}", dice.choice([f"{x} * {y}", f"{x} + 2 * {y}", f"{x} - {y}", f"exp({x})", f"{x} * {y} + {x}", f"-{x}"])))
        seen = dice.sample(names + [t for t, _ in terms], 2)
        text = "game Finite\nplayer P\n" + "".join(f"random {n} ~ Discrete([-1, 1, 2], [0.3, 0.3, 0.4])\n" for n in names) + \
            "".join(f"let {t} = {e}\n" for t, e in terms) + f"decide u : Real by P knowing {', '.join(seen)}\ncost P = u^2 + a + b + c\n"
        game = facts_of(text).seen
        knowledge = game.knowledge("u")
        values = []
        for point in itertools.product([-1.0, 1.0, 2.0], repeat=3):
            world = dict(zip(names, point, strict=True))
            for t, e in terms:
                world[t] = eval(e, {"exp": np.exp}, world)
            values.append(world)
        for name in names + [t for t, _ in terms]:
            if knowledge.knows(game.atoms.of_site(name)):
                said += 1
                told: dict[tuple[float, ...], float] = {}
                for world in values:
                    key = tuple(round(world[s], 9) for s in seen)
                    assert abs(told.setdefault(key, world[name]) - world[name]) < 1e-9, (seed, name)
    assert said > 400


# ------------------------------------------------------------ particular games


WITSENHAUSEN = """game W
player C1, C2
team T = C1, C2
random x0 ~ Normal(0, 5)
random w ~ Normal(0, 1)
decide u1 : Real by C1 knowing x0
let x1 = x0 + u1
let y = x1 + w
decide u2 : Real by C2 knowing y
cost T = 0.04 * u1^2 + (x1 - u2)^2
"""


def test_witsenhausen_is_non_classical_with_its_witness() -> None:
    found = facts_of(WITSENHAUSEN)
    witness = found.information.witness
    assert found.information.nested == "non-classical" and witness is not None
    assert (witness.earlier, witness.later, witness.through, witness.lacking) == ("u1", "u2", "y", "x0")
    assert any("C1's u1 changes y, which C2 sees, and C2, deciding u2, does not know x0" in s for s in sentences(found))
    assert found.interests.kind == "team" and found.linear_quadratic_gaussian


def test_knowing_what_makes_it_nested() -> None:
    """With x0 known, or enough to work it out, information is nested: Ho and Chu's condition."""
    assert facts_of(WITSENHAUSEN.replace("knowing y", "knowing y, x0")).information.nested == "classical"
    assert facts_of(WITSENHAUSEN.replace("knowing y", "knowing y, w, u1")).information.nested == "strictly classical"
    assert facts_of(WITSENHAUSEN.replace("knowing y", "knowing y, exp(2 * x0)")).information.nested == "classical"
    assert facts_of(WITSENHAUSEN.replace("knowing y", "knowing y, x0^2")).information.nested == "non-classical"


@pytest.mark.parametrize(("known", "kinds"), [("history(y), history(u), t", set()), ("history(y), t", {"did"}), ("y, t", {"knew", "did"})])
def test_recall(known: str, kinds: set[str]) -> None:
    text = f"""game R
player C
state x = 1
stage t in 1..4 {{
  random v ~ Normal(0, 1)
  let y = x + v
  decide u : Real by C knowing {known}
  cost C = x^2 + u^2
  next x = x + u
}}
"""
    found = facts_of(text).forgotten
    assert {f.kind for own in found.values() for f in own} == kinds


def test_the_absent_minded_driver() -> None:
    """Piccione and Rubinstein 1997: two exits that look alike."""
    text = """game Driver
player D
stage t in 1..2 {
  decide leave : Bool by D knowing nothing mixed
  payoff D = if leave then (if t == 1 then 0 else 4) else 0
  halt when leave
}
payoff D = 1
"""
    found = facts_of(text)
    assert any(f.kind == "absent-minded" for own in found.forgotten.values() for f in own)
    assert any("absent-minded" in s for s in sentences(found))


@pytest.mark.parametrize(("payments", "kind"), [
    ("cost A = (x - y)^2\ncost B = -(x^2 - 2 * x * y + y^2)", "zero-sum"),
    ("cost A = (x - y)^2\ncost B = 3 - (y - x)^2", "constant-sum"),
    ("payoff A = x * (10 - x - y)\npayoff B = y * (10 - x - y)", "potential"),
    ("payoff A = x * (10 - x - y)\npayoff B = y * (10 - 2 * x - y)", "general-sum"),
    ("cost A = x * y + x^2\ncost B = x^2 + y * x", "team"),
])
def test_interests(payments: str, kind: str) -> None:
    """Cournot's duopoly with linear demand is a potential game (Slade 1994)."""
    text = f"game I\nplayer A, B\ndecide x : Real by A knowing nothing\ndecide y : Real by B knowing nothing\n{payments}\n"
    assert facts_of(text).interests.kind == kind


def test_dead_and_too_wide_channels() -> None:
    text = """game C
player S, L
random side ~ Bernoulli(0.5)
random noise ~ Normal(0, 1)
channel m : S -> L { carries Tokens(1, 16); budget 4 bits }
channel idle : S -> L { carries Tokens(1, 2) }
send m by S knowing side
send idle by S knowing noise
decide guess : Bool by L knowing m, idle
cost L = guess != side
cost S = guess != side
"""
    uses = {use.channel.name: use for use in facts_of(text).channels}
    assert uses["m"].wide and not uses["m"].dead and uses["m"].sayable == pytest.approx(1.0)
    assert uses["idle"].dead and not uses["idle"].wide


def test_large_families_and_long_games_are_looked_at_through_a_few() -> None:
    family = facts_of("game F\nplayer P[1000]\nfor i in P { random c[i] ~ Normal(0, 1) }\n"
                      "for i in P { decide q[i] : Real by P[i] knowing c[i] }\n"
                      "for i in P { payoff P[i] = (10 - sum(q)) * q[i] - c[i] * q[i] }\n")
    assert family.seen.written.shrunk == {"P": 1000} and len(family.seen.diagram.decisions) == 3
    assert family.information.static
    long = facts_of("game T\nplayer P\nstate x = 1\nstage t in 1..1000 {\n random w ~ Normal(0, 1)\n decide u : Real by P knowing x, t\n"
                    " cost P = x^2 + u^2\n next x = x + u + w\n}\n")
    stages, length = long.seen.written.stages or (0, 0)
    assert length == 1000 and stages > 100 and any("stand for" in s for s in sentences(long))


def test_what_a_condition_tells() -> None:
    """Whoever decides `when a == left and b` knows a and b."""
    text = """game T
player A, B
decide a : Choice(left, right) by A knowing nothing mixed
decide b : Bool by B knowing nothing mixed
when a == left and b {
  decide c : Bool by A knowing nothing
  payoff A = c
}
payoff B = a == left
"""
    game = facts_of(text).seen
    assert all(game.knowledge("c").knows(game.act(name)) for name in "ab") and not game.knowledge("b").knows(game.act("a"))
    assert not facts_of(text).forgotten


def test_a_condition_on_payments_is_not_known() -> None:
    """All that `b` can move is paid only where the market is open, which its player saw when deciding `a` and does not know any more."""
    text = """game Open
player A
random c ~ Bernoulli(0.5)
let open = c == 1
decide a : Bool by A knowing open
decide b : Bool by A knowing nothing
when open {
  payoff A = a * b
}
"""
    found = facts_of(text)
    assert {f.kind for f in found.forgotten["A"]} == {"knew", "did"}
