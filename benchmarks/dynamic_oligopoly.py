"""Many firms, many seasons: compile time, throughput, and the same game written by hand in JAX.

    python benchmarks/dynamic_oligopoly.py            # N = 2 and 1,000 firms, T = 5 and 200 seasons

games/dynamic_oligopoly.dcg with its stages elaborated once, under affine policies with coefficients for each season. *Compile* is all from
the text to a program that is ready to run: checking, elaboration, tracing, XLA. *Forward* is a play of all seasons, *step* one training
step of the engine `stages`: draws, the gradient of a firm's own cost through all seasons, Adam. By hand the same arithmetic is done in the
same precision on as many draws of the same generator, with the same checkpoints; both are timed in turn within one run, and the
ratio is the median over neighbouring runs. A player-step is one firm in one season of one play.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import equinox as eqx  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402

import dcgc  # noqa: E402
from dcgc.core import elaborate  # noqa: E402
from dcgc.learning.network_engine import spec  # noqa: E402
from dcgc.learning.settings import Settings  # noqa: E402
from dcgc.learning.stage_engine import fresh_strategies, stepper  # noqa: E402
from dcgc.lower.problem import Person, prepare  # noqa: E402
from dcgc.lower.stages import Account, Stages, blocks  # noqa: E402
from dcgc.runs.environment import processor_model  # noqa: E402
from dcgc.source import Ledger  # noqa: E402

TEXT = Path(__file__).parents[1] / "games" / "dynamic_oligopoly.dcg"
STEPS = 2  # of a chunk
WORK = 1_000_000  # player-steps of a play, about
LOCATION, SCALE = np.array([4.0, 1.0]), np.array([0.5, 0.3])


def samples_of(firms: int, seasons: int) -> int:
    return max(4, min(4096, WORK // (firms * seasons)) // 2 * 2)


# ---------------------------------------------------------------- by hand


def by_hand(firms: int, seasons: int, samples: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """(forward, training): the cost of the first firm, and ``STEPS`` steps of Adam down its gradient."""
    outer, inner = blocks(seasons)

    def mirrored(key: jax.Array, width: int) -> jax.Array:
        z = jax.random.normal(key, (samples // 2, width))
        return jnp.concatenate([z, -z])

    def cost(own: jax.Array, common: jax.Array, first: jax.Array, second: jax.Array) -> jax.Array:
        """``own``, ``common`` (seasons, 3): coefficients of the standardised price and cost, and a level."""
        p = 4.0 + 0.1 * mirrored(first, 1)[:, 0]
        standing = lambda w, x, c: w[0] * (x - LOCATION[0]) / SCALE[0] + w[1] * (c - LOCATION[1]) / SCALE[1] + w[2]  # noqa: E731

        def season(carry: Any, t: jax.Array) -> tuple[Any, None]:
            p, paid = carry
            c = 1.0 + 0.3 * mirrored(jax.random.fold_in(second, t), firms)
            everybody = standing(common[t - 1], p[:, None], c)
            mine = standing(own[t - 1], p, c[:, 0])
            q = jnp.where(jnp.arange(firms) == 0, mine[:, None], everybody)
            new = 0.8 * p + 0.2 * (10.0 - 2.0 * jnp.mean(q, axis=1))
            now = paid - 0.9 ** (t - 1.0) * ((p - c[:, 0]) * mine - mine**2 / 2)
            going = t <= seasons
            return (jnp.where(going, new, p), jnp.where(going, now, paid)), None

        @jax.checkpoint
        def several(carry: Any, ts: jax.Array) -> tuple[Any, None]:
            return jax.lax.scan(jax.checkpoint(season), carry, ts)

        ts = jnp.arange(1, outer * inner + 1).reshape(outer, inner)
        return jnp.mean(jax.lax.scan(several, (p, jnp.zeros(samples)), ts)[0][1])

    def forward(policy: jax.Array, key: jax.Array) -> jax.Array:
        first, second = jax.random.split(key)
        return cost(policy, policy, first, second)

    adam = optax.adam(0.01)

    def training(policy: jax.Array, key: jax.Array) -> jax.Array:
        def step(carry: Any, number: jax.Array) -> tuple[Any, None]:
            policy, moments = carry
            first, second = jax.random.split(jax.random.fold_in(key, number))
            gradient = jax.grad(cost)(policy, policy, first, second)
            moves, moments = adam.update(gradient, moments)
            return (optax.apply_updates(policy, moves), moments), None

        return jax.lax.scan(step, (policy, adam.init(policy)), jnp.arange(STEPS))[0][0]

    return forward, training


# ---------------------------------------------------------------- by dcgc


def prepared(firms: int, seasons: int) -> Any:
    checked = dcgc.load(str(TEXT), set={"N": firms, "T": seasons}).checked
    game = elaborate(checked, Ledger(), "scanned")
    assert game is not None
    return prepare(game)


def by_dcgc(problem: Any, samples: int) -> tuple[Any, Any, Any, Any, Any]:
    stages = Stages(problem)
    settings = Settings(samples=samples, restarts=1, steps=1000)
    stacked = fresh_strategies(problem, stages, settings, 1, True, False)
    zero = lambda x: jnp.zeros_like(x)  # noqa: E731
    stacked = {k: eqx.tree_at(lambda s: (s.policy, s.location, s.scale), s,
                              (jax.tree.map(zero, s.policy), jnp.asarray(LOCATION)[None], jnp.asarray(SCALE)[None]))
               for k, s in stacked.items()}
    run, template = stepper(problem, settings, stacked, 1000, 0.01)
    moments = jax.vmap(optax.scale_by_adam().init)(eqx.filter(stacked, spec(stacked)))
    firm = Person("Firm", 0)

    @eqx.filter_jit
    def forward(policies: Any, key: jax.Array) -> jax.Array:
        one = jax.tree.map(lambda x: x[0], policies)
        rules = {d.name: one[problem.leader_of[d.name]] for d in problem.game.decisions}
        first, second = jax.random.split(key)
        played = stages.play(rules, stages.outside.draw(first, samples, True), second, [Account(problem.pays(firm), firm)], antithetic=True)
        return jnp.mean(played.costs[0])

    return stages, stacked, moments, forward, run


# ---------------------------------------------------------------- measuring


def waited(function: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - begin


def in_turn(one: Callable[[], Any], two: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """(seconds of the first, ratio of the first to the second): medians over programs that are run in turn, of neighbouring runs; at
    least ``rounds`` pairs, and more where they are short."""
    first, ratios, begin = [], [], time.perf_counter()
    while len(ratios) < rounds or (time.perf_counter() - begin < 1.0 and len(ratios) < 200):
        if len(ratios) % 2 == 0:
            a, b = waited(one), waited(two)
        else:
            b, a = waited(two), waited(one)
        first.append(a)
        ratios.append(a / b)
    return statistics.median(first), statistics.median(ratios)


def measured(firms: int, seasons: int, rounds: int) -> dict[str, float]:
    samples = samples_of(firms, seasons)
    key = jax.random.key(0)
    begin = time.perf_counter()
    used = time.process_time()
    problem = prepared(firms, seasons)
    _, stacked, moments, forward, run = by_dcgc(problem, samples)
    numbers = jnp.arange(STEPS)
    step = run.lower(stacked, moments, {}, numbers, key).compile()
    compiled, used = time.perf_counter() - begin, time.process_time() - used
    forward = forward.lower(stacked, key).compile()
    hand_forward, hand_training = by_hand(firms, seasons, samples)
    policy = jnp.zeros((seasons, 3))
    begin = time.perf_counter()
    hand_step = jax.jit(hand_training).lower(policy, key).compile()
    hand_compiled = time.perf_counter() - begin
    hand_forward = jax.jit(hand_forward).lower(policy, key).compile()
    same = abs(float(forward(stacked, key)) - float(hand_forward(policy, key)))
    ours, forward_ratio = in_turn(lambda: forward(stacked, key), lambda: hand_forward(policy, key), rounds)
    ours_step, step_ratio = in_turn(lambda: step(stacked, moments, {}, numbers, key), lambda: hand_step(policy, key), rounds)
    work = firms * seasons * samples
    return {"N": firms, "T": seasons, "plays": samples, "compile": compiled, "cpu": used, "hand compile": hand_compiled,
            "forward": work / ours, "step": work * STEPS / ours_step, "forward ratio": forward_ratio,
            "step ratio": step_ratio, "difference": same}


def machine() -> str:
    return f"{processor_model()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, jax {jax.__version__}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--firms", type=int, nargs="+", default=[2, 1000])
    arguments.add_argument("--seasons", type=int, nargs="+", default=[5, 200])
    arguments.add_argument("--rounds", type=int, default=7)
    given = arguments.parse_args()
    print(machine(), flush=True)
    measured(2, 3, 1)  # what Python and JAX load once is nobody's compile time
    rows = []
    for n, t in ((n, t) for n in given.firms for t in given.seasons):
        rows.append(measured(n, t, given.rounds))
        print(f"measured N = {n:,}, T = {t}", flush=True)
    print("| N | T | plays | compile s (CPU s) | forward, player-steps/s | step, player-steps/s | forward / by hand | step / by hand |")
    print("|---|---|---|---|---|---|---|---|")
    for r in rows:
        print(f"| {r['N']:,.0f} | {r['T']:.0f} | {r['plays']:,.0f} | {r['compile']:.2f} ({r['cpu']:.2f}) | {r['forward']:.3g} "
              f"| {r['step']:.3g} | {r['forward ratio']:.2f} | {r['step ratio']:.2f} |")
    spread = max(r["cpu"] for r in rows) / min(r["cpu"] for r in rows)
    print(f"\nlargest compile time over the smallest: {max(r['compile'] for r in rows) / min(r['compile'] for r in rows):.2f} "
          f"(CPU {spread:.2f}); largest difference of the two costs: {max(r['difference'] for r in rows):.1e}")
    assert all(math.isfinite(r["difference"]) for r in rows)


if __name__ == "__main__":
    main()
