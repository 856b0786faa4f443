"""All that `dcgc taps` says of a trained profile, as plain figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision
from ..gradients.signal import Signal, signal
from ..learning.explicit import explicit
from ..lower.problem import Problem
from .messages import Fisher, ListenerResponse, fisher, responses
from .samples import independent_grid
from .sender import SenderSignal, sender_signal
from .taps import Tap, channel_of, named_taps, taps

SAMPLES = 4096


@dataclass(frozen=True)
class PlayerTap:
    """One player's gradient by one value. ``norm``: mean over the samples; ``tokens``: of each token (of a vector each entry, of options
    each option's mean size); ``mean_norm``: of the mean gradient. ``signal``: of one sample's."""

    player: str
    norm: float
    mean_norm: float
    tokens: tuple[float, ...]
    signal: Signal


@dataclass(frozen=True)
class Tapped:
    """One value. ``channel``: whether it is a message; then ``sender``, ``fisher`` and ``responses`` are there as far as they exist."""

    name: str
    channel: bool
    options: bool
    shape: tuple[int, ...]
    players: tuple[PlayerTap, ...]
    sender: SenderSignal | None = None
    fisher: Fisher | None = None
    responses: tuple[ListenerResponse, ...] = ()


@dataclass(frozen=True)
class TapStudy:
    samples: int
    tapped: tuple[Tapped, ...]
    notes: tuple[str, ...]


def tap_study(problem: Problem, profile: Mapping[str, Any], samples: int = SAMPLES, seed: int = 0) -> TapStudy:
    """Every channel and every `tap` of the text, on independent samples."""
    written = explicit(problem, profile)
    grid = independent_grid(problem, samples, seed)
    names = list(dict.fromkeys((*(c.name for c in problem.game.channels), *named_taps(problem))))
    found = taps(problem, written, grid, names, seed)
    tapped = []
    for name, tap in found.items():
        channel = channel_of(problem, name)
        players = tuple(player_tap(tap, i, channel is not None) for i in range(len(tap.players)))
        if channel is None:
            tapped.append(Tapped(name, False, tap.options, tap.gradients.shape[2:], players))
            continue
        encoder = problem.dependence.sites[channel.encoder]
        assert isinstance(encoder, Decision)
        tapped.append(Tapped(name, True, tap.options, tap.gradients.shape[2:], players,
                             sender_signal(problem, written, encoder, grid), fisher(problem, written, channel, grid, seed),
                             tuple(responses(problem, written, channel, grid, seed))))
    return TapStudy(samples, tuple(tapped), notes_on(problem, profile))


def player_tap(tap: Tap, i: int, message: bool) -> PlayerTap:
    """``message``: a matrix of reals has its rows for tokens."""
    g = tap.gradients[i]
    own = token_norms(g, message and not tap.options)
    flat = g.reshape(g.shape[0], -1)
    return PlayerTap(tap.players[i], float(jnp.mean(jnp.linalg.norm(flat, axis=1))), float(jnp.linalg.norm(jnp.mean(flat, axis=0))),
                     tuple(float(x) for x in np.ravel(jnp.mean(own, axis=0))), signal(flat))


def token_norms(g: Array, rows: bool) -> Array:
    """(n, tokens) of a gradient (n, *shape)."""
    flat = g.reshape(g.shape[0], -1)
    if rows and g.ndim == 3:
        return jnp.linalg.norm(g, axis=-1)
    return jnp.abs(flat)


def notes_on(problem: Problem, profile: Mapping[str, Any]) -> tuple[str, ...]:
    """What a reader should know about how the figures were read."""
    notes = []
    hard = [d.name for d in problem.game.decisions if d.finite and getattr(
        profile.get(d.name, profile.get(problem.leader_of[d.name])), "hard", False)]
    if hard:
        notes.append(f"{', '.join(hard)} {'are' if len(hard) > 1 else 'is'} read as the probabilities that training moves: the likeliest "
                     "option alone has no derivative")
    if problem.has_steps:
        notes.append("comparisons are smoothed as at the end of a training: a jump has no derivative")
    if any(p.information is not None or p.constraint is not None for p in problem.game.payments):
        notes.append("prices of information and multipliers are left out: they are charged on the law of a message, not on a message")
    return tuple(notes)


def study_data(study: TapStudy) -> dict[str, Any]:
    """For other programs."""
    return {"samples": study.samples, "notes": list(study.notes), "taps": {t.name: tapped_data(t) for t in study.tapped}}


def tapped_data(t: Tapped) -> dict[str, Any]:
    data: dict[str, Any] = {
        "channel": t.channel, "by": "option" if t.options else "value", "shape": list(t.shape),
        "players": {p.player: {"norm": p.norm, "norm_of_mean": p.mean_norm, "norm_per_token": list(p.tokens),
                               "gsnr": float(p.signal.ratio), "gsnr_error": float(p.signal.standard_error)} for p in t.players}}
    if t.sender is not None:
        s = t.sender
        data["sender"] = {"parameters": s.parameters, "gsnr": float(s.signal.ratio), "gsnr_error": float(s.signal.standard_error),
                          "method": s.method, "exact_norm": s.exact_norm}
        if s.agreement is not None:
            a = s.agreement
            data["sender"] |= {"squared_bias": float(a.squared_bias), "squared_bias_error": float(a.squared_bias_error),
                               "cosine": float(a.cosine), "cosine_error": float(a.cosine_error), "slope": float(a.slope),
                               "slope_error": float(a.slope_error)}
    if t.fisher is not None:
        data["fisher"] = {"eigenvalues": [float(x) for x in t.fisher.eigenvalues], "effective_rank": t.fisher.rank,
                          "effective_rank_of_samples": t.fisher.sample_rank, "whitened": t.fisher.whitened}
    data["responses"] = [{"decision": r.decision, "of": r.what, "singular_values": [float(x) for x in r.singular_values]}
                         for r in t.responses]
    return data


def relative_bias(s: SenderSignal) -> tuple[float, float]:
    """||E g - exact|| / ||exact|| and its standard error; the norm is 0 where chance makes its square negative."""
    if s.agreement is None or not s.exact_norm:
        return math.nan, math.nan
    square, error = float(s.agreement.squared_bias), float(s.agreement.squared_bias_error)
    return math.sqrt(max(square, 0.0)) / s.exact_norm, math.sqrt(max(error, 0.0)) / s.exact_norm
