"""The main job: engines chosen by structure, run one after the other until a profile stands up to its regret."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.naming import written
from ..lower.problem import Problem
from ..lower.strategy import real_inputs
from ..source import Diagnostic, GameError
from ..verify.judge import Judgement, costlier, judge
from ..verify.ledger import is_babbling
from ..verify.refinements import described
from ..verify.scoring import choose_ground
from .affine_engine import AffineEngine
from .backward_engine import BackwardEngine
from .dynamic_engine import DynamicEngine
from .engine import Engine, Found
from .jumps import relaxed_costs, ways
from .lattice_engine import LatticeEngine
from .member_engine import MemberEngine
from .message_engine import MessageEngine
from .network_engine import NetworkEngine, misfit
from .obedience_engine import ObedienceEngine
from .objective import objective_of
from .settings import Progress, Reporter, Settings, Store, Trained
from .signalling_engine import SignallingEngine
from .silence_engine import SilenceEngine
from .softened_engine import SoftenedEngine
from .stackelberg_engine import StackelbergEngine
from .stage_engine import StageAffineEngine, StageEngine
from .stage_moments_engine import StageMomentsEngine
from .sweep_engine import SweepEngine, exact_replies

ENGINES: Mapping[str, Engine] = {e.name: e for e in (
    SignallingEngine(), AffineEngine(), BackwardEngine(), SweepEngine(), LatticeEngine(), SilenceEngine(), MessageEngine(), MemberEngine(),
    NetworkEngine(), ObedienceEngine(), StackelbergEngine(), SoftenedEngine(), DynamicEngine(), StageMomentsEngine(), StageAffineEngine(),
    StageEngine())}

ACCEPTED = 1e-6  # regret, over the stakes, at which no further engine is asked
GOOD = 1e-3


@dataclass(frozen=True)
class Candidate:
    engine: str
    found: Found
    judged: Judgement
    relaxed: Mapping[str, float] = field(default_factory=dict)


def plan(problem: Problem, settings: Settings) -> tuple[list[str], list[str]]:
    """The engines to try, in order, and why the others are not tried.

    Raises GameError (L006) if none can take the game, or the one asked for cannot.
    """
    refused = {name: e.refuses(problem) if suits(problem, e) else unsuited(problem, e) for name, e in ENGINES.items()}
    notes = [f"{name}: {why}" for name, why in refused.items() if why is not None and suits(problem, ENGINES[name])]
    if settings.engine != "auto":
        if settings.engine not in ENGINES:
            raise ValueError(f"unknown engine {settings.engine!r}; there are auto, {', '.join(ENGINES)}")
        order = [settings.engine]
    else:
        order = asked_for(problem)
    able = [name for name in order if refused[name] is None]
    if not objective_of(problem, settings).plain:
        heeding = [name for name in able if ENGINES[name].heeds(problem)]
        notes += [f"{name}: it has no gradient steps to which the objective, estimators or routes asked for apply"
                  for name in able if heeding and name not in heeding]
        able = heeding or able
    if not able:
        span = problem.game.decisions[0].span
        why = "; ".join(n for n in notes if n.split(":")[0] in order)
        if problem.game.block is not None and not why:
            why = "somebody announces a policy for stages that are not written out" if problem.leaders else \
                "its stages are too many to be written out, or one policy serves all of them"
        why = why or "none that follows an announcement has policies of the families that the text asks for"
        raise GameError((Diagnostic("L006", f"no engine can train this game: {why}", span,
                                    "see `dcgc show` for what the compiler found"),))
    return able, notes


def suits(problem: Problem, engine: Engine) -> bool:
    """Whether an engine is for this kind of game."""
    return engine.leads == bool(problem.leaders) and engine.repeats == (problem.game.block is not None)


def unsuited(problem: Problem, engine: Engine) -> str:
    if engine.repeats != (problem.game.block is not None):
        return "its stages are not written out" if problem.game.block is not None else "it has no stages, or they are written out"
    return "somebody announces a policy, to which others respond" if problem.leaders else "nobody announces a policy"


def asked_for(problem: Problem) -> list[str]:
    """The engines in order, as far as the text's `policy` lines leave it to the compiler.

    Raises GameError (L005) where a family cannot decide what it is asked for.
    """
    restricted: set[str] = set()
    for d in problem.game.decisions:
        for c in problem.game.policies:
            if c.subject not in (d.name, written(d.name), d.actor.name):
                continue
            reals = real_inputs(d)
            if c.family == "table" and reals:
                raise GameError((misfit(problem, d, f"a table needs inputs with finitely many values, and {reals} of them are real"),))
            if c.family == "piecewise" and reals != 1:
                raise GameError((misfit(problem, d, f"piecewise needs exactly one real input, not {reals}"),))
            if c.family == "best_response" and problem.leader_of[d.name] not in exact_replies(problem, Settings()):
                raise GameError((misfit(problem, d, "it is no last mover with a quadratic cost, so there is no closed form"),))
            free = c.family in ("best_response", "table") or (c.family == "constant" and not d.observations)
            if not free:
                restricted.add(c.family)
    if problem.game.block is not None:
        free_form = [] if restricted else ["dynamic"]
        return ["stages"] if restricted - {"affine"} else [*free_form, "stage_moments", "stage_affine", "stages"]
    if problem.leaders:
        return [] if restricted - {"affine"} else ["stackelberg"] if restricted else ["obedience", "stackelberg", "softened"]
    if not restricted:
        return ["signalling", "affine", "backward", "sweeps", "lattices", "silence", "messages", "members", "networks"]
    return ["affine", "messages", "members", "networks"] if restricted == {"affine"} else ["messages", "networks"]


def train(problem: Problem, settings: Settings, store: Store | None = None, report: Reporter = lambda p: None,
          stop: Callable[[], bool] = lambda: False) -> Trained:
    """A trained profile. Goes on from ``store``'s checkpoint if it has one, saves one after every chunk, ends early when ``stop()``.

    Raises GameError (L006 no engine, R001 not a number) with the game's line.
    """
    order, notes = plan(problem, settings)
    state: dict[str, Any] = (store.load() if store is not None else None) or {
        "index": 0, "engine": None, "found": [], "history": []}
    interrupted = False

    def reported(p: Progress) -> None:
        state["history"] = [*state["history"], [p.engine, p.step, p.cost]]
        report(p)

    candidates = [Candidate(f["engine"], Found(f["profile"], f["starts"]), Judgement(**f["judged"]), f["relaxed"])
                  for f in state["found"]]
    while state["index"] < len(order) and not interrupted:
        engine = ENGINES[order[state["index"]]]
        try:
            if state["engine"] is None:
                state["engine"] = engine.start(problem, settings)
            while not state["engine"]["done"] and not interrupted:
                state["engine"] = engine.advance(problem, settings, state["engine"], reported)
                if store is not None:
                    store.save(state)
                interrupted = stop()
        except FloatingPointError as why:
            raise GameError((not_a_number(problem, str(why)),)) from None
        new = candidates_of(problem, engine, settings, state["engine"])
        candidates.extend(new)
        if interrupted:
            break  # the checkpoint stays where the engine can go on
        state = {**state, "engine": None, "index": state["index"] + 1, "found": [saved(c) for c in candidates]}
        if (engine.concludes(problem) and any(accepted(problem, c) for c in new)) or (
                engine.settles and (any(c.judged.regret <= GOOD for c in new) or any(
                    c.judged.sharp and c.judged.regret <= ACCEPTED for c in candidates))):
            state["index"] = len(order)
        if store is not None:
            store.save(state)
        interrupted = state["index"] < len(order) and stop()
    if not candidates and interrupted and state["index"] < len(order):  # stopped before anything was found: where the next one starts
        engine = ENGINES[order[state["index"]]]
        candidates = candidates_of(problem, engine, settings, engine.start(problem, settings))
    if not candidates:
        raise GameError((not_a_number(problem, "no engine found a solution of the first-order conditions"),))
    ranked = rank(problem, candidates)
    if not math.isfinite(ranked[0].judged.total):
        raise GameError((not_a_number(problem, "the cost of what was found is none"),))
    best = ranked[0]
    distinct = equilibria(ranked)
    return Trained(best.found.profile, ENGINES[best.engine].title, tuple(tuple(h) for h in state["history"]),
                   tuple((n, dict(c.judged.costs)) for n, c in distinct),
                   alarms(best, state["history"], settings), interrupted, tuple(notes),
                   () if problem.is_team else tuple(c.found.profile for _, c in distinct[1:]),
                   tuple(name_of(problem, c) for _, c in distinct), said_of(problem, settings, ENGINES[best.engine]),
                   dict(best.relaxed), ways(problem, ENGINES[best.engine]))


def said_of(problem: Problem, settings: Settings, engine: Engine) -> tuple[str, ...]:
    """In what a training by this engine was another than the game's own, and which wishes it could not have."""
    objective = objective_of(problem, settings)
    if objective.plain or engine.heeds(problem):
        return (*objective.sentences, *objective.idle)
    wishes = [*(f"{'kl' if t.kind == 'divergence' else 'fisher_rank'}_weight" for t in objective.terms),
              *(["estimator"] if objective.sites else []), *(f"`{r.label}`" for r in objective.shut)]
    why = "none of its engines that move by gradients takes this game" if settings.engine == "auto" else "it does not move by gradients"
    return (f"{', '.join(wishes)}: no effect in {engine.title}; {why}", *objective.idle)


def name_of(problem: Problem, c: Candidate) -> str:
    """Babbling is called by its name; of a signalling game it is said whom acts tell apart, and under which errors."""
    if problem.game.block is not None:
        return ""
    if not problem.game.channels:
        return described(problem, c.found.profile)
    world = choose_ground(problem, c.found.profile, thorough=False).worlds()[0]
    return "babbling: no message tells anything" if is_babbling(problem, world) else ""


def accepted(problem: Problem, c: Candidate) -> bool:
    """Whether no further engine need be asked: nobody can gain, and in a team nobody together with others either.

    A team whose information is not nested can be stuck where no member gains alone: it is always searched further, if a grid can be.
    """
    if problem.game.block is not None:  # judged by samples
        return c.judged.regret <= GOOD
    if c.judged.regret > ACCEPTED:
        return False
    searchable = not problem.leaders and ENGINES["sweeps"].refuses(problem) is None
    if problem.is_team and len(problem.game.decisions) > 1 and c.engine == "affine" and not problem.is_nested:
        return not searchable
    return c.judged.sharp or not searchable


def candidates_of(problem: Problem, engine: Engine, settings: Settings, state: dict[str, Any]) -> list[Candidate]:
    """What an engine found, judged on nodes of its own."""
    return [Candidate(engine.name, f, judge(problem, f.profile),
                      relaxed_costs(problem, engine.relaxed_world(problem, settings, state, f.profile)))
            for f in engine.harvest(problem, settings, state)]


def saved(c: Candidate) -> dict[str, Any]:
    return {"engine": c.engine, "profile": c.found.profile, "starts": c.found.starts, "relaxed": dict(c.relaxed),
            "judged": {"costs": dict(c.judged.costs), "total": c.judged.total, "regret": c.judged.regret, "sharp": c.judged.sharp,
                       "error": c.judged.error}}


def rank(problem: Problem, candidates: list[Candidate]) -> list[Candidate]:
    """A team's lowest cost first; in a game the smallest regret first (those below the tolerance count alike, then by total cost, or
    that of whoever announces first)."""
    def key(c: Candidate) -> tuple[float, float]:
        total = c.judged.total if math.isfinite(c.judged.total) else math.inf
        if problem.is_team:
            return (total, 0.0)
        if not math.isfinite(c.judged.regret):
            return (math.inf, total)
        return (max(-4.0, round(math.log10(max(c.judged.regret, 1e-12)) * 2) / 2), total)

    ranked = sorted(candidates, key=key)
    return surest_first(problem, ranked) if problem.is_team else ranked


def surest_first(problem: Problem, ranked: list[Candidate]) -> list[Candidate]:
    """Of a team's profiles whose costs differ by less than their errors, the one whose cost is known best, if it is not surely worse."""
    if not ranked:
        return ranked
    first = ranked[0]
    tied = [c for c in ranked if c.judged.total - c.judged.error <= first.judged.total + first.judged.error]
    surest = min(tied, key=lambda c: c.judged.error)
    if surest is first or surest.judged.error > 0.1 * first.judged.error or costlier(problem, surest.found.profile, first.found.profile):
        return ranked
    return [surest, *(c for c in ranked if c is not surest)]


def equilibria(ranked: list[Candidate]) -> list[tuple[int, Candidate]]:
    """Distinct solutions by their players' costs, the chosen one first, with the number of starts that ended there."""
    rows: list[tuple[int, Candidate]] = []
    for c in ranked:
        if c.judged.regret > GOOD:
            if rows:
                continue
        scale = max((abs(v) for v in c.judged.costs.values()), default=1.0) + 1e-12
        for i, (n, first) in enumerate(rows):
            if all(abs(first.judged.costs[k] - v) < 1e-4 * scale for k, v in c.judged.costs.items()):
                rows[i] = (n + c.found.starts, first)
                break
        else:
            rows.append((c.found.starts, c))
    return rows


def alarms(best: Candidate, history: list[Any], settings: Settings) -> tuple[str, ...]:
    """What a reader should know: an equilibrium that is none, a cost that only its training nodes had."""
    out = []
    if best.judged.regret > GOOD:
        out.append(f"the largest regret is {best.judged.regret:.2g} of what is at stake: this is no equilibrium yet")
    trained = [cost for engine, _, cost in history if engine == best.engine and math.isfinite(cost) and not ENGINES[engine].fresh]
    scale = max((abs(c) for c in best.judged.costs.values()), default=0.0)
    if trained and best.judged.total - trained[-1] > max(5 * settings.tolerance, 1e-6) * scale:
        out.append(f"on its training nodes the cost was {trained[-1]:.6g}, on a denser grid it is {best.judged.total:.6g}: the policies "
                   "had learned their nodes")
    return tuple(out)


def not_a_number(problem: Problem, why: str) -> Diagnostic:
    """The diagnostic of a training that ran into NaN, at the payment that is to blame."""
    from ..verify.judge import first_not_finite

    site = first_not_finite(problem)
    span = site.span if site is not None else problem.game.payments[0].span  # where it happens only for trained policies
    return Diagnostic("R001", f"training met a value that is not a number ({why})", span,
                      "look for a logarithm, a root or a division whose argument can leave its domain, or for an act that pays the "
                      "more the larger it is: `Interval(a, b)` bounds it")
