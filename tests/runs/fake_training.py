"""`dcgc train kyle` with a training that is quick, has many chunks, and depends on everything that it did before.

It is run as a process of its own, to be killed. Everything around the training, run folder, checkpoints, command line, is the
real thing. Usage: python fake_training.py ARGUMENTS-OF-DCGC-TRAIN
"""

import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

import dcgc.learning
import dcgc.verify
from dcgc.cli import main
from dcgc.learning.settings import Progress, Trained
from dcgc.lower.strategy import Strategy
from dcgc.policies import build, head
from dcgc.verify.figures import Curve, Figure, Regret, Scorecard

CHUNKS, PAUSE = 12, 0.02


@jax.jit
def advance(key, policy, total):
    key, draw = jax.random.split(key)
    noise = jax.random.normal(draw, policy.policy.weights.shape if hasattr(policy.policy, "weights") else (3,))
    policy = jax.tree.map(lambda leaf: leaf * 1.01 + 1e-3 * jnp.mean(noise) if leaf.ndim else leaf, policy)
    return key, policy, total + jnp.sum(noise)


def train(problem, settings, store, report, stop):
    state = store.load()
    if state is None:
        key = jax.random.key(settings.seed)
        make = lambda: Strategy(build("affine", key, inputs=1, outputs=1), head("real"), jnp.zeros(1), jnp.ones(1))  # noqa: E731
        state = {"chunk": 0, "key": key, "profile": {k: make() for k in problem.groups}, "total": jnp.asarray(0.0),
                 "history": [], "trace": np.zeros(4, np.float32)}
    interrupted = False
    while state["chunk"] < CHUNKS and not interrupted:
        key, total = state["key"], state["total"]
        profile = dict(state["profile"])
        for name in profile:
            key, profile[name], total = advance(key, profile[name], total)
        chunk = state["chunk"] + 1
        history = list(state["history"])
        for half in (0, 1):
            cost = float(total) / (chunk + half)
            history.append(["fake", chunk, cost])
            report(Progress("fake", f"chunk {chunk}", chunk, CHUNKS, cost))
            time.sleep(PAUSE)
        state = {"chunk": chunk, "key": key, "profile": profile, "total": total, "history": history,
                 "trace": np.roll(state["trace"], 1) + np.float32(cost)}
        store.save(state)
        interrupted = stop()
    alarms = (f"trace {state['trace'].tolist()}",)
    return Trained(state["profile"], "a fake", tuple(map(tuple, state["history"])), (), alarms, interrupted)


def score(problem, profile, thorough=False, alternatives=()):
    leaves = np.concatenate([np.ravel(x) for x in jax.tree.leaves(profile)])
    value = float(np.sum(leaves * np.arange(1, len(leaves) + 1)))
    figure = Figure("cost(Maker)", value, 0.0, "a sum")
    return Scorecard({"cost(Maker)": figure}, (Regret("Maker", abs(value), float("nan"), True, "none"),), (),
                     (Curve("v", "x", (0.0, 1.0), (value, 1.0), True),), (), "a sum")


if __name__ == "__main__":
    dcgc.learning.train = train
    dcgc.verify.score = score
    sys.exit(main(["train", *sys.argv[1:]]))
