"""What a training is asked to do beside the game's own costs: terms on messages, estimators at sites, routes that are shut.

None of it is part of the game. Every reported cost is without the terms; an estimator changes the noise of a gradient (a biased one
its mean), a shut route leaves a part of it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..core.naming import of_stage, written
from ..core.site import Channel, Decision, Route
from ..gradients.estimators import ESTIMATORS, Estimator
from ..lower.message_sites import MessageSite, Unsuitable, able_at, misfit_at, sites_of
from ..lower.problem import Person, Problem
from ..lower.strategy import real_inputs
from ..source import Diagnostic, GameError, Span, near_names
from .choices import Choices, read_choices
from .settings import Settings

PRIORS = {"aggregated": "the normal law of the messages' own mean and covariance", "fixed": "a fixed normal law"}


@dataclass(frozen=True)
class Term:
    """``weight``, cost units per nat, of a term on the messages of ``channels``. ``kind``: divergence | rank."""

    kind: str
    weight: float
    channels: tuple[Channel, ...]
    prior: str = "aggregated"

    @property
    def sentence(self) -> str:
        where = ", ".join(c.name for c in self.channels)
        if self.kind == "divergence":
            return f"{self.weight:g} a nat of KL(law of a message || {PRIORS[self.prior]}) on {where}"
        return f"{self.weight:g} a nat that the Fisher information of a message lacks of full effective rank on {where}"


@dataclass(frozen=True)
class Objective:
    """``sites`` and ``estimators`` (by site name): where a gradient is estimated, empty without a choice. ``shut``: the routes that
    stop. ``idle``: wishes that have no effect, in sentences."""

    terms: tuple[Term, ...] = ()
    sites: tuple[MessageSite, ...] = ()
    estimators: Mapping[str, str] = field(default_factory=dict)
    shut: tuple[Route, ...] = ()
    idle: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether every engine does all that is asked for."""
        return not (self.terms or self.sites or self.shut)

    @property
    def key(self) -> tuple[object, ...]:
        """What a compiled program depends on."""
        return () if self.plain else (tuple((t.kind, t.weight, t.prior, tuple(c.name for c in t.channels)) for t in self.terms),
                                      tuple(self.estimators.items()), tuple(r.label for r in self.shut))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was asked for and is done."""
        out = []
        if self.terms:
            out.append(f"Trained with terms that no figure here has: {'; '.join(t.sentence for t in self.terms)}")
        if self.sites:
            chosen = ", ".join(f"{s.label}: {self.estimators[s.name]}" for s in self.sites)
            biased = [s.label for s in self.sites if not ESTIMATORS[self.estimators[s.name]].unbiased]
            out.append(f"Gradients were estimated where values are drawn ({chosen})" + (
                f"; biased at {', '.join(biased)}" if biased else ""))
        out += [f"No gradient went back through {r.subject}{f' to {r.target}' if r.target else ''} (`{r.label}`)" for r in self.shut]
        return tuple(out)

    def chosen(self, site: MessageSite) -> Estimator:
        return ESTIMATORS[self.estimators[site.name]]

    def stopped(self, problem: Problem, d: Decision) -> frozenset[str]:
        """The sites through which no gradient reaches the policy of a decision."""
        person = problem.decider(d)
        return frozenset(name for r in self.shut if meant(problem, r.target, person) for name in sites_on(problem, r.subject))


def objective_of(problem: Problem, settings: Settings) -> Objective:
    """What the settings and the text's `gradient` block ask for. Raises GameError (L007) for an estimator that does not fit."""
    idle: list[str] = []
    terms = tuple(t for t in (divergence(problem, settings, idle), rank(problem, settings, idle)) if t is not None)
    sites, estimators = estimated_sites(problem, read_choices(settings.estimator), idle)
    shut = routes(problem, idle)
    return Objective(terms, sites, estimators, shut, tuple(idle))


# ---------------------------------------------------------------- terms


def gaussian_channels(problem: Problem) -> tuple[tuple[Channel, ...], list[str]]:
    """The channels whose messages are reals through Gaussian noise, and of the others why a term has no hold on them."""
    fitting, why = [], []
    for c in problem.game.channels:
        if c.carrier == "tokens" or c.attention:
            why.append(f"{c.name} has words")
        elif c.sd <= 0:
            why.append(f"{c.name} has no noise")
        elif c.axes:
            why.append(f"{c.name} belongs to a large family")
        else:
            fitting.append(c)
    return tuple(fitting), why


def divergence(problem: Problem, settings: Settings, idle: list[str]) -> Term | None:
    channels, why = gaussian_channels(problem)
    if not settings.kl_weight:
        if settings.kl_prior is not None:
            idle.append("kl_prior has no effect without kl_weight")
        return None
    if why or not channels:
        idle.append(no_hold("kl_weight", channels, why))
    return Term("divergence", settings.kl_weight, channels, settings.kl_prior or "aggregated") if channels else None


def rank(problem: Problem, settings: Settings, idle: list[str]) -> Term | None:
    if not settings.fisher_rank_weight:
        return None
    channels, why = gaussian_channels(problem)
    fitting = []
    for c in channels:
        encoder = problem.dependence.sites[c.encoder]
        assert isinstance(encoder, Decision)
        if real_inputs(encoder) > 1:
            fitting.append(c)
        else:
            why.append(f"the sender of {c.name} sees fewer than two reals")
    if why or not fitting:
        idle.append(no_hold("fisher_rank_weight", fitting, why))
    return Term("rank", settings.fisher_rank_weight, tuple(fitting)) if fitting else None


def no_hold(name: str, channels: tuple[Channel, ...] | list[Channel], why: list[str]) -> str:
    reason = "; ".join(why) or "the game has no channel"
    return f"{name} acts on messages of reals through Gaussian noise{'' if channels else ', and has no effect here'}: {reason}"


# ---------------------------------------------------------------- estimators


def estimated_sites(problem: Problem, choices: Choices, idle: list[str]) -> tuple[tuple[MessageSite, ...], dict[str, str]]:
    """The sites and the estimator of each; where none is chosen, the one that is nearest to an engine's own way."""
    if choices.text() is None:
        return (), {}
    try:
        sites = sites_of(problem, held=True)
    except Unsuitable as why:
        if not choices.single and not problem.loops and not any(c.carrier == "tokens" or c.sd > 0 for c in problem.game.channels):
            idle.append(f"estimator has no effect: {why}")
            return (), {}
        raise GameError((misfit(str(why), first_span(problem), "leave `estimator` out"),)) from None
    known = {s.label: s for s in sites}
    estimators = {}
    for name, estimator in choices.single.items():
        members = [s for s in sites if name in (s.label, of_stage(s.label), written(s.label))]
        if not members:
            near = near_names(name, tuple(known), most=1)
            raise GameError((misfit(f"an estimator is chosen for {name}, where nothing is drawn from a law that a policy has",
                                    span_of(problem, name), f"did you mean {near[0]}?" if near else
                                    f"estimators can be chosen at {', '.join(known)}"),))
        estimators.update({s.name: estimator for s in members})
    for s in sites:
        if s.name not in estimators:
            estimators[s.name] = choices.general if choices.general is not None and s.message else usual(s)
    for s in sites:
        unfit = misfit_at(s, estimators[s.name])
        if unfit is not None:
            raise GameError((misfit(unfit, s.decision.span if s.channel is None else s.channel.place,
                                    f"these fit {s.label}: {', '.join(able_at(s))}"),))
    return sites, estimators


def usual(site: MessageSite) -> str:
    """What stands where nothing is chosen: what has the least noise without being dear."""
    return "pathwise" if site.gaussian else "exact" if site.enumerable else "straight_through"


def misfit(why: str, span: Span, hint: str) -> Diagnostic:
    return Diagnostic("L007", why, span, hint)


def first_span(problem: Problem) -> Span:
    return problem.game.channels[0].place if problem.game.channels else problem.game.decisions[0].span


def span_of(problem: Problem, name: str) -> Span:
    """Where the text speaks of a channel or a site; else the first channel."""
    places = [(c.name, c.place) for c in problem.game.channels] + [(s.name, s.span) for s in problem.game.sites]
    return next((place for known, place in places if name in (known, of_stage(known), written(known))), first_span(problem))


# ---------------------------------------------------------------- routes


def routes(problem: Problem, idle: list[str]) -> tuple[Route, ...]:
    """The routes that stop. What the others ask for is what every engine does."""
    shut = []
    for r in problem.game.routes:
        if r.order == "full":
            idle.append(f"`{r.label}` changes nothing: a cost's gradient goes back through everything, unless a route stops it")
        elif r.order == "first":
            idle.append(f"`{r.label}` changes nothing: policies are held fixed while another moves, so there are no second-order terms")
        elif not sites_on(problem, r.subject):
            idle.append(f"`{r.label}` has no effect: no gradient goes through {r.subject}")
        else:
            shut.append(r)
    if problem.game.gradient_budget is not None:
        idle.append("the gradient budget has no effect: this version keeps every route that is not stopped, whatever it costs")
    return tuple(shut)


def sites_on(problem: Problem, subject: str) -> tuple[str, ...]:
    """The sites at which a route through a channel or value is cut. Words have no derivative of their own: their law is cut."""
    def named(name: str) -> bool:
        return subject in (name, of_stage(name), written(name))

    found = [s.name for s in problem.game.sites if named(s.name)]
    for c in problem.game.channels:
        if not named(c.name):
            continue
        found.append(c.name)
        before = c.name.replace("[", ")[", 1) if "[" in c.name else c.name + ")"
        unerased = [n for n in (f"unerased({c.name})", f"unerased({before}") if n in problem.dependence.sites]
        found += unerased  # listeners see a message behind its erasures
        if c.carrier == "tokens" or c.attention or (c.noise == "erasure" and not unerased):
            found.append(c.encoder)
    return tuple(dict.fromkeys(n for n in found if n in problem.dependence.sites))


def meant(problem: Problem, target: str | None, person: Person) -> bool:
    """Whether a route's target is this player, its family or a team that it is in."""
    if target is None or target in (person.name, person.label):
        return True
    return person in problem.teams.get(target, frozenset())
