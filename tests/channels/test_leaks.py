"""Hard budgets under attack: an encoder that may do what it likes, a receiver that does as well as can be done.

A sender knows one of N = 2^(bits + 2) symbols. Its encoder is a free table of raw decisions, one a symbol, played through the
game's own lowered graph (power limit, STOP, noise and words are the compiler's), and trained for what the listener can recover from
exactly what it observes. Recovered is log2 N less the receiver's cross entropy on fresh samples: a lower bound on the mutual
information whatever the receiver believes, and the mutual information itself where its likelihood is right, as it is here.
Finite channels need no samples: their information is summed, and maximised over input laws by Blahut and Arimoto.

The attack has to be able to fail a compiler: relaxed symbols and noisy bits, at the end, leak under it.
"""

from __future__ import annotations

import dataclasses
import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.scipy.special import logsumexp
from small_games import elaborated, problem, rule

from dcgc.core.expression import Apply
from dcgc.core.site import Channel, Decision
from dcgc.lower import Problem
from dcgc.lower.evaluate import evaluate
from dcgc.lower.grid import Grid
from dcgc.lower.plans import Resolution, information_grid, natural_grid, sampled_grid
from dcgc.lower.variable import Variable, constant, lift, whole
from dcgc.lower.world import World

SLACK = 0.05
BATCH, STEPS, FRESH = 512, 80, 2**16


def game(carries: str, clauses: str, n: int, more: str = "") -> str:
    return f"""game Leak
player S, R
team T = S, R
random s ~ Categorical({n})
channel m : S -> R {{ carries {carries}; {clauses} }}
{more}
send m by S knowing s
decide a : Real by R knowing m
cost T = (a - s)^2
"""


def pair(first: str, second: str, total: str, n: int) -> str:
    """Two channels from one sender to one listener, with a budget over both."""
    return f"""game Leak
player S, R
team T = S, R
random s ~ Categorical({n})
channel m : S -> R {{ carries {first} }}
channel n : S -> R {{ carries {second} }}
{total}
send m by S knowing s
send n by S knowing s
decide a : Real by R knowing m, n
cost T = (a - s)^2
"""


def symbols(bits: float) -> int:
    return min(2 ** math.ceil(bits + 2), 1024)


# ---------------------------------------------------------------- the attack


def attack(n: int, send, score, table, train, fresh, steps: int = STEPS, rate: float = 0.03) -> tuple[float, object]:
    """Bits recovered by a trained encoder table of ``n`` symbols, and the table.

    ``send``(table, batch) -> (symbol, what arrives); ``score``(table, what arrives) -> log likelihood of every symbol; ``train`` and
    ``fresh``: batches, along the first axis, for the training and for the judgement.
    """

    def lost(table, batch):
        s, y = send(table, batch)
        likelihood = score(table, y)
        return jnp.mean(logsumexp(likelihood, axis=1) - jnp.take_along_axis(likelihood, s[:, None], axis=1)[:, 0])

    optimiser = optax.adam(optax.cosine_decay_schedule(rate, steps))

    def step(carry, batch):
        table, state = carry
        updates, state = optimiser.update(jax.grad(lost)(table, batch), state)
        return (optax.apply_updates(table, updates), state), None

    @jax.jit
    def trained(table):
        rounds = jax.tree.map(lambda x: jnp.concatenate([x] * math.ceil(steps / x.shape[0]))[:steps], train)
        table = jax.lax.scan(step, (table, optimiser.init(table)), rounds)[0][0]
        return table, jnp.mean(jax.lax.map(partial(lost, table), fresh))

    table, left = trained(table)
    return (math.log(n) - float(left)) / math.log(2), table


# ---------------------------------------------------------------- through the compiler's graph


def coder(table):
    """The adversary's rule: an entry of a free table for every symbol, within the bounds that the decision itself states."""
    def follow(world: World, d: Decision) -> Variable:
        s = evaluate(world, d.observations[0].expression)
        raw = Variable(s.dims, table[jnp.round(s.data).astype(int) - 1])
        for bound, keep in ((d.low, jnp.maximum), (d.high, jnp.minimum)):
            if bound is not None:
                raw = lift(keep, raw, evaluate(world, bound))
        return raw

    return follow


class Line:
    """A game with real-valued channels, ready to be attacked."""

    def __init__(self, text: str):
        self.p: Problem = problem(text)
        self.channels: tuple[Channel, ...] = self.p.game.channels
        self.encoders = {c.name: next(d for d in self.p.game.decisions if d.name == c.encoder) for c in self.channels}
        self.listener = next(d for d in self.p.game.decisions if d.channel is None)
        s = next(r for r in self.p.game.randoms if r.name == "s")
        self.n = int(s.arguments[0].value)

    def rules(self, tables):
        return {d.name: coder(tables[name]) for name, d in self.encoders.items()} | {"a": rule(lambda *_: 0.0)}

    def grid(self, samples: int, seed: int) -> Grid:
        return sampled_grid(self.p, samples, seed)

    def batches(self, batch: int, count: int, seed: int):
        """Rows of one scattered grid, cut into batches (their order is drawn, so that each batch is a sample of its own)."""
        rows = self.grid(batch * count, seed).samples
        order = np.random.default_rng(seed).permutation(batch * count)
        return jnp.asarray(rows)[order].reshape((count, batch, -1))

    def world(self, tables, rows) -> World:
        template = self.grid(2, 0)
        count = rows.shape[0]
        grid = dataclasses.replace(template, samples=rows, weights={**template.weights, "sample": jnp.full(count, 1 / count)},
                                   shape=tuple((n, count if n == "sample" else k) for n, k in template.shape))
        return self.p.world(grid, self.p.natural, self.rules(tables))

    def observed(self, tables, rows):
        """The symbol, and what the listener's observations are: reals, and for each whether it was heard."""
        world = self.world(tables, rows)
        s = jnp.round(jnp.broadcast_to(world.value("s").data, (rows.shape[0],))).astype(int) - 1
        reals, heard, pending = [], [], None
        for o in self.listener.observations:
            v = evaluate(world, o.expression)
            x = jnp.broadcast_to(v.data, (rows.shape[0], *v.own)).reshape((rows.shape[0], -1))
            if o.kind == "bool" or (isinstance(o.expression, Apply) and o.expression.function == "rows"):
                pending = x  # which reals were heard
                continue
            assert o.kind == "real"
            blank = jnp.ones_like(x) if pending is None else jnp.repeat(pending, x.shape[1] // pending.shape[1], axis=1)
            reals.append(x)
            heard.append(blank)
            pending = None
        return s, (jnp.concatenate(reals, 1), jnp.concatenate(heard, 1))

    def points(self, tables):
        """What is sent for every symbol, before the noise."""
        n = self.n
        grid = Grid({"s": jnp.arange(float(n))}, {"s": jnp.ones(n)}, None, (("s", n),))
        world = self.p.world(grid, self.p.natural, self.rules(tables))
        return jnp.concatenate([evaluate(world, c.sent).data.reshape((n, -1)) for c in self.channels], 1)

    def noise(self) -> np.ndarray:
        """The noise's standard deviation on every real, measured on what the listener observes (and checked against the record)."""
        tables = self.start(7)
        rows = self.batches(2**13, 1, 5)[0]
        s, (y, heard), points = jax.jit(lambda r: (*self.observed(tables, r), self.points(tables)))(rows)
        rest = np.asarray(jnp.where(heard > 0, y - points[s], jnp.nan))
        assert np.all(np.asarray(y)[np.asarray(heard) == 0] == 0)  # what is erased is blank
        sd = np.nanstd(rest, axis=0)
        said = np.concatenate([np.full(rest.shape[1] if len(self.channels) == 1 else max(math.prod(c.shape), 1), c.sd)
                               for c in self.channels])
        np.testing.assert_allclose(sd, said, rtol=0.05)
        z = rest / said
        # Gaussian: third and fourth moments, and independent of the message, also in size
        assert np.abs(np.nanmean(z**3, axis=0)).max() < 0.2 and np.abs(np.nanmean(z**4, axis=0) - 3).max() < 0.4
        half = np.asarray(s) < self.n // 2
        assert np.abs(np.nanmean(z[half], axis=0)).max() < 0.1 and np.abs(np.nanmean(z[half] ** 2, axis=0) - 1).max() < 0.15
        if z.shape[1] > 1 and not np.isnan(z).any():
            assert np.abs(np.corrcoef(z.T) - np.eye(z.shape[1])).max() < 0.06
        return said

    def start(self, seed: int):
        """Points spread over the ball that the power allows (of one real: over the interval), STOP late."""
        rng = np.random.default_rng(seed)
        out = {}
        for c in self.channels:
            shape = self.encoders[c.name].shape
            d = max(math.prod(shape), 1)
            limit = math.sqrt(c.power if math.isfinite(c.power) else 1.0)
            if d == 1:
                out[c.name] = jnp.asarray(limit * 0.999 * np.linspace(-1, 1, self.n)[rng.permutation(self.n)])
                continue
            z = rng.standard_normal((self.n, *shape))
            if c.stop:
                z[..., -1] = -2 + 0.1 * z[..., -1]
            flat = z.reshape((self.n, -1))
            radius = rng.random((self.n, 1)) ** (1 / d) * limit * math.sqrt(d)
            z = (flat / np.linalg.norm(flat, axis=1, keepdims=True) * radius).reshape(z.shape) if not c.stop else 3 * limit * z
            out[c.name] = jnp.asarray(z)
        return out

    def recovered(self, steps: int = STEPS, fresh: int = FRESH) -> float:
        """By the exact posterior over symbols, given the points sent: no receiver does better."""
        sd = jnp.asarray(self.noise())

        def score(tables, y):
            y, heard = y
            points = self.points(tables) / sd
            y = y / sd
            return -0.5 * ((heard * y**2).sum(1)[:, None] - 2 * (heard * y) @ points.T + heard @ (points**2).T)

        chunk = max(512, 2**21 // self.n)
        chunk = min(chunk, fresh)
        return attack(self.n, self.observed, score, self.start(0), self.batches(BATCH, min(steps, 40) or 1, 1),
                      self.batches(chunk, max(1, fresh // chunk), 2), steps, rate=0.03)[0]

    def recovered_by_a_network(self, steps: int = 600, width: int = 64) -> float:
        """By a network that is trained together with the table and knows nothing about the noise."""
        size = jax.eval_shape(lambda: self.observed(self.start(0), self.batches(4, 1, 0)[0]))[1][0].shape[1]
        rng = np.random.default_rng(3)
        layers = [jnp.asarray(rng.standard_normal(shape) / math.sqrt(shape[0])) for shape in
                  ((2 * size, width), (width, width), (width, self.n))]
        start = {"tables": self.start(0), "layers": layers, "shifts": [jnp.zeros(width), jnp.zeros(width), jnp.zeros(self.n)]}

        def score(parts, y):
            x = jnp.concatenate(y, 1)
            for k, (w, b) in enumerate(zip(parts["layers"], parts["shifts"], strict=True)):
                x = x @ w + b
                x = jax.nn.gelu(x) if k < 2 else x
            return x

        return attack(self.n, lambda parts, rows: self.observed(parts["tables"], rows), score, start, self.batches(BATCH, 100, 1),
                      self.batches(2**13, 4, 2), steps, rate=0.01)[0]


# ---------------------------------------------------------------- finite channels, exactly


def mutual_information(joint) -> jax.Array:
    """Of a table of joint probabilities, in bits."""
    apart = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    safe = joint > 0
    return jnp.sum(jnp.where(safe, joint * (jnp.log2(jnp.where(safe, joint, 1.0)) - jnp.log2(jnp.where(safe, apart, 1.0))), 0.0))


def blahut_arimoto(rows: np.ndarray, rounds: int = 3000) -> float:
    """Capacity in bits, from above."""
    q = np.full(len(rows), 1 / len(rows))
    for _ in range(rounds):
        out = q @ rows
        with np.errstate(divide="ignore", invalid="ignore"):
            d = np.where(rows > 0, rows * np.log2(rows / out), 0.0).sum(1)
        if d.max() - q @ d < 1e-10:
            break
        q = q * np.exp2(d)
        q /= q.sum()
    return float(d.max())


class Words:
    """A game with a channel of tokens: the joint law of the symbol and of what the listener observes, from the game's graph."""

    def __init__(self, text: str):
        self.p = problem(text)
        (self.channel,) = self.p.game.channels
        self.encoder = next(d for d in self.p.game.decisions if d.name == self.channel.encoder)
        self.words = self.encoder.options
        self.n = int(next(r for r in self.p.game.randoms if r.name == "s").arguments[0].value)
        listener = next(d for d in self.p.game.decisions if d.channel is None)
        # the listener sees one number that names the word, and nothing else
        assert all(o.expression == self.channel.message and o.size is not None and o.shape in ((), (o.size,))
                   for o in listener.observations)
        self.grid = natural_grid(self.p, 10**9, scattered=False)[0]
        self.message = next(s.name for s in self.p.game.sites if s.name == "m")

    def joint(self, law) -> jax.Array:
        """P(symbol, message) under an encoder's law of words given the symbol."""
        def follow(world: World, d: Decision) -> Variable:
            s = evaluate(world, d.observations[0].expression)
            return Variable(s.dims, law[jnp.round(s.data).astype(int) - 1])

        world = self.p.world(self.grid, self.p.natural, {self.encoder.name: follow, "a": rule(lambda *_: 0.0)})
        v = world.expectation(constant(1.0), tuple(sorted(("s", self.message))))
        return v.data if v.dims.index("s") == 0 else v.data.T

    def rows(self) -> np.ndarray:
        """P(message | word), with one symbol a word."""
        assert self.n >= self.words
        law = jnp.eye(self.words)[jnp.arange(self.n) % self.words]
        joint = np.asarray(self.joint(law))[:self.words]
        return joint / joint.sum(1, keepdims=True)

    def recovered(self, steps: int = 40) -> float:
        """The most information that was found: by a trained mixed encoder of uniform symbols, by one word a symbol, and by the best
        law of words."""
        found = [0.0]
        if steps and self.words * self.n <= 2**14:
            rng = np.random.default_rng(0)
            optimiser = optax.adam(0.5)
            information = lambda t: mutual_information(self.joint(jax.nn.softmax(t, -1)))  # noqa: E731
            climb = jax.value_and_grad(lambda t: -information(t))

            @jax.jit
            def trained(t):
                def step(carry, _):
                    t, state = carry
                    value, slope = climb(t)
                    updates, state = optimiser.update(slope, state)
                    return (optax.apply_updates(t, updates), state), -value

                (t, _), values = jax.lax.scan(step, (t, optimiser.init(t)), None, steps)
                return jnp.maximum(jnp.max(values), information(t))

            found.append(float(trained(jnp.asarray(3 * rng.standard_normal((self.n, self.words))))))
        plain = jnp.eye(self.words)[jnp.arange(self.n) % self.words]
        found.append(float(mutual_information(self.joint(plain))))
        found.append(blahut_arimoto(self.rows()))
        return float(max(found))


class LongWords:
    """A game whose noisy words are too many for a matrix: what is sent and heard token by token, on samples of the game's own graph."""

    def __init__(self, text: str):
        self.p = problem(text)
        (self.channel,) = self.p.game.channels
        self.encoder = next(d for d in self.p.game.decisions if d.name == self.channel.encoder)
        self.n = int(next(r for r in self.p.game.randoms if r.name == "s").arguments[0].value)

    def heard(self, book: np.ndarray, seed: int, samples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Symbols (n,), tokens that arrive (n, L, V) and whether each was heard (n, L), if symbol s is said as word ``book[s]``."""
        law = jnp.eye(self.channel.shape[1])[jnp.asarray(book)]

        def follow(world: World, d: Decision) -> Variable:
            s = evaluate(world, d.observations[0].expression)
            return Variable(s.dims, law[jnp.round(s.data).astype(int) - 1])

        world = self.p.world(sampled_grid(self.p, samples, seed), self.p.natural, {self.encoder.name: follow, "a": rule(lambda *_: 0.0)})
        symbol = np.round(np.asarray(world.value("s").data)).astype(int) - 1
        token = np.asarray(evaluate(world, self.channel.message).data)
        return symbol, token, token.sum(-1) > 0.5

    def recovered(self, fresh: int = 2**15) -> float:
        """By the exact posterior of a memoryless channel, with the best of ten codes of words that are drawn at random."""
        length, size, found = *self.encoder.shape, []
        for seed in range(10):
            rng = np.random.default_rng(seed)
            word = rng.choice(size**length, self.n, replace=self.n > size**length)
            book = np.stack([word // size**k % size for k in range(length)], 1)
            symbol, token, heard = self.heard(book, seed, fresh)
            assert set(np.unique(token)) <= {0.0, 1.0}
            said = np.eye(size)[book].reshape((self.n, -1))
            right = token.reshape((len(token), -1)) @ said.T  # tokens that are as this symbol would have them
            p = self.channel.p
            score = right * (np.log(1 - p) - np.log(p)) if self.channel.noise == "bsc" else \
                np.where(right < heard.sum(1)[:, None] - 0.5, -np.inf, 0.0)
            lost = np.asarray(logsumexp(jnp.asarray(score), axis=1)) - score[np.arange(len(symbol)), symbol]
            found.append((math.log(self.n) - lost.mean()) / math.log(2))
        return float(max(found))


# ---------------------------------------------------------------- carriers


def many(carries: str, clauses: str = ""):
    return lambda bits: LongWords(game(carries, f"budget {bits} bits; {clauses}", symbols(bits)))


def real(carries: str, clauses: str = ""):
    return lambda bits: Line(game(carries, f"budget {bits} bits; {clauses}", symbols(bits)))


def tokens(carries: str, clauses: str = ""):
    return lambda bits: Words(game(carries, f"budget {bits} bits; {clauses}", symbols(bits)))


#: What is attacked: (how to make it, least share of the budget that a strong attack recovers, at 1, 2, 4, 8 bits; None: cannot be).
CARRIERS = {
    "Real": (real("Real"), (0.7, 0.7, 0.75, 0.84)),
    "Real[2]": (real("Real[2]"), (0.8, 0.8, 0.8, 0.8)),
    "Real[8], awgn with a budget below its capacity": (real("Real[8]", "noise awgn(power = 2, sd = 0.2)"), (0.8, 0.8, 0.8, 0.8)),
    "Real, awgn with a budget below its capacity": (real("Real", "noise awgn(power = 3, sd = 0.001)"), (0.7, 0.7, 0.75, 0.84)),
    "Real[2], gaussian": (real("Real[2]", "noise gaussian"), (0.8, 0.8, 0.8, 0.8)),
    "Message(1, 4)": (real("Message(1, 4)"), (0.8, 0.8, 0.85, 0.85)),
    "Message(4, 8)": (real("Message(4, 8)"), (0.8, 0.8, 0.8, 0.8)),
    "Message(4, 8), soft STOP": (real("Message(4, 8)", "stop soft"), (0.8, 0.8, 0.8, 0.8)),
    "Real, erasure": (real("Real", "noise erasure(0.25)"), (0.5, 0.5, 0.55, 0.6)),
    "Message(4, 2), erasure": (real("Message(4, 2)", "noise erasure(0.25)"), (0.55, 0.55, 0.6, 0.6)),
    "total of Real and Real[2]": (lambda bits: Line(pair("Real", "Real[2]", f"budget total(m, n) <= {bits} bits", symbols(bits))),
                                  (0.75, 0.75, 0.75, 0.75)),
    "total of Message(1, 4) twice": (lambda bits: Line(pair("Message(1, 4)", "Message(1, 4)", f"budget total(m, n) <= {bits} bits",
                                                            symbols(bits))), (0.8, 0.8, 0.8, 0.85)),
    "Tokens(4, 8)": (tokens("Tokens(4, 8)"), (1, 1, 1, 1)),
    "Tokens(4, 8), soft STOP": (tokens("Tokens(4, 8)", "stop soft"), (1, 1, 1, 1)),
    "Tokens(4, 16)": (tokens("Tokens(4, 16)"), (1, 1, 1, 1)),
    "Tokens(2, 2), bsc(0.1)": (tokens("Tokens(2, 2)", "noise bsc(0.1)"), (0.5, None, None, None)),
    "Tokens(8, 2), bsc(0.1)": (tokens("Tokens(8, 2)", "noise bsc(0.1)"), (0.99, 0.9, 0.8, None)),
    "Tokens(2, 4), erasure(0.25)": (tokens("Tokens(2, 4)", "noise erasure(0.25)"), (0.9, 0.85, None, None)),
    "Tokens(12, 2), bsc(0.05)": (many("Tokens(12, 2)", "noise bsc(0.05)"), (0.5, 0.6, 0.8, 0.85)),
    "Tokens(8, 4), erasure(0.25)": (many("Tokens(8, 4)", "noise erasure(0.25)"), (None, 0.5, 0.6, 0.75)),
    "Tokens(4, 4), erasure(0.25)": (tokens("Tokens(4, 4)", "noise erasure(0.25)"), (0.99, 0.99, 0.9, None)),
}
BITS = (1, 2, 4, 8)
#: Which of them every test run attacks; all of them with ``-m study``.
OFTEN = {("Real", 1), ("Real[8], awgn with a budget below its capacity", 8), ("Real[2], gaussian", 2),
         ("Message(4, 8), soft STOP", 4), ("Message(4, 2), erasure", 4), ("total of Real and Real[2]", 2), ("Tokens(4, 8)", 1),
         ("Tokens(4, 8)", 4), ("Tokens(4, 8), soft STOP", 1), ("Tokens(4, 16)", 2), ("Tokens(4, 16)", 4),
         ("Tokens(2, 2), bsc(0.1)", 1), ("Tokens(2, 4), erasure(0.25)", 2), ("Tokens(12, 2), bsc(0.05)", 4)}


def cases():
    for name, (_, shares) in CARRIERS.items():
        for bits, share in zip(BITS, shares, strict=True):
            if share is not None:
                marks = [] if (name, bits) in OFTEN else [pytest.mark.study]
                yield pytest.param(name, bits, share, id=f"{name} at {bits}", marks=marks)


@pytest.mark.parametrize(("name", "bits", "share"), list(cases()))
def test_a_hard_budget_holds_and_the_attack_is_strong(name, bits, share, record_property):
    line = CARRIERS[name][0](bits)
    found = line.recovered()
    print(f"{name} at {bits} bits: {found:.3f} recovered")
    record_property("recovered", found)
    assert found <= bits + SLACK
    assert found >= share * bits - 1e-6


@pytest.mark.parametrize("bits", [2, *(pytest.param(b, marks=pytest.mark.study) for b in (1, 4, 8))])
def test_the_stated_capacity_is_within_the_budget(bits):
    """The ledger's own figure, and for tokens that it is the one that the graph has."""
    for name, (make, shares) in CARRIERS.items():
        if shares[BITS.index(bits)] is None or "total" in name:
            continue
        line = make(bits)
        channel = line.p.game.channels[0]
        assert channel.capacity <= bits + 1e-9, name
        if isinstance(line, Words) and line.words <= 64:
            assert blahut_arimoto(line.rows()) == pytest.approx(channel.capacity, abs=1e-4), name


def test_one_real_on_quadrature_nodes():
    """In information coordinates the same game has no samples: the information is a sum, and the same."""
    line = Line(game("Real", "budget 2 bits", 16))
    tables = {"m": jnp.linspace(-1, 1, 16) * 3}  # beyond the power limit: the coder keeps within the decision's bounds
    p, rules = line.p, line.rules({"m": jnp.clip(jnp.linspace(-1.4, 1.4, 16), -1, 1)})
    world = p.world(information_grid(p, rules, Resolution(observation=240)), p.reduction, rules)
    (channel,) = p.game.channels
    exact = float(world.expectation(evaluate(world, channel.information)).data) / math.log(2)
    joint = world.expectation(constant(1.0), ("m", "s"))
    assert float(mutual_information(joint.data)) == pytest.approx(exact, abs=1e-6)
    assert exact <= 2 + 1e-6
    peak = math.log2(1 + 2 / (channel.sd * math.sqrt(2 * math.pi * math.e)))  # McKellips 2004: of a limited amplitude
    assert exact <= peak + 1e-6
    assert float(jnp.abs(line.points(tables)).max()) <= 1 + 1e-12


@pytest.mark.parametrize("carries", ["Message(1, 3); noise erasure(0.1)", pytest.param("Real", marks=pytest.mark.study),
                                     pytest.param("Message(4, 8); stop soft", marks=pytest.mark.study)])
def test_a_network_that_knows_nothing_recovers_no_more(carries):
    line = Line(game(carries, "budget 2 bits", 8))
    found = line.recovered_by_a_network(300)
    print(f"{carries}: a network recovers {found:.3f} bits of 2")
    assert 0.6 * 2 <= found <= 2 + SLACK


@pytest.mark.parametrize("carries", [
    "Tokens(1, 4)", "Tokens(2, 2)", "Tokens(1, 4); noise erasure(0.5)",
    "Tokens(6, 16); budget 18 bits"])
def test_words_stay_words(carries):
    """Whatever law a rule answers, what the listener sees is one of the words, to the last digit."""
    p = problem(game(carries, "", 8))
    (channel,) = p.game.channels

    def soft(world, d):
        s = evaluate(world, d.observations[0].expression)
        places = jnp.arange(1.0, math.prod(d.shape) + 1).reshape(d.shape)
        return whole(lambda x: jax.nn.softmax(jnp.sin(x * places)), s)

    world = p.world(sampled_grid(p, 256, 0), p.natural, {channel.encoder: soft, "a": rule(lambda *_: 0.0)})
    seen = np.asarray(evaluate(world, channel.message).data)
    assert set(np.unique(seen)) <= ({0.0, 1.0} if channel.noise == "none" else set(range(1, 6)))


# ---------------------------------------------------------------- budgets over several channels


def test_a_total_is_no_more_than_its_parts():
    """Shares add up to the total, whatever the carriers."""
    for first, second in (("Real", "Tokens(2, 4)"), ("Message(2, 3)", "Real[2]"), ("Tokens(1, 8)", "Tokens(1, 8)")):
        for bits in (1, 3, 5):
            game_, _ = elaborated(pair(first, second, f"budget total(m, n) <= {bits} bits", 8))
            assert sum(c.capacity for c in game_.channels) <= bits + 1e-9


THREE = """game Leak
player S, R
team T = S, R
random s ~ Categorical(8)
channel m : S -> R {{ carries Real; {clause} }}
channel n : S -> R {{ carries Real }}
channel k : S -> R {{ carries Real }}
{totals}
send m by S knowing s
send n by S knowing s
send k by S knowing s
decide a : Real by R knowing m, n, k
cost T = (a - s)^2
"""


def capacities(**parts) -> dict[str, float]:
    game_, _ = elaborated(THREE.format(**{"clause": "", **parts}))
    return {c.name: c.capacity for c in game_.channels}


def test_two_totals_over_one_channel():
    held = capacities(totals="budget total(m, k) <= 2 bits\nbudget total(m, n) <= 10 bits")
    assert held["m"] + held["k"] <= 2 + 1e-9 and held["m"] + held["n"] <= 10 + 1e-9


def test_a_hard_total_stays_hard_beside_an_average_budget():
    held = capacities(clause="budget 5 bits on average", totals="budget total(m, n, k) <= 3 bits")
    assert sum(held.values()) <= 3 + 1e-9


def test_a_total_in_a_block():
    held = capacities(totals="when 1 > 0 { budget total(m, n, k) <= 3 bits }")
    assert sum(held.values()) <= 3 + 1e-9


# ---------------------------------------------------------------- families

FAMILY = """game Leak
param N : int = 2
player Firm[N] symmetric
for i in Firm {{ random c[i] ~ Categorical(8) }}
channel s[i in Firm] : Firm[i] -> others {{ carries {carries} }}
for i in Firm {{ send s[i] by Firm[i] knowing c[i] }}
for i in Firm {{ decide q[i] : Real by Firm[i] knowing s[others] }}
for i in Firm {{ cost Firm[i] = (q[i] - sum(c))^2 }}
"""


@pytest.mark.parametrize("members", [2, 20])
def test_the_words_of_a_family_stay_words(members):
    """A member sees of each other one of two words, also where the sender's policy is a soft law."""
    p = problem(FAMILY.format(carries="Tokens(1, 2); budget 1 bits"), N=members)

    def soft(world, d):
        c = evaluate(world, d.observations[0].expression)
        return whole(lambda x: jax.nn.softmax(jnp.stack([0.3 * x, -0.2 * x])), c)

    rules = {d.name: soft if d.channel else rule(lambda *_: 0.0) for d in p.game.decisions}
    world = p.world(sampled_grid(p, 64, 0), p.natural, rules)
    d = next(d for d in p.game.decisions if not d.channel)
    seen = world.loop(d, lambda: evaluate(world, d.observations[-1].expression))
    values = np.unique(np.round(np.asarray(seen.data), 9))
    assert len(values) == 2, f"{len(values)} different values in place of 2: a real number of {math.log2(len(values)):.1f} bits or more"


@pytest.mark.parametrize("members", [2, 20])
def test_the_reals_of_a_family_keep_the_budget(members):
    """Every member's message has noise for the budget, and noise of its own."""
    p = problem(FAMILY.format(carries="Real[2]; budget 2 bits"), N=members)
    rules = {d.name: (lambda w, d: whole(lambda c: jnp.stack([3 * jnp.cos(c), 3 * jnp.sin(c)]), evaluate(w, d.observations[0].expression)))
             if d.channel else rule(lambda *_: 0.0) for d in p.game.decisions}
    world = p.world(sampled_grid(p, 4096, 0), p.natural, rules)
    out = []
    for c in p.game.channels:
        sent, got = (world.loop(c, lambda e=e: evaluate(world, e)) for e in (c.sent, c.message))
        assert float(jnp.mean(sent.data**2, -1).max()) <= 1 + 1e-9
        rest = np.asarray(jnp.broadcast_to(got.data, got.data.shape) - sent.data).reshape((4096, -1))
        out.append(rest)
        assert c.capacity <= 2 + 1e-9
    noise = np.concatenate(out, 1)
    assert noise.shape[1] == 2 * members
    np.testing.assert_allclose(np.cov(noise.T), p.game.channels[0].sd ** 2 * np.eye(2 * members), atol=0.02)


# ---------------------------------------------------------------- controls: relaxations in common use do leak


def relaxed_symbol(n: int = 256, categories: int = 4) -> float:
    """Bits recovered through a Gumbel-softmax symbol at temperature 1 that is read as reals (nominally log2 ``categories``)."""
    def send(logits, batch):
        s, g = batch
        return s, jax.nn.softmax(logits[s] + g)

    def score(logits, y):  # the concrete density (Maddison, Mnih and Teh 2017) but for what no symbol changes
        x = jax.nn.log_softmax(logits)
        return x.sum(1)[None] - categories * logsumexp(x[None] - jnp.log(y)[:, None], axis=2)

    def batches(count, size, seed):
        rng = np.random.default_rng(seed)
        return jnp.asarray(rng.integers(n, size=(count, size))), jnp.asarray(rng.gumbel(size=(count, size, categories)))

    start = jnp.asarray(8.0 * np.random.default_rng(0).standard_normal((n, categories)))
    return attack(n, send, score, start, batches(40, BATCH, 1), batches(4, 2048, 2), rate=0.1)[0]


def noisy_bit(n: int = 64) -> float:
    """Bits recovered through sigmoid(logit + logistic noise), nominally one bit."""
    def send(logits, batch):
        s, noise = batch
        return s, jax.nn.sigmoid(logits[s] + noise)

    def score(logits, y):
        x = (jnp.log(y) - jnp.log1p(-y))[:, None] - logits[None]
        return -x - 2 * jax.nn.softplus(-x)

    def batches(count, size, seed):
        rng = np.random.default_rng(seed)
        return jnp.asarray(rng.integers(n, size=(count, size))), jnp.asarray(rng.logistic(size=(count, size)))

    start = jnp.asarray(np.linspace(-20, 20, n))
    return attack(n, send, score, start, batches(40, BATCH, 1), batches(4, 2048, 2), rate=0.1)[0]


def test_a_relaxed_symbol_leaks():
    found = relaxed_symbol()
    print(f"Gumbel-softmax of 2 nominal bits: {found:.3f} recovered")
    assert found > 4


def test_a_noisy_bit_leaks():
    found = noisy_bit()
    print(f"sigmoid of a noisy logit, 1 nominal bit: {found:.3f} recovered")
    assert found > 2


# ---------------------------------------------------------------- long noisy words


@pytest.mark.parametrize("noise", ["bsc(0.05)", "erasure(0.25)"])
def test_noise_acts_on_each_token_of_a_long_word_by_itself(noise):
    """Errors come with the stated probability, independent of each other and of what is said; and the ledger's sum over tokens is the
    information of a code of independent uniform tokens."""
    line = LongWords(game("Tokens(12, 2)", f"noise {noise}", 4096))
    book = np.arange(4096)[:, None] // 2 ** np.arange(12) % 2  # every word once: independent uniform tokens
    symbol, token, heard = line.heard(book, 0, 2**14)
    wrong = (token.argmax(-1) != book[symbol]) & heard if noise.startswith("bsc") else ~heard
    p = line.channel.p
    np.testing.assert_allclose(wrong.mean(0), p, atol=5 * math.sqrt(p * (1 - p) / 2**14))
    assert np.abs(np.corrcoef(wrong.T) - np.eye(12)).max() < 0.05
    assert np.abs(np.corrcoef(np.concatenate([wrong, book[symbol]], 1).T)[:12, 12:]).max() < 0.05
    each = 1 + p * math.log2(p) + (1 - p) * math.log2(1 - p) if noise.startswith("bsc") else 1 - p
    law = jnp.eye(2)[jnp.asarray(book)]
    follow = lambda w, d: (lambda s: Variable(s.dims, law[jnp.round(s.data).astype(int) - 1]))(  # noqa: E731
        evaluate(w, d.observations[0].expression))
    world = line.p.world(sampled_grid(line.p, 2**12, 0), line.p.natural, {line.encoder.name: follow, "a": rule(lambda *_: 0.0)})
    told = float(world.expectation(world.information(line.channel.information)).data) / math.log(2)
    assert told == pytest.approx(12 * each, rel=2e-3)


def test_a_budget_without_room_for_one_noisy_token_is_refused():
    _, ledger = elaborated(game("Tokens(12, 2)", "budget 0.5 bits; noise bsc(0.05)", 8))
    assert [e.code for e in ledger.errors] == ["L001"]
