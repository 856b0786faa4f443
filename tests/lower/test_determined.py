"""Choices that are functions have no coordinate on samples: nothing changes but the room they take."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_games import chance, cost, figures, problem

from dcgc.lower import blocks
from dcgc.lower.determined import determined, without_coordinate
from dcgc.lower.enumerated import enumerated_reply
from dcgc.lower.evaluate import evaluate
from dcgc.lower.plans import natural_grid, sampled_grid
from dcgc.lower.strategy import Strategy, finite_sizes, real_inputs
from dcgc.lower.variable import Variable
from dcgc.policies import Affine, Table, head
from dcgc.primitives.relaxations import Relaxation
from dcgc.verify.ledger import bits_of, heard_law, word_law
from dcgc.verify.regrets import finite_deviation

MANY = """game G
player A, B, C
random x ~ Normal(0, 1)
random y ~ Normal(0, 1)
decide flag : Bool by A knowing x
channel m : A -> B { carries Tokens(1, 5) }
send m by A knowing x, y
when y > 0 {
  decide extra : Choice(3) by C knowing x, flag
  cost C = (extra[2] - 2 * extra[1] * x)^2
}
decide c : Choice(4) by B knowing m, y
decide z : Choice(2) by C knowing flag, y mixed
cost A = (c[1] + 2 * c[2] * x - 3 * flag)^2 + z[1] * x
cost B = exp(c[3] * y - flag) + (c[4] - z[2])^2
measure spread = Var[c[1] + 2 * flag]
measure tied = E[c[2] * flag * z[1] * y]
"""
POINTING = """game P
player Speaker, Listener
team Pair = Speaker, Listener
random objects[OBJECTS, 2] ~ Normal(0, 1)
random target ~ Categorical(OBJECTS)
channel m : Speaker -> Listener { carries Tokens(1, WORDS) }
send m by Speaker knowing objects[target]
decide guess : Choice(OBJECTS) by Listener knowing m, objects
cost Pair = 1 - guess[target]
measure accuracy = E[guess[target]]
"""


def hard(d, seed, spread=1.0):
    """A function of what is known: the option with the largest of some affine outputs, other ones for each finite combination."""
    rng = np.random.default_rng(seed)
    outputs, combinations = d.options if d.kind == "choice" else 1, math.prod(finite_sizes(d))
    policy = Affine(jnp.asarray(rng.normal(size=(combinations, outputs, real_inputs(d)))),
                    jnp.asarray(spread * rng.normal(size=(combinations, outputs))))
    n = real_inputs(d)
    return Strategy(policy, head(d.kind, (), d.options), jnp.zeros(n), jnp.ones(n), finite_sizes(d), True)


def world_of(p, profile, samples=256, summed=None):
    return p.world(sampled_grid(p, samples, 4, summed), p.natural, profile, Relaxation("exact"))


def decisions(p):
    return {d.name: d for d in p.game.decisions}


@pytest.fixture(scope="module")
def many():
    p = problem(MANY)
    profile = {n: hard(d, i) for i, (n, d) in enumerate(decisions(p).items()) if n != "z"}
    return p, {**profile, "z": chance(lambda flag, y: jnp.stack([0.3 + 0.4 * flag + 0 * y, 0.7 - 0.4 * flag + 0 * y], -1))}


def test_what_is_a_function(many):
    p, profile = many
    assert determined(p, profile) == {"flag", "m", "c", "extra"}


def test_figures_are_those_of_sums_over_options(many):
    p, profile = many
    with_coordinates = world_of(p, profile, summed=frozenset())
    without = world_of(p, profile, summed=without_coordinate(p, profile))
    assert set(without.grid.sizes) == {"sample", "z"} and len(with_coordinates.grid.sizes) == 6
    for person in "ABC":
        assert cost(p, without, person) == pytest.approx(cost(p, with_coordinates, person), rel=1e-12)
    ours, summed = figures(p, without), figures(p, with_coordinates)
    for name, value in summed.items():
        assert float(value) != 0 and float(ours[name]) == pytest.approx(float(value), rel=1e-12)
    (channel,) = p.game.channels
    assert bits_of(heard_law(p, channel, without)) == pytest.approx(bits_of(heard_law(p, channel, with_coordinates)), rel=1e-12)
    rates = [float(w.expectation(w.information(channel.information)).data) for w in (without, with_coordinates)]
    assert rates[0] == pytest.approx(rates[1], rel=1e-12) and rates[0] > 0.1
    assert word_law(p, channel, without) == pytest.approx(word_law(p, channel, with_coordinates), abs=1e-14)


def pointing(objects, words):
    p = problem(POINTING.replace("OBJECTS", str(objects)).replace("WORDS", str(words)))
    d = decisions(p)
    reply = enumerated_reply(p, d["guess"], words=True)
    assert reply is not None
    return p, {"m": hard(d["m"], 3), "guess": reply}


def played(p, world):
    """Objects (samples, n, 2), targets from 0, words, guesses from 0, and the words of all objects (samples, n)."""
    objects, target = np.asarray(world.value("objects").data), np.asarray(world.value("target").data).astype(int) - 1
    gains, offsets = (np.asarray(getattr(world.rules["m"].policy, k))[0] for k in ("gains", "offsets"))
    words = np.argmax(objects @ gains.T + offsets, axis=-1)
    return objects, target, words[np.arange(len(target)), target], words


def test_bayes_rule_asks_only_for_the_word_that_is_heard():
    p, profile = pointing(5, 6)
    summed = without_coordinate(p, profile)
    assert summed == {"m", "guess"}
    world = world_of(p, profile, summed=summed)
    objects, target, word, words = played(p, world)
    same = words == word[:, None]
    belief = np.asarray(profile["guess"].belief(world).data)  # coordinates: sample, target
    assert belief == pytest.approx(same / same.sum(axis=1, keepdims=True), abs=1e-12)
    guess = np.asarray(world.value("guess").data)
    assert np.array_equal(np.argmax(guess, axis=-1), np.argmax(same, axis=1)) and np.all(guess.sum(axis=-1) == 1)
    accuracy = np.mean(np.argmax(same, axis=1) == target)
    assert float(figures(p, world)["accuracy"]) == pytest.approx(accuracy, rel=1e-12)
    everywhere = world_of(p, profile, summed=frozenset())
    assert float(figures(p, everywhere)["accuracy"]) == pytest.approx(accuracy, rel=1e-12)


def test_bayes_rule_with_an_encoder_that_mixes():
    p, profile = pointing(6, 3)
    weights = np.asarray([0.5, -1.0, 2.0])

    def mix(world, d):
        seen = evaluate(world, d.observations[0].expression)
        return Variable(seen.dims, jax.nn.softmax(seen.data[..., :1] * weights, -1))

    mixing = {**profile, "m": mix}
    assert determined(p, mixing) == {"guess"}
    world = world_of(p, mixing, summed=determined(p, mixing))
    objects = np.asarray(world.value("objects").data)
    law = np.asarray(jax.nn.softmax(objects[..., :1] * weights, -1))  # (samples, n, words)
    belief = profile["guess"].belief(world)
    assert belief.dims == ("m", "sample", "target")
    expected = np.moveaxis(law / law.sum(axis=1, keepdims=True), -1, 0)
    assert np.asarray(belief.data) == pytest.approx(expected, abs=1e-12)


def test_a_deviation_is_heard_but_not_reckoned_with():
    p, profile = pointing(5, 6)
    world = world_of(p, profile, summed=without_coordinate(p, profile))
    _, target, _, words = played(p, world)
    for word in range(6):
        moved = world.vary({"m": Variable((), jnp.eye(6)[word])})
        same = words == word
        same = np.where(same.any(axis=1, keepdims=True), same, True)  # a word that nobody would say tells nothing
        accuracy = np.mean(np.argmax(same, axis=1) == target)
        assert float(figures(p, moved)["accuracy"]) == pytest.approx(accuracy, rel=1e-12)


def test_constant_deviations_tried_together_are_those_tried_alone(monkeypatch):
    p = problem("game D\nplayer A, B\nrandom x ~ Normal(0, 1)\nrandom v[2] ~ Normal(0, 1)\nchannel m : A -> B { carries Tokens(1, 7) }\n"
                "send m by A knowing x, v\ndecide c : Choice(7) by B knowing m, x\ncost B = (dot(c, [3, 1, 4, 1.5, 9, 2, 6]) - x)^2\n"
                "cost A = dot(c, [5, 3, 5, 8, 9, 7, 9])\n")
    d = decisions(p)
    profile = {"m": hard(d["m"], 1), "c": hard(d["c"], 2, 3.0)}
    together = {n: finite_deviation(p, profile, d[n]) for n in d}
    monkeypatch.setattr("dcgc.verify.regrets.TRIALS_AT_ONCE", 1)
    alone = {n: finite_deviation(p, profile, d[n]) for n in d}
    assert together == pytest.approx(alone, rel=1e-12) and min(together.values()) > 0.1
    world = world_of(p, profile, 1024, without_coordinate(p, profile))
    chosen = float(np.mean((np.asarray(world.value("c").data) @ [3, 1, 4, 1.5, 9, 2, 6] - np.asarray(world.value("x").data)) ** 2))
    least = min(a**2 for a in (3, 1, 4, 1.5, 9, 2, 6)) + 1  # E[(a - x)^2]
    assert together["c"] == pytest.approx(chosen - least, abs=0.05 * chosen)


def test_a_table_reads_the_word_from_its_one_hot_value():
    p = problem("game T\nplayer A, B\nrandom x ~ Normal(0, 1)\nchannel m : A -> B { carries Tokens(1, 3) }\nsend m by A knowing x\n"
                "random y[2] ~ Normal(0, 1)\ndecide u : Real by B knowing m\ncost A, B = (u - x)^2 + y[1]\n".replace(
                    "cost A, B", "cost A") + "cost B = (u - x)^2\n")
    d = decisions(p)
    table = Strategy(Table(jnp.asarray([[-1.0], [0.5], [4.0]])), head("real", ()), jnp.zeros(0), jnp.ones(0), finite_sizes(d["u"]))
    profile = {"m": hard(d["m"], 5), "u": table}
    world = world_of(p, profile, summed=without_coordinate(p, profile))
    word = np.argmax(np.asarray(world.value("m").data), axis=-1)
    assert np.asarray(world.value("u").data) == pytest.approx(np.asarray([-1.0, 0.5, 4.0])[word]) and len(set(word)) > 1


# ---------------------------------------------------------------- room


def sizes(jaxpr):
    """The number of entries of every array in a program, those of its loops too."""
    for equation in jaxpr.eqns:
        yield from (math.prod(v.aval.shape) for v in equation.outvars)
        for value in equation.params.values():
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from sizes(inner)


def test_no_array_is_as_large_as_samples_by_words_by_options(monkeypatch):
    samples, objects, words = 256, 8, 256
    p, profile = pointing(objects, words)
    monkeypatch.setattr(blocks, "AT_ONCE", 64)
    monkeypatch.setattr(blocks, "BLOCK", 32)

    def accuracy(points, summed):
        grid = sampled_grid(p, samples, 4, summed)
        object.__setattr__(grid, "samples", points)
        return p.cost(p.world(grid, p.natural, profile, Relaxation("exact")), p.people[0])

    points = sampled_grid(p, samples, 4).samples
    program = jax.make_jaxpr(lambda x: accuracy(x, without_coordinate(p, profile)))(points)
    assert max(sizes(program.jaxpr)) <= 2 * samples * words < samples * words * objects  # an affine policy's gains for two inputs
    before = jax.make_jaxpr(lambda x: accuracy(x, frozenset()))(points)
    assert max(sizes(before.jaxpr)) >= samples * words * objects


@pytest.mark.parametrize("count", [1, 7, 40, 41])
def test_blocks_change_nothing(monkeypatch, count):
    monkeypatch.setattr(blocks, "AT_ONCE", 9)
    monkeypatch.setattr(blocks, "BLOCK", 8)
    policy = Affine(jnp.arange(24.0).reshape(4, 2, 3), jnp.arange(8.0).reshape(4, 2))
    index, reals = jnp.arange(count) % 4, jnp.sin(jnp.arange(3.0 * count)).reshape(count, 3)
    plain = jax.vmap(policy)(index, reals)
    assert np.asarray(blocks.vectorised(policy, index, reals)) == pytest.approx(np.asarray(plain), rel=1e-14)
    gradient = jax.grad(lambda x: jnp.sum(blocks.vectorised(policy, index, x) ** 2))(reals)
    assert np.asarray(gradient) == pytest.approx(np.asarray(jax.grad(lambda x: jnp.sum(jax.vmap(policy)(index, x) ** 2))(reals)))


def test_functions_need_no_coordinate_where_all_of_nature_is_enumerated() -> None:
    """Two choices among many, of finite draws: as many points as draws, and the figures of the sum over all options."""
    p = problem("""game Name
param n : int = 4
player S, R
team T = S, R
random a ~ Categorical(n)
random b ~ Categorical(n)
channel m : S -> R { carries Tokens(1, n) }
send m by S knowing a, b
decide first : Choice(n) by R knowing m
decide second : Choice(n) by R knowing m
cost T = 1 - first[a] * second[b]
measure hit = E[first[a] * second[b]]
""")

    def rule_for(sizes: tuple[int, ...], seed: int) -> Strategy:
        return Strategy(Table(jnp.asarray(np.random.default_rng(seed).standard_normal((int(np.prod(sizes)), 4)))), head("choice", (), 4),
                        jnp.zeros(0), jnp.ones(0), sizes, True)

    profile = {"m": rule_for((4, 4), 1), "first": rule_for((4,), 2), "second": rule_for((4,), 3)}
    functions = determined(p, profile)
    assert functions == {"m", "first", "second"}
    grid, text = natural_grid(p, 10_000, scattered=False, summed=functions)
    assert set(grid.sizes) == {"a", "b"} and text == "exact enumeration"
    full, _ = natural_grid(p, 10_000, scattered=False)
    worlds = [p.world(g, p.natural, profile) for g in (grid, full)]
    costs = [float(p.cost(w, p.people[0])) for w in worlds]
    assert costs[0] == pytest.approx(costs[1], abs=1e-14) and 0 < costs[0] < 1
    told = [float(w.expectation(w.information(p.game.channels[0].information)).data) for w in worlds]
    assert told[0] == pytest.approx(told[1], abs=1e-12) and told[0] > 0
