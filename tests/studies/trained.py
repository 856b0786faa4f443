"""Results that need no training: policies written down by hand, where the best ones are known."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from dcgc import door
from dcgc.learning.settings import Settings, Trained
from dcgc.lower.strategy import Strategy, finite_sizes, real_inputs
from dcgc.policies import Affine, Table, head
from dcgc.verify.figures import Scorecard

GAUSS = """game Gauss "A normal number over a nearly clean real"
player Encoder, Decoder
team Link = Encoder, Decoder
random x ~ Normal(0, 1)
channel m : Encoder -> Decoder { carries Real; noise awgn(power = inf, sd = 0.02) }   # nearly clean
send m by Encoder knowing x
decide guess : Real by Decoder knowing m
cost Link = (x - guess)^2
"""
CHEAP_TALK = """game CheapTalk "Crawford and Sobel, uniform and quadratic"
param bias = 0.1
player Sender, Receiver
random theta ~ Uniform(0, 1)
channel m : Sender -> Receiver { carries Tokens(1, 4) }
send m by Sender knowing theta
decide a : Real by Receiver knowing m
cost Sender = (a - theta - bias)^2
cost Receiver = (a - theta)^2
"""
TOKENS = """game Tokened "Two tokens about a normal number"
player Encoder, Decoder
team Link = Encoder, Decoder
random x ~ Normal(0, 1)
channel m : Encoder -> Decoder { carries Tokens(2, 2) }
send m by Encoder knowing x
decide guess : Real by Decoder knowing m
cost Link = (x - guess)^2
"""
LEVELS = (-1.510418, -0.452780, 0.452780, 1.510418)  # Max 1960, 4 levels for a normal number


def affine(d, gains, offsets=None):
    """An affine policy; of a finite decision the option with the largest of its outputs."""
    k = d.options if d.finite else int(np.prod(d.shape))
    gains = jnp.asarray(gains, float).reshape(1, k, real_inputs(d))
    offsets = jnp.zeros((1, k)) if offsets is None else jnp.asarray(offsets, float).reshape(1, k)
    return strategy(d, Affine(gains, offsets))


def table(d, rows):
    return strategy(d, Table(jnp.asarray(rows, float)))


def strategy(d, policy):
    output = head("choice", (), d.options) if d.finite else head("real", d.shape) if d.low is None else head("bounded", d.shape)
    inputs = real_inputs(d)
    return Strategy(policy, output, jnp.zeros(inputs), jnp.ones(inputs), finite_sizes(d), d.finite)


def result(text, policies, scored=False, name="<text>"):
    """A result with the policies that ``policies(decisions by name)`` gives; its figures only if they are wanted."""
    game = door.load(text, name=name)
    profile = policies({d.name: d for d in game.problem.game.decisions})
    if scored:
        from dcgc.verify import score

        card = score(game.problem, profile)
    else:
        card = Scorecard({}, (), (), (), (), "not scored")
    return door.Result(game, Settings(), Trained(profile, "by hand"), card)


def gauss(scored=False):
    return result(GAUSS, lambda d: {"sent(m)": affine(d["sent(m)"], 1.0), "guess": affine(d["guess"], 1.0)}, scored)


def cheap_talk():
    """Two words, the threshold at 1/2 - 2 bias."""
    return result(CHEAP_TALK, lambda d: {"m": affine(d["m"], [0.0, 1.0, 0.0, 0.0], [0.0, -0.3, -9.0, -9.0]),
                                         "a": table(d["a"], [[0.15], [0.65], [0.65], [0.15]])})


def tokens():
    """The four levels of Max, in an order that says nothing: nearest level as affine scores."""
    order = [2, 0, 3, 1]
    gains = [2 * LEVELS[k] for k in order]
    offsets = [-LEVELS[k] ** 2 for k in order]
    return result(TOKENS, lambda d: {"m": affine(d["m"], gains, offsets), "guess": table(d["guess"], [[LEVELS[k]] for k in order])})


def cournot():
    text = door.load("cournot_sharing").source.text
    return result(text, lambda d: {"sent(s)[1]": affine(d["sent(s)[1]"], 1.0, -2.0),
                                   "q[1]": affine(d["q[1]"], [-0.5, 0.3], 3.6)})
