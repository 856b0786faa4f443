"""The game in which whoever hears a channel is told what its sender knows instead: what messages could be worth at best."""

from __future__ import annotations

from dataclasses import replace

from ..core.expression import references
from ..core.site import Channel, Decision, Let, Observation, Payment, Random, Site
from ..information.dependence import mentioned
from ..learning import train
from ..learning.settings import Settings
from ..lower.problem import Problem
from .study import Ear, base, channels_named


def oracle(problem: Problem, name: str, settings: Settings) -> dict[str, float]:
    """The costs of all players, by label, when the game with everything told is trained anew. Raises GameError if no engine can."""
    # the terms and estimators are those of another game's messages
    settings = replace(settings, kl_weight=None, kl_prior=None, fisher_rank_weight=None, estimator=None)
    trained = train(told(problem, channels_named(problem, name)), settings)
    return dict(trained.equilibria[0][1])


def told(problem: Problem, channels: tuple[Channel, ...]) -> Problem:
    """The game without these channels: their listeners observe what the senders observe."""
    encoders = {d.name: d for d in problem.game.decisions}
    seen = {Ear(problem, c).site: (Ear(problem, c), encoders[c.encoder].observations) for c in channels}
    names = {base(c) for c in channels}
    sites: list[Site] = []
    for site in problem.game.sites:
        if isinstance(site, Decision):
            site = replace(site, observations=instead(site, seen))
        if not (isinstance(site, Payment) and site.information is not None and site.information.channel in names):
            sites.append(site)
    constraints = tuple(c for c in problem.game.constraints if c.name not in names)
    held = {c.multiplier for c in problem.game.constraints} - {c.multiplier for c in constraints}
    sites = [s for s in sites if not (isinstance(s, Payment) and s.constraint in {c.name for c in problem.game.constraints
                                                                                 if c.multiplier in held})]
    game = replace(problem.game, sites=tuple(needed(sites, {c.encoder for c in channels})), measures=(), published=(), plots=(),
                   channels=tuple(c for c in problem.game.channels if base(c) not in names), constraints=constraints)
    return Problem(problem.source, game, problem.parameters)


def instead(d: Decision, seen: dict[str, tuple[Ear, tuple[Observation, ...]]]) -> tuple[Observation, ...]:
    """What a decision observes, with the senders' observations in place of their messages."""
    out: list[Observation] = []
    for o in d.observations:
        added: list[Observation] = []
        for site, (ear, observations) in seen.items():
            marks = {site, *(ear.erasing[1:] if ear.erasing else ())}
            if ear.told(o.expression) & marks:
                added += observations
        out += added or [o]
    return tuple(dict.fromkeys(out))


def needed(sites: list[Site], removable: set[str]) -> list[Site]:
    """The sites without those encoders, draws and values on which nobody's cost and nobody's observation depends any more."""
    kept = list(sites)
    while True:
        used = {r for s in kept for e in mentioned(s) for r in references(e)}
        left = [s for s in kept if s.name in used or isinstance(s, Payment) or not (
            isinstance(s, (Let, Random)) or s.name in removable)]
        if len(left) == len(kept):
            return left
        kept = left
