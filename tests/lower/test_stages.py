"""Stages by one scan against the same stages written out, on the same draws; gradients against finite differences; size and memory."""

from __future__ import annotations

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_games import chance, figures, problem, rule

from dcgc.core.naming import staged
from dcgc.lower.plans import sampled_grid
from dcgc.lower.problem import Person
from dcgc.lower.stages import Account, Stages, blocks, discount_of, horizon
from dcgc.lower.variable import constant
from dcgc.primitives.relaxations import Relaxation

SCANNED = "\ntrain { stages scanned }\n"
STICKY = """game Sticky
param T : int = 5
param N : int = 2
param spread = 0.1
player Firm[N] symmetric
random start ~ Normal(0, 1)
state p = 4 + spread * start
state own = 1
delay 0.9
stage t in 1..T discount 0.95 {
  random shock ~ Uniform(0, 1)
  for i in Firm { random c[i] ~ Normal(1, 0.3) }
  for i in Firm { decide q[i] : Real by Firm[i] knowing p, c[i], last(q[i], 1), t }
  for i in Firm {
    payoff Firm[i] = (p - c[i] - own) * q[i] - q[i]^2 / 2 - 0.1 * q[i] * sum(q[others])
  }
  delay 0.99
  when t == 2 { next own = 2 * own }
  next p = 0.8 * p + 0.2 * (10 - 2 * mean(q)) + 0.1 * shock
}
for i in Firm { payoff Firm[i] = 3 * p }
measure end = E[p]
measure path = E[history(p)]
measure third = Var[history(q)[3]]
measure spread_end = Var[p]
"""


def policy(k, i=1.0):
    return lambda p, c, before, *t: 0.3 * p - 0.5 * c + 0.1 * before + 0.05 * k + 0.0 * i


def draws(stages, length, n, seed=0):
    key = jax.random.key(seed)
    before = stages.outside.draw(jax.random.fold_in(key, 1), n, False)
    inside = jnp.stack([stages.inside.draw(jax.random.fold_in(key, 2 + k), n, False) for k in range(length)])
    return before, inside


def written_samples(p, stages, before, inside):
    """The grid of the written-out game that has the same draws."""
    grid = sampled_grid(p, before.shape[0], 0)
    columns = np.zeros(grid.samples.shape)
    sources = [(before, stages.outside, lambda name: name)]
    sources += [(inside[k], stages.inside, lambda name, k=k: in_stage(name, k + 1)) for k in range(inside.shape[0])]
    places = {name: (start, shape) for name, start, shape in grid.slots}
    for values, source, named in sources:
        for name, start, shape in source.slots:
            if named(name) not in places:
                continue
            at, _ = places[named(name)]
            width = int(np.prod(shape)) if shape else 1
            columns[:, at:at + width] = values[:, start:start + width]
    return replace(grid, samples=jnp.asarray(columns))


def in_stage(name, k):
    base, _, member = name.partition("[")
    return staged(base, k) + (f"[{member}" if member else "")


def both(text, n=200, length=5, figures=False, **settings):
    """The two forms of a game, and the same draws for both."""
    one, other = problem(text + SCANNED, **settings), problem(text, **settings)
    stages = Stages(one, figures=figures)
    before, inside = draws(stages, length, n)
    return stages, other, before, inside, written_samples(other, stages, before, inside)


@pytest.mark.parametrize("members", [2, 9])
def test_a_scan_is_the_stages_written_out(members):
    stages, written, before, inside, grid = both(STICKY, N=members, figures=True)
    one = stages.problem
    firm = Person("Firm", 0)
    rules = {d.name: rule(lambda p, c, q, t: 0.3 * p - 0.5 * c + 0.1 * q + 0.05 * t) for d in one.game.decisions}
    played = stages.play(rules, before, inside, [Account(one.pays(firm), firm)])

    def in_that_stage(k):
        if k == 1:  # nothing comes before stage 1
            return rule(lambda p, c: 0.3 * p - 0.5 * c + 0.1 + 0.05)
        return rule(lambda p, c, q: 0.3 * p - 0.5 * c + 0.1 * q + 0.05 * k)

    world = written.world(grid, written.natural, {d.name: in_that_stage(int(d.name.split("@")[1][0])) for d in written.game.decisions})
    assert float(jnp.mean(played.costs[0])) == pytest.approx(float(written.cost(world, firm)), rel=1e-12)
    found, asked = figures(one, played.after), figures(written, world)
    assert set(found) == set(asked) == {"end", "path", "third", "spread_end"}
    for name, value in asked.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-11)


HALTING = """game Halting
param T : int = 3
player A, B
state x = 1
stage t in 1..T discount 0.8 {
  random w ~ Bernoulli(0.3)
  decide a : Bool by A knowing t mixed
  cost A = x + a
  halt when a
  delay 0.9
  decide b : Bool by B knowing t, w mixed
  cost B = 2 * x + b
  halt when b
  next x = 3 * x + w
}
cost B = 7
"""
MOVING = HALTING.replace("next x = 3 * x + w", "next x = 3 * x + w + b")


def test_halts_are_weights_and_exact():
    """No state depends on a decision: both are summed out, whatever was drawn."""
    stages, written, before, inside, grid = both(HALTING, length=3)
    assert stages.drawn == frozenset() and len(stages.summed) == 2
    one = stages.problem
    rules = {"a": chance(lambda t: 0.1 + 0.2 * t / 3), "b": chance(lambda t, w: 0.2 + 0.1 * t / 3 + 0.3 * w)}
    people = [Person("A"), Person("B")]
    played = stages.play(rules, before, inside, [Account(one.pays(x)) for x in people])
    profile = {f"a@{k}": chance(lambda k=k: 0.1 + 0.2 * k / 3) for k in (1, 2, 3)}
    profile |= {f"b@{k}": chance(lambda w, k=k: 0.2 + 0.1 * k / 3 + 0.3 * w) for k in (1, 2, 3)}
    world = written.world(grid, written.natural, profile)
    for person, costs in zip(people, played.costs, strict=True):
        assert float(jnp.mean(costs)) == pytest.approx(float(written.cost(world, person)), rel=1e-12)


def test_a_decision_that_moves_a_state_is_drawn_and_has_the_score_in_its_gradient():
    stages, written, before, inside, grid = both(MOVING, n=60_000, length=3)
    assert stages.drawn == {"b"}
    one = stages.problem

    def scanned(q):
        rules = {"a": chance(lambda t: 0.1 + 0.2 * t / 3), "b": chance(lambda t, w: q + 0.3 * w)}
        return jnp.mean(stages.play(rules, before, inside, [Account(one.pays(Person("B")))]).costs[0])

    def exact(q):
        profile = {f"a@{k}": chance(lambda k=k: 0.1 + 0.2 * k / 3) for k in (1, 2, 3)}
        profile |= {f"b@{k}": chance(lambda w: q + 0.3 * w) for k in (1, 2, 3)}
        return written.cost(written.world(grid, written.natural, profile), Person("B"))

    assert float(scanned(0.2)) == pytest.approx(float(exact(0.2)), rel=5e-3)
    assert float(jax.grad(scanned)(0.2)) == pytest.approx(float(jax.grad(exact)(0.2)), rel=0.03)


def test_a_member_s_derivative_through_all_stages():
    stages, *_ = both(STICKY, N=9)
    firm = Person("Firm", 0)
    before, inside = draws(stages, 5, 16, 3)

    def cost(slope):
        rules = {"q": rule(lambda p, c, q, t: slope * p - 0.5 * c + 0.1 * q * t)}
        return jnp.mean(stages.play(rules, before, inside, [Account(stages.problem.pays(firm), firm)]).costs[0])

    h = 1e-5
    slope = (cost(0.3 + h) - cost(0.3 - h)) / (2 * h)
    assert float(jax.grad(cost)(0.3)) == pytest.approx(float(slope), rel=1e-7)


def test_draws_of_a_key_are_their_own_in_every_stage():
    stages = Stages(problem(STICKY + SCANNED, T=50, N=9))
    rules = {"q": rule(lambda p, c, q, t: 0.3 * p - 0.5 * c)}
    firm = Person("Firm", 0)
    before = stages.outside.draw(jax.random.key(1), 2000, True)
    played = stages.play(rules, before, jax.random.key(2), [Account(stages.problem.pays(firm), firm)], antithetic=True)
    assert float(jnp.mean(before[:, 0])) == pytest.approx(0, abs=1e-15)
    assert np.unique(np.asarray(played.paths[0])).size == 50


def program_size(members, length, grad=True):
    stages = Stages(problem(STICKY.replace("measure path = E[history(p)]\n", "") + SCANNED, T=length, N=members))
    firm = Person("Firm", 0)
    before = jnp.zeros((8, stages.outside.width))

    def cost(slope, key):
        rules = {"q": rule(lambda p, c, q, t: slope * p - 0.5 * c + 0.1 * q)}
        return jnp.mean(stages.play(rules, before, key, [Account(stages.problem.pays(firm), firm)]).costs[0])

    compiled = jax.jit(jax.grad(cost) if grad else cost).lower(0.3, jax.random.key(0))
    return compiled


def test_the_program_does_not_grow_with_stages_or_members():
    sizes = [len(program_size(n, t).as_text().splitlines()) for n, t in ((9, 5), (9, 200), (1000, 5), (1000, 200))]
    assert max(sizes) <= 1.05 * min(sizes)


def test_memory_grows_with_the_root_of_the_horizon():
    """All that the way back needs, of 16 times as many stages: less than 8 times as much (4 times by blocks, and the result)."""
    used = [program_size(100, t).compile().memory_analysis().temp_size_in_bytes for t in (100, 1600)]
    assert used[1] < 8 * used[0]


ENDLESS = """game Endless
param d = 0.9
player A
state x = 2
stage t in 1..inf discount d {
  decide u : Real by A knowing x
  cost A = x
  next x = x / 2 + 1 + 0 * u
}
"""


def test_stages_without_end_are_cut_where_little_is_left():
    """sum d^(t-1) x_t with x_t = 2: 2 / (1 - d), and what is left out is d^T of it."""
    stages = Stages(problem(ENDLESS))
    length = horizon(stages.problem)
    assert discount_of(stages.problem) == 0.9 and 0.9**length <= 1e-8 < 0.9**(length - 1)
    before = jnp.zeros((4, 0))
    rules = {"u": rule(lambda x: 0 * x)}
    played = stages.play(rules, before, jax.random.key(0), [Account(stages.problem.pays(Person("A")))])
    assert float(jnp.mean(played.costs[0])) == pytest.approx(20 * (1 - 0.9**length), rel=1e-13)


def test_blocks_waste_little():
    for length in (1, 2, 5, 7, 60, 199, 200, 1375):
        count, inner = blocks(length)
        assert length <= count * inner <= length + 2 + 0.05 * length and max(count, inner) <= 4 * length**0.5 + 2


def test_relaxed_and_exact_steps_are_told_apart():
    text = """game Steps
player A
random w ~ Normal(0, 1)
state x = w
stage t in 1..3 {
  decide u : Real by A knowing x
  cost A = x > u
  next x = x - 0.1
}
"""
    stages = Stages(problem(text))
    before = stages.outside.draw(jax.random.key(0), 20_000, True)

    def cost(u, relaxation):
        rules = {"u": lambda world, d: constant(u)}
        account = [Account(stages.problem.pays(Person("A")))]
        return jnp.mean(stages.play(rules, before, jax.random.key(0), account, relaxation=relaxation).costs[0])

    exact = cost(0.0, Relaxation("exact"))
    assert float(exact) == pytest.approx(float(np.mean([(np.asarray(before[:, 0]) > k / 10).mean() for k in range(3)])) * 3)
    density = sum(math.exp(-((k / 10)**2) / 2) for k in range(3)) / math.sqrt(2 * math.pi)  # of x at what it is compared with
    assert float(jax.grad(cost)(0.0, Relaxation("sigmoid", temperature=0.1))) == pytest.approx(-density, rel=0.1)
