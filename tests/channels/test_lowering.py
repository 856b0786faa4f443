"""The graph that a channel becomes, against the contract: noise, power, STOP, silence, families, prices, budgets and information."""

from __future__ import annotations

import math
import re

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from small_games import cost, elaborated, figures, information, problem, rule, sampled

from dcgc.core.site import Decision, Random
from dcgc.lower.evaluate import evaluate
from dcgc.lower.grid import Grid
from dcgc.lower.plans import Resolution, natural_grid
from dcgc.lower.variable import Variable
from dcgc.primitives.functions import faded, going_on, project

NATS = math.log(2)


def text(body: str, more: str = "", source: str = "Normal(0, 1)", use: str = "decide a : Real by R knowing m", knowing: str = "s") -> str:
    return f"""game G
player S, R
team T = S, R
random s ~ {source}
channel m : S -> R {{ {body} }}
send m by S knowing {knowing}
{use}
cost T = (a - s)^2
measure bits = rate(m)
{more}
"""


def channel(body: str, **parts):
    game, _ = elaborated(text(body, **parts))
    assert game is not None
    return next(c for c in game.channels if c.name == "m")


def names(p) -> list[str]:
    return [s.name for s in p.game.sites]


def law(probabilities) -> object:
    """A finite decision's rule: a row of probabilities for each value of its only input, a number from 1 on."""
    rows = jnp.asarray(probabilities, float)

    def follow(world, d):
        if not d.observations:
            return Variable((), rows)
        v = evaluate(world, d.observations[0].expression)
        return Variable(v.dims, rows[jnp.round(v.data).astype(int) - 1])

    return follow


def joint_information(joint: np.ndarray) -> float:
    """In nats."""
    apart = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    safe = joint > 0
    return float(np.sum(joint[safe] * np.log(joint[safe] / apart[safe])))


# ---------------------------------------------------------------- noise and power


@pytest.mark.parametrize(("body", "noise", "sd"), [
    ("carries Real", "none", 0.0),
    ("carries Message(2, 3)", "none", 0.0),
    ("carries Real; budget 2 bits", "awgn", 1 / math.sqrt(15)),
    ("carries Real; budget 2 bits on average", "gaussian", 1.0),
    ("carries Real; price 0.1 per bit", "gaussian", 1.0),
    ("carries Real; noise awgn(power = 2, sd = 0.5)", "awgn", 0.5),
    ("carries Real; noise awgn", "awgn", 1.0),
    ("carries Tokens(2, 3)", "none", 0.0),
    ("carries Tokens(2, 3); budget 2 bits", "none", 0.0),
    ("carries Tokens(2, 3); price 0.1 per bit", "none", 0.0),
    ("carries Tokens(2, 3); budget 2 bits on average", "none", 0.0),
])
def test_default_noise(body, noise, sd):
    c = channel(body)
    assert (c.noise, c.sd) == (noise, pytest.approx(sd))


@given(bits=st.floats(0.01, 12), length=st.integers(1, 4), width=st.integers(1, 6), power=st.floats(0.1, 10), stop=st.booleans())
@settings(max_examples=15, deadline=None)
def test_the_spread_that_a_budget_sets(bits, length, width, power, stop):
    c = channel(f"carries Message({length}, {width}); budget {bits} bits; noise awgn(power = {power}); {'stop soft' if stop else ''}")
    d = length * width
    assert d / 2 * math.log2(1 + power / c.sd**2) == pytest.approx(bits, rel=1e-9)
    assert c.capacity <= bits + 1e-12 and c.power == power


@given(nats=st.floats(0.1, 3))
@settings(max_examples=5, deadline=None)
def test_nats(nats):
    assert channel(f"carries Real[3]; budget {nats} nats").sd == pytest.approx(
        channel(f"carries Real[3]; budget {nats / NATS} bits").sd, rel=1e-9)


def test_noise_is_widened_to_the_budget():
    assert channel("carries Real[2]; noise awgn(power = 1, sd = 3); budget 0.1 bits").sd == pytest.approx(1 / math.sqrt(2**0.1 - 1))
    assert channel("carries Real[2]; noise awgn(power = 1, sd = 0.01); budget 2 bits").sd == pytest.approx(1 / math.sqrt(3))


REALS = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(message=arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=REALS), power=st.floats(1e-3, 1e3))
@settings(max_examples=40, deadline=None)
def test_power_of_every_message(message, power):
    out = np.asarray(project(jnp.asarray(message), jnp.asarray(power)))
    assert np.mean(out**2) <= power * (1 + 1e-9)
    if np.mean(message**2) <= power:  # within the limit it is sent as it is
        np.testing.assert_allclose(out, message)


@given(raw=arrays(float, (3, 4), elements=st.floats(-1e3, 1e3)))
@settings(max_examples=15, deadline=None)
def test_power_in_the_graph(raw):
    """Whatever is decided, what is sent obeys the limit: message by message, with and without STOP."""
    for body, shape in (("carries Message(3, 4); budget 3 bits", (3, 4)), ("carries Message(3, 3); budget 3 bits; stop soft", (3, 4))):
        p = PREPARED.setdefault(body, problem(text(body)))
        assert next(d for d in p.game.decisions if d.channel).shape == shape
        grid = Grid({}, {}, None, ())
        world = p.world(grid, p.natural, {"raw(m)": lambda w, d: Variable((), jnp.asarray(raw)), "a": rule(lambda *_: 0.0)})
        assert float(jnp.mean(world.value("sent(m)").data ** 2)) <= 1 + 1e-9


PREPARED: dict = {}


def test_one_real_is_bounded_by_its_power():
    p = problem(text("carries Real; budget 2 bits; noise awgn(power = 4)"))
    (d,) = [d for d in p.game.decisions if d.channel]
    assert (d.low.value, d.high.value) == (-2, 2)
    assert p.game.channels[0].sd == pytest.approx(2 / math.sqrt(15))


def test_no_gradient_blows_up_where_nothing_is_sent():
    import jax

    for f, x in ((project, jnp.zeros((2, 2))), (faded, jnp.zeros((2, 3)))):
        assert bool(jnp.all(jnp.isfinite(jax.grad(lambda v, f=f: jnp.sum(f(v, jnp.asarray(1.0))))(x))))


# ---------------------------------------------------------------- STOP


@given(logits=arrays(float, st.integers(1, 6), elements=st.floats(-40, 40)))
@settings(max_examples=30, deadline=None)
def test_stop_weights(logits):
    on = np.asarray(going_on(jnp.asarray(logits)))
    padded = np.concatenate([[1.0], on, [0.0]])
    stops = padded[:-1] - padded[1:]  # the weight of stopping after 0, 1, .., L tokens
    assert np.all(stops >= -1e-12) and stops.sum() == pytest.approx(1)
    assert np.all(np.diff(on) <= 1e-12)
    assert on.sum() == pytest.approx(np.sum(stops * np.arange(len(logits) + 1)))  # the mean length


def test_later_tokens_fade():
    raw = jnp.concatenate([jnp.ones((4, 3)), jnp.asarray([[-30.0], [-30.0], [30.0], [-30.0]])], axis=1)
    out = np.asarray(faded(raw, jnp.asarray(1e9)))
    np.testing.assert_allclose(out[:2], 1, atol=1e-6)
    np.testing.assert_allclose(out[2:], 0, atol=1e-6)


def test_the_length_of_a_message():
    p = problem(text("carries Message(4, 3); budget 4 bits; stop soft"))
    (c,) = p.game.channels
    raw = jnp.concatenate([jnp.ones((4, 3)), jnp.asarray([[-30.0], [-30.0], [30.0], [-30.0]])], axis=1)
    world = p.world(Grid({}, {}, None, ()), p.natural, {"raw(m)": lambda w, d: Variable((), raw), "a": rule(lambda *_: 0.0)})
    assert float(evaluate(world, c.lengths).data) == pytest.approx(2, abs=1e-5)
    assert channel("carries Message(4, 3); budget 4 bits").lengths is None


def test_stop_among_words():
    c = channel("carries Tokens(2, 3); stop soft")
    assert len(c.words) == 1 + 3 + 9 and (0, 0) in c.words and (2, 0) in c.words
    assert not any(a == 0 and b > 0 for a, b in c.words)  # nothing follows a STOP
    assert len(set(c.words)) == len(c.words)


def test_stop_among_the_words_of_a_budget():
    """A soft STOP that cannot stop is none: some of the words that a budget leaves are shorter."""
    assert any(0 in w for w in channel("carries Tokens(2, 3); stop soft; budget 2 bits").words)


# ---------------------------------------------------------------- silence and sending


def test_budget_0_is_silence():
    p = problem(text("carries Message(2, 2); budget 0 bits", "measure x = E[sum(sent(m))]\nmeasure y = E[m[1, 1]^2]"))
    assert p.game.channels == () and names(p) == ["s", "a", "payment 1"]
    assert p.game.decisions[0].observations == ()
    found = figures(p, sampled(p, {"a": rule(lambda: 0.0)}, 256))
    assert (found["bits"], found["x"], found["y"]) == (0, 0, 0)


def test_an_entry_of_what_is_not_sent():
    p = problem(text("carries Message(2, 2); budget 0 bits", "measure x = E[sent(m)[1, 2]]"))
    assert figures(p, sampled(p, {"a": rule(lambda: 0.0)}, 256))["x"] == 0


def test_sent_and_arrived():
    p = problem(text("carries Real; noise awgn(power = 4, sd = 0.5)",
                     "measure p = E[sent(m)^2]\nmeasure q = E[m^2]\nmeasure n = E[(m - sent(m))^2]"))
    found = figures(p, sampled(p, {"sent(m)": rule(lambda s: 0.5 * s), "a": rule(lambda m: m)}))
    assert found["p"] == pytest.approx(0.25, rel=1e-3)
    assert found["q"] == pytest.approx(0.5, rel=1e-2) and found["n"] == pytest.approx(0.25, rel=1e-3)
    assert found["bits"] == pytest.approx(0.5 * math.log2(2), rel=1e-2)


def test_sent_without_noise_is_what_arrives():
    p = problem(text("carries Real", "measure p = E[(sent(m) - m)^2]\nmeasure q = E[sent(m)^2]"))
    found = figures(p, sampled(p, {"m": rule(lambda s: 2 * s), "a": rule(lambda m: m)}))
    assert (found["p"], found["q"]) == (0, pytest.approx(4))


def test_a_broadcast_is_heard_alike():
    game, _ = elaborated("""game G
player S, A, B, Eve
random s ~ Normal(0, 1)
channel m : S -> A, B { carries Real; budget 2 bits; heard by Eve }
send m by S knowing s
decide a : Real by A knowing m
decide b : Real by B knowing m
decide e : Real by Eve knowing m
cost A = (a - s)^2
cost B = (b - s)^2
cost Eve = (e - s)^2
cost S = (a - s)^2
""")
    assert game.channels[0].listeners == ("A", "B", "Eve")
    seen = [d.observations[0].expression for d in game.decisions if not d.channel]
    assert seen[0] == seen[1] == seen[2] and len([r for r in game.randoms if "noise" in r.name]) == 1


def test_two_rounds():
    p = problem("""game G
player A, B
team T = A, B
random x ~ Categorical(4)
random y ~ Categorical(4)
channel m : A -> B { carries Tokens(1, 2) }
channel n : B -> A { carries Tokens(1, 2) }
send m by A knowing x
send n by B knowing y, m
decide a : Real by A knowing x, n
cost T = (a - x * y)^2
measure first = rate(m)
measure second = rate(n)
""")

    def back(world, d):  # the parity of y, turned round if told so
        y, m = (evaluate(world, o.expression) for o in d.observations)
        from dcgc.lower.variable import whole
        flip = lambda a, b: jnp.where(jnp.mod(a + (b @ jnp.arange(2.0)), 2) < 0.5, jnp.asarray([1.0, 0.0]), jnp.asarray([0.0, 1.0]))  # noqa: E731
        return whole(flip, y, m)

    assert [o.kind for o in next(d for d in p.game.decisions if d.name == "n").observations] == ["category", "choice"]
    grid, _ = natural_grid(p, 10**6)
    rules = {"m": law(np.eye(2)[[0, 0, 1, 1]]), "n": back, "a": rule(lambda *_: 0.0)}
    world = p.world(grid, p.natural, rules)
    joint = np.asarray(world.expectation(Variable((), jnp.ones(())), ("m", "n", "x", "y")).data)  # m, n, x, y
    assert joint.sum() == pytest.approx(1)
    assert joint.sum((1, 2, 3)) == pytest.approx([0.5, 0.5])
    assert joint[0, 0, 0, 0] == 0 and joint[0, 1, 0, 0] == pytest.approx(1 / 16) and joint[1, 0, 3, 0] == pytest.approx(1 / 16)
    rates = [float(world.expectation(evaluate(world, c.information)).data) / NATS for c in p.game.channels]
    assert rates == pytest.approx([1, 1])


# ---------------------------------------------------------------- families

FAMILY = """game G
param N : int = 2
player Firm[N] symmetric
for i in Firm {{ random c[i] ~ Normal(0, 1) }}
channel s[i in Firm] : Firm[i] -> others {{ carries {carries} }}
for i in Firm {{ send s[i] by Firm[i] knowing c[i] }}
for i in Firm {{ decide q[i] : Real by Firm[i] knowing c[i], s[others] }}
for i in Firm {{ cost Firm[i] = (q[i] - sum(c))^2 }}
measure first = rate(s[1])
measure second = rate(s[2])
"""


@pytest.mark.parametrize(("members", "carries"), [(2, "Real; budget 2 bits"), (20, "Real; budget 2 bits"), (2, "Real[2]; budget 2 bits"),
                                                  (20, "Real[2]; budget 2 bits"), (2, "Real; price 0.1 per bit"),
                                                  (20, "Real; price 0.1 per bit")])
def test_a_channel_for_every_member(members, carries):
    p = problem(FAMILY.format(carries=carries), N=members)
    assert len(p.source.channels) == 1 and len(p.game.channels) == (members if members <= 8 else 1)
    encoders = [d for d in p.game.decisions if d.channel]
    assert all(len(d.observations) == 1 for d in encoders)  # its own draw, nobody's message
    vector = "Real[2]" in carries

    def speak(world, d):
        v = evaluate(world, d.observations[0].expression)
        return Variable(v.dims, jnp.stack([0.5 * v.data, -0.5 * v.data], -1)) if vector else Variable(v.dims, 0.5 * v.data)

    rules = {d.name: speak if d.channel else rule(lambda *_: 0.0) for d in p.game.decisions}
    world = sampled(p, rules, 2**12)
    listener = next(d for d in p.game.decisions if not d.channel)
    heard = world.loop(listener, lambda: evaluate(world, listener.observations[1].expression))
    per_member = math.prod(heard.own) // (1 if members <= 8 else members)
    assert per_member == (members - 1) * (2 if vector else 1)
    found = figures(p, world)
    sd = p.source.channels[0].sd
    if not vector:
        truth = 0.5 * math.log2(1 + 0.25 / sd**2)
        assert found["first"] == pytest.approx(truth, rel=0.05) and found["second"] == pytest.approx(truth, rel=0.05)
    if "price" in carries:
        paid = sum(float(jnp.mean(jnp.ravel(world.expectation(world.payment(x)).data))) for x in p.game.payments
                   if x.information is not None) / (members if members <= 8 else 1)
        assert paid == pytest.approx(0.1 * 0.5 * math.log2(1.25), rel=0.05)


def test_members_speak_for_themselves():
    """What one member hears of another is that one's message, in order."""
    p = problem(FAMILY.format(carries="Real"), N=3)
    rules = {d.name: rule(lambda c: c) if d.channel else rule(lambda *_: 0.0) for d in p.game.decisions}
    world = sampled(p, rules, 64)
    second = next(d for d in p.game.decisions if d.name == "q[2]")
    heard = evaluate(world, second.observations[1].expression).data
    np.testing.assert_allclose(heard, np.stack([world.value(f"c[{k}]").data for k in (1, 3)], -1))


# ---------------------------------------------------------------- prices and average budgets


def test_a_price_per_bit_and_per_nat():
    for unit, factor in (("bit", 1 / NATS), ("nat", 1.0)):
        p = problem(text(f"carries Real; price 0.3 per {unit}", "measure x = E[(a - s)^2]"))
        world = sampled(p, {"sent(m)": rule(lambda s: 2 * s), "a": rule(lambda m: 0.5 * m)})
        found = figures(p, world)
        nats = 0.5 * math.log(5)
        assert found["bits"] == pytest.approx(nats / NATS, rel=1e-3)
        assert cost(p, world, "S") == pytest.approx(found["x"] + 0.3 * factor * nats, rel=1e-3)


def test_the_listener_pays():
    game = """game G
player S, R
random s ~ Categorical(4)
channel m : S -> R { carries Tokens(1, 4); price 0.5 per bit paid by R }
send m by S knowing s
decide a : Real by R knowing m
cost S = (a - s)^2
cost R = (a - s)^2
"""
    p = problem(game)
    rules = {"m": law(np.eye(4)), "a": lambda w, d: Variable((), jnp.zeros(()))}
    grid, _ = natural_grid(p, 10**5)
    world = p.world(grid, p.natural, rules)
    assert cost(p, world, "S") == pytest.approx(7.5) and cost(p, world, "R") == pytest.approx(7.5 + 0.5 * 2)
    p = problem(game.replace(" paid by R", ""))
    world = p.world(grid, p.natural, rules)
    assert cost(p, world, "R") == pytest.approx(7.5) and cost(p, world, "S") == pytest.approx(7.5 + 0.5 * 2)


def test_a_team_pays_once():
    p = problem(text("carries Tokens(1, 4); price 0.5 per bit", source="Categorical(4)"))
    grid, _ = natural_grid(p, 10**5)
    world = p.world(grid, p.natural, {"m": law(np.eye(4)), "a": lambda w, d: Variable((), jnp.zeros(()))})
    assert len([x for x in p.game.payments if x.information is not None]) == 1
    assert float(p.account(world, "T", None)) == pytest.approx(7.5 + 1) == cost(p, world, "S")


def test_an_average_budget_is_a_constraint():
    p = problem(text("carries Real; budget 2 bits on average"))
    (c,) = p.game.constraints
    (channel_,) = p.game.channels
    assert math.isinf(channel_.capacity) and channel_.average and channel_.budget == 2
    for gain, bits in ((1.0, 0.5), (3.0, 0.5 * math.log2(10))):
        world = sampled(p, {"sent(m)": rule(lambda s, g=gain: g * s), "a": rule(lambda m: 0.0 * m)})
        assert float(p.excess(world, c)) == pytest.approx((bits - 2) * NATS, rel=1e-3)
        # the multiplier counts for training and in no reported cost
        assert cost(p, world, "S") == pytest.approx(float(p.paid(world, p.people[0])))
    assert channel("carries Real; budget 2 bits").average is False


TWO = """game G
player S, R
team T = S, R
random s ~ Normal(0, 1)
channel m : S -> R {{ carries {first} }}
channel n : S -> R {{ carries {second} }}
{before}
send m by S knowing s
send n by S knowing s
{after}
decide a : Real by R knowing m, n
cost T = (a - s)^2
"""


def two(first, second, before="", after=""):
    game, _ = elaborated(TWO.format(first=first, second=second, before=before, after=after))
    return game


def test_hard_totals_share():
    game = two("Real", "Tokens(2, 4)", "budget total(m, n) <= 4 bits")
    assert [c.budget for c in game.channels] == [2, 2] and [c.capacity for c in game.channels] == [pytest.approx(2), 2]
    game = two("Real; budget 1 bits", "Real", "budget total(m, n) <= 4 bits")
    assert [c.capacity for c in game.channels] == [pytest.approx(1), pytest.approx(2)]
    nats = two("Real", "Real", "budget total(m, n) <= 4 nats")
    assert [c.budget * NATS for c in nats.channels] == pytest.approx([2, 2])
    assert all(c.noise == "awgn" and c.sd > 0 for c in nats.channels)


def test_a_hard_total_reaches_every_member():
    game, _ = elaborated(FAMILY.format(carries="Real").replace("measure", "budget total(s) <= 6 bits\nmeasure", 1), N=3)
    assert game.channels[0].budget == pytest.approx(2)


def test_an_average_total_after_the_sends():
    game = two("Real; noise gaussian", "Real; noise gaussian", after="budget total(m, n) <= 3 bits on average")
    assert len(game.constraints) == 1


def test_an_average_total_before_the_sends():
    game = two("Real; noise gaussian", "Real; noise gaussian", before="budget total(m, n) <= 3 bits on average")
    assert len(game.constraints) == 1


def test_an_average_total_brings_noise():
    game = two("Real", "Real", after="budget total(m, n) <= 3 bits on average")
    assert all(c.noise == "gaussian" for c in game.channels)


# ---------------------------------------------------------------- tokens and erasure


def test_words_within_a_budget():
    for body, count in (("Tokens(1, 8); budget 2 bits", 4), ("Tokens(2, 4); budget 3 bits", 8), ("Tokens(2, 4); budget 2.5 bits", 5),
                        ("Tokens(2, 4); budget 4 bits", 16), ("Tokens(2, 4); budget 2 bits on average", 16), ("Tokens(2, 4)", 16)):
        c = channel(f"carries {body}", source="Categorical(8)")
        assert len(c.words) == len(set(c.words)) == count, body


def test_an_erased_token_shows_its_blank():
    p = problem(text("carries Tokens(2, 2); noise erasure(0.3)", source="Categorical(4)", more="measure x = E[m[1, 1]]"))
    (c,) = p.game.channels
    message = next(s for s in p.game.sites if s.name == "m")
    assert isinstance(message, Random) and c.noise == "erasure"
    grid, _ = natural_grid(p, 10**5)
    world = p.world(grid, p.natural, {c.encoder: law(np.eye(4)), "a": lambda w, d: Variable((), jnp.zeros(()))})
    joint = np.asarray(world.expectation(Variable((), jnp.ones(())), ("m", "s")).data)
    assert joint.shape == (9, 4)
    # P(both blank) = 0.09, and it tells nothing; both there 0.49, and it tells all
    blank = int(np.argmax(joint.min(1)))
    assert joint[blank] == pytest.approx([0.09 / 4] * 4)
    assert sorted(joint.max(1))[-4:] == pytest.approx([0.49 / 4] * 4)
    assert joint_information(joint) / NATS == pytest.approx(2 * 0.7)
    assert float(world.expectation(evaluate(world, c.information)).data) / NATS == pytest.approx(2 * 0.7)
    found = figures(p, world)
    assert found["x"] == pytest.approx(0.7 / 2) and found["bits"] == pytest.approx(1.4)


def test_an_erased_real_shows_its_blank():
    p = problem(text("carries Real; noise erasure(0.25)"))
    d = next(x for x in p.game.decisions if x.name == "a")
    assert [o.kind for o in d.observations] == ["bool", "real"]
    world = sampled(p, {"sent(m)": rule(lambda s: s + 5), "a": rule(lambda b, m: m)}, 2**12)
    seen, value = (np.broadcast_to(evaluate(world, o.expression).data, (2**12,)) for o in d.observations)
    assert abs(seen.mean() - 0.75) < 0.02
    assert np.all(value[seen == 0] == 0)
    sent = world.value("sent(m)").data
    np.testing.assert_allclose(value[seen == 1], np.asarray(sent)[seen == 1])


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5])
def test_flipped_bits(p):
    body = f"carries Tokens(2, 2); noise bsc({p})"
    q = problem(text(body, source="Categorical(4)"))
    (c,) = q.game.channels
    grid, _ = natural_grid(q, 10**5)
    world = q.world(grid, q.natural, {c.encoder: law(np.eye(4)), "a": lambda w, d: Variable((), jnp.zeros(()))})
    joint = np.asarray(world.expectation(Variable((), jnp.ones(())), ("m", "s")).data)
    entropy = 0.0 if p == 0 else -p * math.log2(p) - (1 - p) * math.log2(1 - p)
    assert joint_information(joint) / NATS == pytest.approx(2 * (1 - entropy), abs=1e-9)
    assert c.capacity == pytest.approx(2 * (1 - entropy), abs=1e-6)
    assert float(world.expectation(evaluate(world, c.information)).data) / NATS == pytest.approx(2 * (1 - entropy), abs=1e-9)


# ---------------------------------------------------------------- private looks


def test_as_many_words_as_acts():
    """A finite decision that knows the look alone needs one recommendation for each of its options."""
    def looked(use, knowing="z", carries="Message(1, 4)", budget="price 0.1 per nat"):
        game, _ = elaborated(f"""game G
player P
random x ~ Normal(0, 1)
random y ~ Bernoulli(0.5)
attend z : P to x {{ carries {carries}; {budget} }}
decide a : {use} by P knowing {knowing}
cost P = {"(a - x)^2" if use == "Real" else "a[1] * x + y"}
""")
        z = next(s for s in game.sites if s.name == "z")
        assert isinstance(z, Decision) and z.mixed
        seen = next(o for d in game.decisions if d.name == "a" for o in d.observations if o.kind == "choice")
        assert seen.size == z.shape[-1]
        return z.shape[-1]

    assert looked("Choice(2)") == 2 and looked("Choice(3)") == 3
    assert looked("Choice(2)", "z, y") > 2  # what else it knows may ask for more than one recommendation each
    assert looked("Real") >= 16
    assert looked("Real", budget="budget 2 bits") == 4
    assert looked("Real", carries="Tokens(1, 4)") == 4


@given(seed=st.integers(0, 10**6), free=st.booleans())
@settings(max_examples=8, deadline=None)
def test_what_is_known_beforehand_is_free(seed, free):
    """I(z; x | c), against a sum over the joint law."""
    key = ("attend", free)
    p = PREPARED.setdefault(key, problem("""game G
player P
random c ~ Categorical([0.3, 0.7])
random x ~ Categorical(3)
attend z : P to x %s { carries Tokens(1, 4); price 0.5 per nat }
decide a : Real by P knowing z
cost P = (a - x)^2 + 0 * c
""" % ("knowing c" if free else ", c")))
    rng = np.random.default_rng(seed)
    p_c, p_x = np.array([0.3, 0.7]), np.full(3, 1 / 3)
    rows = rng.dirichlet(np.full(4, 0.7), size=(3, 2))  # x, c -> z

    def look(world, d):
        a, b = (evaluate(world, o.expression) for o in d.observations)
        assert [str(o.expression.site) for o in d.observations] == ["x", "c"]
        dims = tuple(sorted((*a.dims, *b.dims)))
        return Variable(dims, jnp.asarray(rows.transpose(1, 0, 2)))  # dims c, x

    grid, _ = natural_grid(p, 10**5)
    (channel_,) = p.game.channels
    rules = {"z": look, "a": lambda w, d: Variable((), jnp.zeros(()))}
    world = p.world(grid, p.natural, rules)
    found = float(world.expectation(evaluate(world, channel_.information)).data)
    joint = np.einsum("c,x,xcz->cxz", p_c, p_x, rows)
    truth = sum(p_c[c] * joint_information(joint[c] / p_c[c]) for c in range(2)) if free else \
        joint_information(joint.reshape(6, 4))
    assert found == pytest.approx(truth, abs=1e-9)
    assert cost(p, world, "P") == pytest.approx(float(np.mean(np.arange(1, 4) ** 2)) + 0.5 * truth)


# ---------------------------------------------------------------- information


@given(seed=st.integers(0, 10**6), noise=st.sampled_from(["", "noise bsc(0.2)", "noise erasure(0.4)"]))
@settings(max_examples=9, deadline=None)
def test_information_of_random_finite_games(seed, noise):
    """A mixed encoder without noise, a certain one under noise."""
    found, rough, truth = finite_game(seed, noise, noise != "")
    assert found == pytest.approx(truth, abs=1e-9)
    assert rough == pytest.approx(truth, abs=0.01)


@pytest.mark.parametrize("noise", ["noise bsc(0.2)", "noise erasure(0.4)"])
def test_an_encoder_that_mixes_tells_less(noise):
    """Charged is I(m; what the encoder knew), and the draw by which it mixes it does not know."""
    found, rough, truth = finite_game(1, noise, False)
    assert found == pytest.approx(truth, abs=1e-9)
    assert rough == pytest.approx(truth, abs=0.01)


def finite_game(seed, noise, certain):
    """Nats on the exact grid, on samples (the symbol is a sample's, the word a coordinate), and by a sum."""
    key = ("finite", noise, certain)
    written = text(f"carries Tokens(2, 2); {noise}", source="Categorical([0.1, 0.2, 0.3, 0.25, 0.15])")
    if not certain:
        written = re.sub(r"(send m by [^\n]*)", r"\1 mixed", written)
    p = PREPARED.setdefault(key, problem(written))
    (c,) = p.game.channels
    rng = np.random.default_rng(seed)
    rows = np.eye(4)[rng.integers(4, size=5)] if certain else rng.dirichlet(np.full(4, 0.6), size=5)
    grid, _ = natural_grid(p, 10**5)
    world = p.world(grid, p.natural, {c.encoder: law(rows), "a": lambda w, d: Variable((), jnp.zeros(()))})
    found = float(world.expectation(evaluate(world, c.information)).data)
    words = c.words
    matrix = np.eye(4)
    if "bsc" in noise:
        matrix = np.array([[np.prod([0.2 if a != b else 0.8 for a, b in zip(v, w, strict=True)]) for w in words] for v in words])
    if "erasure" in noise:
        got = [(a, b) for a in (0, 1, 2) for b in (0, 1, 2)]
        matrix = np.array([[np.prod([0.4 if b == 0 else 0.6 * (a == b) for a, b in zip(v, w, strict=True)]) for w in got] for v in words])
    truth = joint_information(np.array([0.1, 0.2, 0.3, 0.25, 0.15])[:, None] * (rows @ matrix))
    scattered = sampled(p, {c.encoder: law(rows), "a": lambda w, d: Variable((), jnp.zeros(()))}, 2**12)
    return found, float(scattered.expectation(evaluate(scattered, c.information)).data), truth


@pytest.mark.parametrize("gain", [0.2, 1.0, 4.0])
def test_information_of_a_gaussian(gain):
    """On a grid of what is observed it is the sum over the density; on samples the Gaussian bound, here an equality."""
    p = problem(text("carries Real; price 0.1 per nat"))
    rules = {"sent(m)": rule(lambda s: gain * s), "a": rule(lambda m: 0.0 * m)}
    truth = 0.5 * math.log2(1 + gain**2)
    fine = information(p, rules, Resolution(80, 80, 600, 33))
    assert figures(p, fine)["bits"] == pytest.approx(truth, abs=1e-5)
    assert figures(p, sampled(p, rules))["bits"] == pytest.approx(truth, rel=1e-3)


def test_the_gaussian_bound_is_above():
    """A signal of two values: on samples its rate is bounded by that of a normal one of the same power."""
    p = problem(text("carries Real; price 0.1 per nat"))
    rules = {"sent(m)": rule(lambda s: 2 * jnp.sign(s)), "a": rule(lambda m: 0.0 * m)}
    bound = figures(p, sampled(p, rules))["bits"]
    assert bound == pytest.approx(0.5 * math.log2(5), rel=1e-3)
    exact = figures(p, information(p, rules, Resolution(80, 80, 600, 33)))["bits"]
    y = np.linspace(-10, 10, 20001)
    density = lambda m: np.exp(-0.5 * (y - m) ** 2) / math.sqrt(2 * math.pi)  # noqa: E731
    mixed = 0.5 * density(2) + 0.5 * density(-2)
    truth = -np.sum(mixed * np.log2(mixed)) * (y[1] - y[0]) - 0.5 * math.log2(2 * math.pi * math.e)
    assert exact == pytest.approx(truth, abs=1e-3)
    assert exact < bound


def test_information_of_a_vector():
    p = problem(text("carries Real[3]; price 0.1 per nat"))
    weights = jnp.asarray([1.0, -2.0, 0.5])

    def speak(world, d):
        s = evaluate(world, d.observations[0].expression)
        return Variable(s.dims, s.data[..., None] * weights)

    found = figures(p, sampled(p, {"sent(m)": speak, "a": rule(lambda *_: 0.0)}))["bits"]
    assert found == pytest.approx(0.5 * math.log2(1 + float(weights @ weights)), rel=1e-3)


def test_information_through_an_erasure():
    p = problem(text("carries Real; budget 2 bits; noise erasure(0.25)"))
    rules = {"sent(m)": rule(lambda s: jnp.clip(s, -1, 1)), "a": rule(lambda *_: 0.0)}
    world = sampled(p, rules)
    power = float(world.expectation(world.value("sent(m)")).data), float(world.expectation(Variable(
        world.value("sent(m)").dims, world.value("sent(m)").data ** 2)).data)
    most = 0.75 * 0.5 * math.log2(1 + (power[1] - power[0] ** 2) * 15)
    assert figures(p, world)["bits"] <= most + 1e-3


def test_the_rate_of_noisy_words_in_a_large_family():
    p = problem("""game G
player Firm[20] symmetric
for i in Firm { random c[i] ~ Categorical(2) }
channel s[i in Firm] : Firm[i] -> others { carries Tokens(1, 2); noise bsc(0.1) }
for i in Firm { send s[i] by Firm[i] knowing c[i] }
for i in Firm { decide q[i] : Real by Firm[i] knowing s[others] }
for i in Firm { cost Firm[i] = (q[i] - sum(c))^2 }
measure first = rate(s[1])
""")
    rules = {d.name: law(np.eye(2)) if d.channel else rule(lambda *_: 0.0) for d in p.game.decisions}
    assert figures(p, sampled(p, rules, 1024))["first"] == pytest.approx(1 - 0.469, abs=0.01)


def test_the_positions_of_a_long_message():
    """Each position of a message too long to enumerate is a choice of its own."""
    p = problem(text("carries Tokens(6, 16); budget 18 bits", source="Categorical(8)"))

    def speak(world, d):  # position k says the k-th binary digit of the symbol, and 1 from the fourth on
        s = evaluate(world, d.observations[0].expression)
        digits = jnp.stack([jnp.mod(jnp.floor((s.data - 1) / 2**k), 2) for k in range(3)] + [0 * s.data] * 3, -1)
        return Variable(s.dims, jnp.eye(8)[digits.astype(int)])

    world = sampled(p, {"m": speak, "a": lambda w, d: Variable((), jnp.zeros(()))}, 64)
    assert evaluate(world, p.game.decisions[1].observations[0].expression).own == (6, 8)
    assert figures(p, world)["bits"] == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize("noise", ["", "noise bsc(0.1)"])
def test_a_sender_sees_the_word_that_it_sent_as_a_word(noise):
    """`knowing sent(m)` of tokens is a choice among words, as m is to its listeners, and no array of reals; in a payment it is the
    token, one-hot."""
    p = problem(f"game G\nplayer S, R\nteam T = S, R\nrandom s ~ Categorical(2)\nchannel m : S -> R {{ carries Tokens(1, 2); {noise} }}\n"
                "send m by S knowing s\ndecide a : Real by R knowing m\ndecide b : Real by S knowing sent(m)\n"
                "cost T = (a - s)^2 + (b - 3 * sent(m)[1, 2])^2\n")
    d = next(d for d in p.game.decisions if d.name == "b")
    (o,) = d.observations
    assert o.kind == "choice" and o.size == 2
    word = next(d.name for d in p.game.decisions if d.channel is not None)
    nothing = {x: lambda world, d: Variable((), jnp.asarray(0.0)) for x in ("a", "b")}
    told = cost(p, information(p, {word: law([[1.0, 0.0], [0.0, 1.0]]), **nothing}), "S")
    assert told == pytest.approx((1 + 4) / 2 + 9 / 2)  # a is 0 and s is 1 or 2; the second word is sent half the time
