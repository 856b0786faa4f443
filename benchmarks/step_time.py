"""Time per training step: the compiled program of the network engine over hand-written JAX for the same work.

    python benchmarks/step_time.py                     # all cases
    python benchmarks/step_time.py witsenhausen kyle   # some of them

The same work: the same policies (weights copied from the compiler's own start), nodes, arithmetic (float64), Adam and step sizes,
many steps inside one jitted ``lax.scan`` on both sides. Before anything is timed, both must give the same loss and the same
gradients to 1e-10, at the start and where training leads. Then chunks of the two are run in turn, so that whatever else the
machine does falls on both; the figure is the median of the ratios of neighbouring runs. The target is 1.10.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

import dcgc
from dcgc.learning.network_engine import NetworkEngine, stepper
from dcgc.learning.objective import Objective
from dcgc.learning.own import own_gradient
from dcgc.learning.settings import Settings
from dcgc.learning.starting import pick
from dcgc.lower.grid import Grid
from dcgc.lower.problem import Problem

TARGET = 1.10
AGREEMENT = 1e-10

Weights = dict[str, Any]
Gradient = Callable[[Weights, Mapping[str, Array]], Weights]
Loss = Callable[[Weights, Mapping[str, Array]], Array]


# ---------------------------------------------------------------- the games, by hand


def network(w: Weights, x: Array) -> Array:
    """A perceptron with an affine path beside it, of one input, at many inputs: (n,) -> (n,)."""
    z = ((x - w["location"]) / w["scale"])[:, None]
    h = z
    for matrix, bias in w["hidden"]:
        h = jnp.tanh(h @ matrix.T + bias)
    return (h @ w["head"].T + z @ w["skip"].T + w["offset"])[:, 0]


def normal_density(z: Array) -> Array:
    return jnp.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)


def conditional_mean(weight: Array, density: Array, value: Array) -> Array:
    """E[value | column], for a value per row: held fixed, as the rival's policy is."""
    mass = weight @ density
    mean = (weight * value) @ density / jnp.where(mass > 0, mass, 1.0)
    return jax.lax.stop_gradient(jnp.where(mass > 0, mean, 0.0))


def witsenhausen_reply(w: Weights, at: Mapping[str, Array]) -> Array:
    """The team's cost, the second controller playing E[x1 | y] on a grid of y."""
    x0 = 5.0 * at["x0"]
    u1 = network(w["u1"], x0)
    x1 = x0 + u1
    density = normal_density(at["y"] - x1[:, None]) * at["y spacing"]
    u2 = conditional_mean(at["x0 weight"], density, x1)
    return jnp.einsum("i,ij,ij->", at["x0 weight"], density, (0.2**2 * u1**2)[:, None] + (x1[:, None] - u2) ** 2)


def witsenhausen_two(w: Weights, at: Mapping[str, Array]) -> Array:
    """The team's cost, both controllers networks."""
    x0 = 5.0 * at["x0"]
    u1 = network(w["u1"], x0)
    x1 = x0 + u1
    y = x1[:, None] + at["w"]
    u2 = network(w["u2"], y.ravel()).reshape(y.shape)
    cost = (0.2**2 * u1**2)[:, None] + (x1[:, None] - u2) ** 2
    return jnp.einsum("i,j,ij->", at["x0 weight"], at["w weight"], cost)


def kyle_answered(w: Weights, at: Mapping[str, Array]) -> tuple[Array, Array]:
    """Costs of the insider and of the maker, who plays E[v | flow] on a grid of flow."""
    v = at["v"]
    x = network(w["x"], v)
    density = normal_density(at["flow"] - x[:, None]) * at["flow spacing"]
    p = conditional_mean(at["v weight"], density, v)

    def mean(cost: Array) -> Array:
        return jnp.einsum("i,ij,ij->", at["v weight"], density, cost)

    return mean(-(v[:, None] - p) * x[:, None]), mean((p - v[:, None]) ** 2)


def kyle_play(insider: Weights, maker: Weights, at: Mapping[str, Array]) -> tuple[Array, Array]:
    """Costs of the insider and of the maker, both networks."""
    v = at["v"]
    x = network(insider, v)
    flow = x[:, None] + at["u"]
    p = network(maker, flow.ravel()).reshape(flow.shape)

    def mean(cost: Array) -> Array:
        return jnp.einsum("i,j,ij->", at["v weight"], at["u weight"], cost)

    return mean(-(v[:, None] - p) * x[:, None]), mean((p - v[:, None]) ** 2)


def kyle_gradient(w: Weights, at: Mapping[str, Array]) -> Weights:
    """Each player's own cost in its own weights."""
    return {"x": jax.grad(lambda own: kyle_play(own, w["p"], at)[0])(w["x"]),
            "p": jax.grad(lambda own: kyle_play(w["x"], own, at)[1])(w["p"])}


@dataclass(frozen=True)
class Case:
    """A game with a way of playing it: ``reply``: the last mover answers exactly. ``loss``: what a chunk reports."""

    game: str
    reply: bool
    gradient: Gradient
    loss: Loss


CASES: Mapping[str, Case] = {
    "witsenhausen": Case("witsenhausen", True, jax.grad(witsenhausen_reply), witsenhausen_reply),
    "witsenhausen, two networks": Case("witsenhausen", False, jax.grad(witsenhausen_two), witsenhausen_two),
    "kyle": Case("kyle", True, jax.grad(lambda w, at: kyle_answered(w, at)[0]), lambda w, at: sum(kyle_answered(w, at), jnp.zeros(()))),
    "kyle, two networks": Case("kyle", False, kyle_gradient, lambda w, at: sum(kyle_play(w["x"], w["p"], at), jnp.zeros(()))),
}


# ---------------------------------------------------------------- both sides on the same ground


def weights_of(strategy: Any) -> Weights:
    """The arrays of a strategy, as the hand-written network wants them."""
    policy = strategy.policy
    return {"hidden": [tuple(layer) for layer in policy.hidden], "head": policy.head, "skip": policy.skip, "offset": policy.offset,
            "location": strategy.location[0], "scale": strategy.scale[0]}


def nodes_of(grid: Grid) -> dict[str, Array]:
    out = {}
    for name, nodes in grid.nodes.items():
        out[name] = nodes
        out[f"{name} {'spacing' if name in grid.observed else 'weight'}"] = grid.weights[name]
    return out


@dataclass(frozen=True)
class Sides:
    """``compiled`` and ``by_hand``: a chunk of training from the start, () -> its last loss. ``start``: loss and gradients of both."""

    compiled: Callable[[], Any]
    by_hand: Callable[[], Any]
    grid: Grid
    differences: Mapping[str, float]


def sides(case: Case, steps: int, width: int | None = None) -> Sides:
    """Both programs, compiled, and how far apart they are. Raises AssertionError if they do not do the same work."""
    problem: Problem = dcgc.load(case.game).problem
    settings = Settings(engine="networks", restarts=1, steps=max(steps, 2), best_response=case.reply, width=width)
    engine = NetworkEngine()
    state = engine.start(problem, settings)
    others = engine.others(problem, settings)
    assert bool(others) == case.reply, f"{case.game}: best replies found: {sorted(others)}"
    first = {k: pick(s, 0) for k, s in state["strategies"].items()}
    grid, reduction = engine.ground(problem, settings, 0, {**first, **others})
    run, template = stepper(problem, settings, Objective(), others, reduction, state["strategies"], settings.steps or steps)
    moments = jax.tree.unflatten(jax.tree.structure(template), state["moments"])
    numbers = jnp.arange(steps)

    def compiled() -> tuple[Any, Array]:
        strategies, _, costs = run(grid, state["strategies"], moments, numbers, {})
        return {k: pick(s, 0) for k, s in strategies.items()}, jax.block_until_ready(costs)[0]

    at = nodes_of(grid)
    weights = {k: weights_of(s) for k, s in first.items()}
    chunk = hand_written(case, settings.steps or steps)

    def by_hand() -> tuple[Any, Array]:
        after, cost = chunk(weights, at, numbers)
        return after, jax.block_until_ready(cost)

    after, cost = compiled()
    _, hand_cost = by_hand()
    whole = jax.jit(lambda profile: {d.name: own_gradient(problem, grid, {**profile, **others}, d, reduction)
                                     for ds in problem.groups.values() for d in ds if d.name in profile})
    end = case.loss({k: weights_of(s) for k, s in after.items()}, at)
    # Costs of players may cancel in their sum, whose scale is 1 in these games.
    differences = {"loss after the chunk": relative(cost, hand_cost, 1.0), "loss at the compiler's end": relative(cost, end, 1.0)}
    for where, profile in (("start", first), ("end", after)):
        theirs = {k: weights_of(g) for k, g in whole(profile).items()}
        ours = case.gradient({k: weights_of(s) for k, s in profile.items()}, at)
        differences[f"gradients at the {where}"] = max(
            relative(theirs[k][part], ours[k][part]) for k in theirs for part in ("hidden", "head", "skip", "offset"))
    for name, value in differences.items():
        # A whole chunk adds up rounding: Adam divides by gradients that may be near 0.
        assert value <= (1e-5 if name == "loss after the chunk" else AGREEMENT), f"{case.game}: {name} differ by {value:.1e}"
    return Sides(lambda: compiled()[1], lambda: by_hand()[1], grid, differences)


def relative(a: Any, b: Any, scale: float = 1e-12) -> float:
    """The largest difference between two trees of arrays, over the largest entry or ``scale``."""
    left, right = (np.concatenate([np.ravel(x) for x in jax.tree.leaves(t)]) for t in (a, b))
    return float(np.abs(left - right).max() / max(np.abs(left).max(), scale))


def hand_written(case: Case, steps: int) -> Callable[..., tuple[Weights, Array]]:
    """The training loop as one would write it for this game alone."""
    schedule = optax.cosine_decay_schedule(1e-2, steps, alpha=1e-3)
    adam = optax.scale_by_adam()
    fixed = ("location", "scale")

    @jax.jit
    def chunk(weights: Weights, at: Mapping[str, Array], numbers: Array) -> tuple[Weights, Array]:
        standards = {k: {x: w[x] for x in fixed} for k, w in weights.items()}
        trained = {k: {x: v for x, v in w.items() if x not in fixed} for k, w in weights.items()}

        def gradient(now: Weights) -> Weights:
            full = case.gradient({k: {**now[k], **standards[k]} for k in now}, at)
            return {k: {x: v for x, v in g.items() if x not in fixed} for k, g in full.items()}

        def step(carry: tuple, number: Array) -> tuple[tuple, None]:
            now, state = carry
            updates, state = adam.update(gradient(now), state)
            return (jax.tree.map(lambda x, u: x - schedule(number) * u, now, updates), state), None

        (trained, _), _ = jax.lax.scan(step, (trained, adam.init(trained)), numbers)
        after = {k: {**trained[k], **standards[k]} for k in trained}
        return after, case.loss(after, at)

    return chunk


# ---------------------------------------------------------------- the clock


@dataclass(frozen=True)
class Timing:
    """Seconds a step of both programs (medians) and quartiles of the ratio of neighbouring runs."""

    compiled: float
    by_hand: float
    ratio: float
    low: float
    high: float


def measure(two: Sides, steps: int, rounds: int) -> Timing:
    """Run both in turn; which of them goes first changes from round to round."""
    seconds: dict[str, list[float]] = {"compiled": [], "by_hand": []}
    for r in range(rounds):
        order = ("compiled", "by_hand") if r % 2 == 0 else ("by_hand", "compiled")
        for name in order:
            start = time.perf_counter()
            getattr(two, name)()
            seconds[name].append((time.perf_counter() - start) / steps)
    ratios = np.asarray(seconds["compiled"]) / np.asarray(seconds["by_hand"])
    low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
    return Timing(float(np.median(seconds["compiled"])), float(np.median(seconds["by_hand"])), float(middle), float(low), float(high))


def machine() -> str:
    """What this is measured on."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            name = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), name)
    except OSError:
        pass
    device = jax.devices()[0]
    return f"{name}, {os.cpu_count()} cores, {device.platform} ({device.device_kind}), jax {jax.__version__}, {platform.platform()}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=list(CASES), help=f"default: {'; '.join(CASES)}")
    parser.add_argument("--steps", type=int, default=200, help="steps of a chunk")
    parser.add_argument("--rounds", type=int, default=21, help="chunks of each")
    parser.add_argument("--width", type=int, default=None, help="of the networks (default: the compiler's)")
    options = parser.parse_args(arguments)
    unknown = [c for c in options.cases if c not in CASES]
    if unknown:
        parser.error(f"no case {unknown[0]!r}; there are {'; '.join(CASES)}")
    print(f"machine: {machine()}")
    print(f"{options.rounds} rounds of {options.steps} steps each, in turn; target: at most {TARGET:.2f}\n")
    print("| case | nodes | compiled, a step | by hand, a step | ratio | quartiles | gradients agree to |")
    print("|---|---|---|---|---|---|---|")
    for name in options.cases:
        two = sides(CASES[name], options.steps, options.width)
        t = measure(two, options.steps, options.rounds)
        nodes = " x ".join(f"{n} {k}" for k, n in two.grid.shape)
        worst = max(v for k, v in two.differences.items() if k.startswith("gradients"))
        print(f"| {name} | {nodes} | {1e6 * t.compiled:.0f} us | {1e6 * t.by_hand:.0f} us | {t.ratio:.3f} | "
              f"{t.low:.3f} to {t.high:.3f} | {worst:.0e} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())


__all__ = ["CASES", "Case", "main", "measure", "sides"]
