"""The Python door: load a game, train it, ask the result.

The command line does nothing that cannot be done from here. Loading and checking need no JAX; it is set up (double
precision, compiled programs kept in the user's cache folder) when something is first computed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core import Game as Core
from .core import elaborate
from .semantics import CheckedGame, Variant, check
from .source import Diagnostic, Ledger, Source, near_names
from .syntax import tree
from .texts import decode, find_game, folder_of, read_source

if TYPE_CHECKING:
    import numpy as np

    from .exact.solution import Exact
    from .finite.from_game import Shadow
    from .learning.settings import Progress, Settings, Trained
    from .lower.problem import Problem
    from .runs.folder import Run
    from .studies.audit import ChannelAudit
    from .studies.compare import Compared
    from .studies.quantise import Quantised
    from .studies.tap_study import TapStudy
    from .verify.figures import Figure, Scorecard

Report = Callable[["Progress"], None]


# ---------------------------------------------------------------- games


@dataclass(frozen=True)
class Game:
    """A checked game. ``values``: the params that were replaced. ``warnings``: what the checker found odd. ``form``: how stages are
    lowered (the setting ``stages``)."""

    checked: CheckedGame
    values: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()
    form: str = "auto"

    @property
    def name(self) -> str:
        return self.checked.name

    @property
    def title(self) -> str:
        return self.checked.title or self.checked.name

    @property
    def source(self) -> Source:
        return self.checked.source

    @cached_property
    def core(self) -> Core:
        """The game graph. Raises GameError (codes L) for what has no computation yet."""
        ledger = Ledger()
        core = elaborate(self.checked, ledger, self.form)
        ledger.raise_errors()
        assert core is not None
        return core

    @cached_property
    def problem(self) -> Problem:
        """The game made ready to compute; needs JAX."""
        core = self.core
        set_up_jax_once()
        from .lower.problem import prepare

        return prepare(core)

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        """``cost(P)`` or ``payoff(P)`` of everybody who pays, in the game's own word and order."""
        kinds: dict[str, str] = {}
        for payment in payments(self.checked.statements):
            payer = payment.payer.base if isinstance(payment.payer, tree.Index) else payment.payer
            if isinstance(payer, tree.Name):
                kinds.setdefault(payer.name, payment.kind)
        for team in self.checked.teams.values():
            if team.pooled:
                kinds.setdefault(team.name, next((kinds[name] for name, _ in team.members if name in kinds), "cost"))
        found = []
        for name, kind in kinds.items():
            player = self.checked.players.get(name)
            size = player.size if player is not None else None
            found += [f"{kind}({name})"] if size is None else [f"{kind}({name}[{i + 1}])" for i in range(size)]
        return tuple(found)

    @cached_property
    def baseline(self) -> float | None:
        """What the best affine profile costs a team in which acts speak, where that is cheap to know; needs JAX."""
        problem = self.problem
        from .exact import baseline

        return baseline(problem)

    def __repr__(self) -> str:
        return f"<dcgc.Game {self.name}: {self.title}>"


def payments(statements: tuple[tree.Statement, ...]) -> Iterator[tree.Payment]:
    """All payments, those inside of blocks too."""
    for statement in statements:
        if isinstance(statement, tree.Payment):
            yield statement
        elif isinstance(statement, (tree.For, tree.When, tree.Stage)):
            yield from payments(statement.body)


def load(game: str | os.PathLike[str], set: Mapping[str, object] | None = None, name: str = "<text>", *,
         commit: Sequence[str] = (), team: Mapping[str, str] | None = None) -> Game:
    """The game in a file, of a shipped game's name ("kyle"), or in a text (anything with a line end in it).

    ``set`` replaces values of params: numbers, nested lists or arrays. ``name`` is how a text is called in diagnostics; it may use
    files of the working folder. ``commit`` names players who announce their policies first, ``team`` (members by the team's name:
    {"All": "A,B"}) players who minimise the sum of what any of them is charged: a variant of the game. Raises GameError with all
    diagnostics if there is an error in it, and texts.NoText, in one line, if there is no such file or it cannot be read.
    """
    if isinstance(game, str) and "\n" in game:
        source = decode(name, game.encode("utf-8", errors="replace"))
    else:
        source = read_source(find_game(os.fspath(game)))
    ledger = Ledger()
    values = dict(set or {})
    checked = check(source, ledger, values, Path(folder_of(source)), Variant(tuple(commit), tuple((team or {}).items())))
    ledger.raise_errors()
    assert checked is not None
    return Game(checked, values, ledger.sorted())


def shadow(game: Game, grid: int = 5, ranges: Mapping[str, tuple[float, float]] | None = None) -> Shadow:
    """The game as a finite tree, with what was done to make it one: ``dcgc.finite.write_efg(shadow(game).game)`` is a file for Gambit.

    ``grid``: points of a continuous draw and acts of a real decision; ``ranges``: least and greatest act by decision ("": of all). Raises
    GameError (F004, F005) for what has no finite tree, or too large a one.
    """
    set_up_jax_once()
    from .finite.from_game import finite_game

    return finite_game(game.checked, grid, ranges)


# ---------------------------------------------------------------- results


class Policies(Mapping[str, Callable[..., "np.ndarray"]]):
    """Policies as functions, by the name of a decision, or of a player who decides once.

    ``policies["C1"](x0)`` takes the observations in the game's order, as arrays that broadcast against each other, and returns the
    decision at each (of a Choice, and of a mixed Bool, the probabilities). Raises KeyError with near names.
    """

    def __init__(self, problem: Problem, profile: Mapping[str, Any]):
        self._problem, self._profile = problem, profile
        names: dict[str, str] = {d.name: d.name for d in problem.game.decisions}
        deciders: dict[str, list[str]] = {}
        for d in problem.game.decisions:
            deciders.setdefault(problem.decider(d).label, []).append(d.name)
        names.update({player: own[0] for player, own in deciders.items() if len(own) == 1 and player not in names})
        self._several = {player: own for player, own in deciders.items() if len(own) > 1}
        self._names = names

    def __getitem__(self, name: str) -> Callable[..., np.ndarray]:
        from .verify import policy_function

        if name not in self._names:
            raise KeyError(self._missing(name))
        return policy_function(self._problem, self._profile, self._names[name])

    def _missing(self, name: str) -> str:
        if name in self._several:
            return f"{name} decides more than once: ask for {', '.join(self._several[name])}"
        near = near_names(name, tuple(self._names))
        return f"no policy {name!r}; " + (f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(self._names)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True)
class Result:
    """A trained profile and what is said of it.

    ``scorecard``: all figures, regrets, comparisons with published values, curves and alarms, computed on the original
    game apart from what trained it. ``trained``: the profile, the engine that found it, the history, the distinct solutions.
    ``folder``: where the run lies, if it was written. ``notes``: what the run itself has to say.
    """

    game: Game
    settings: Settings
    trained: Trained
    scorecard: Scorecard
    folder: str | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def policies(self) -> Policies:
        return Policies(self.game.problem, self.trained.profile)

    @property
    def alarms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.trained.alarms, *self.scorecard.alarms)))

    @property
    def interrupted(self) -> bool:
        return self.trained.interrupted

    def value(self, label: str) -> Figure:
        """``cost(P)`` or ``payoff(P)`` of a player, member ``Firm[1]`` or team, or a measure, with its error and method.

        In the game's units; usable as a float. Raises KeyError with near names.
        """
        from .verify.figures import Figure

        figures = self.scorecard.figures
        wanted = "".join(label.split())
        by_label = {"".join(known.split()): known for known in figures}
        if wanted in by_label:
            return figures[by_label[wanted]]
        other = wanted.replace("payoff(", "cost(", 1) if wanted.startswith("payoff(") else wanted.replace("cost(", "payoff(", 1)
        if other != wanted and other in by_label:
            figure = figures[by_label[other]]
            return Figure(wanted, -figure.value, figure.error, figure.method)
        near = near_names(label, tuple(figures))
        raise KeyError(f"no figure {label!r}; " + (f"did you mean {' or '.join(near)}?" if near else
                                                   f"there are {', '.join(figures)}"))

    @property
    def merit(self) -> float:
        """What makes one result better than another of the same game, less is better: a team's cost, else the largest regret."""
        problem = self.game.problem
        if problem.is_team and problem.game.decisions:
            decider = problem.decider(problem.game.decisions[0])
            return float(self.value(f"cost({problem.pooled.get(decider, decider.label)})"))
        return max((r.ex_ante for r in self.scorecard.regrets), default=float("inf"))

    def tables(self) -> str:
        """The scorecard as plain text."""
        from .report.tables import plain, tables

        return "\n".join(plain(table) for table in tables(self.scorecard, self.shown))

    @property
    def baseline(self) -> tuple[float, float] | None:
        """What the best affine profile costs a team in which acts speak, and by what part of that this result is below; None where
        it is not cheap to know."""
        cost = self.game.baseline
        return None if cost is None or self.trained.theory or not cost else (cost, (cost - self.merit) / abs(cost))

    @property
    def shown(self) -> tuple[str, ...]:
        """The figures that a table shows: the game's own accounts and measures."""
        accounts = set(self.game.accounts)
        return tuple(label for label in self.scorecard.figures
                     if label in accounts or not label.startswith(("cost(", "payoff(")))

    def save(self, folder: str | os.PathLike[str]) -> str:
        """Write this result as a run folder (which must not be there, or be empty); ``open_run`` reads it. Returns its path.

        Raises runs.folder.RunProblem.
        """
        from .runs import environment
        from .runs.folder import create

        config = configuration(self.game, self.settings)
        run = create(os.fspath(folder), "", self.game.checked.sources, config, environment.versions())
        with run.writing():
            write_result(run, self)
        return run.folder

    def __repr__(self) -> str:
        return f"<dcgc.Result of {self.game.name}, {self.trained.engine}>\n{self.tables()}"


@dataclass(frozen=True)
class Solved:
    """``result``: like that of a training; ``exact``: the method, the theorem, its assumptions, and costs without an error."""

    result: Result
    exact: Exact


# ---------------------------------------------------------------- training


def train(game: Game | str | os.PathLike[str], seed: int | None = None, *, folder: str | os.PathLike[str] | None = None,
          keep: bool = False, resume: bool = False, thorough: bool = False, report: Report | None = None,
          stop: Callable[[], bool] | None = None, **settings: Any) -> Result:
    """Train every player's policy and score the profile.

    ``seed`` (default: the game's, else 0) and ``settings`` (the keys of a ``train`` block) go before the game's own.
    Nothing is written unless ``folder`` names a run folder, or ``keep`` asks for the next free one in ``runs/``; ``resume`` goes on
    with that run (without ``folder``: the last one of this game and seed) from its last checkpoint, to the very same result.
    ``report`` is called with every Progress; training ends early, and is scored, once ``stop()`` is true. ``thorough`` scores with
    more points.

    Raises GameError (errors, what has no computation yet, numbers that are not finite), configuration.BadSetting for a setting that
    does not exist or a value it cannot have, and runs.folder.RunProblem for a folder that does not fit.
    """
    from .runs.configuration import resolve

    if not isinstance(game, Game):
        game = load(game)
    given = {**settings, **({} if seed is None else {"seed": seed})}
    resolved, unread = resolve(game.core.settings, given)
    game = game if game.form == resolved.stages else replace(game, form=resolved.stages)
    notes = tuple(f"no engine of this version reads the setting {key!r}" for key in unread)
    if game.checked.variant and game.core.published:
        notes += (f"what is published is of the game as it is written, not of its variant {' '.join(game.checked.variant.flags)}",)
    notes += tuple(f"the hard budget of {bits:g} bits over {', '.join(names)} is shared out evenly among them, which need not be the best "
                   "division: give each channel a budget of its own to try another" for names, bits in game.core.divided)
    set_up_jax(resolved.precision)
    check_engine(resolved.engine)
    game, resolved = in_its_form(game, resolved)
    check_objective(game, resolved)
    if folder is None and not keep and not resume:
        return compute(game, resolved, None, thorough, report, stop, notes)
    run, fresh = place(game, resolved, None if folder is None else os.fspath(folder), resume)
    if resume and fresh:
        notes += ("there was no run to go on with: this is a new one",)
    with run.writing():
        if run.finished:
            return read_result(run, game, resolved, notes)
        return compute(game, resolved, run, thorough, report, stop, notes)


def solve(game: Game | str | os.PathLike[str], *, folder: str | os.PathLike[str] | None = None, keep: bool = False,
          thorough: bool = False) -> Solved:
    """The exact solution of a game where theory gives one (of a team without nested information: the best affine profile, as a
    baseline), apart from training, with a scorecard like a training's.

    Raises exact.NoTheory, with a sentence that says why there is none, GameError, and runs.folder.RunProblem."""
    from .runs.configuration import resolve

    if not isinstance(game, Game):
        game = load(game)
    problem = game.problem
    from .exact import solve as exactly
    from .learning.settings import Trained
    from .verify import score

    settings, _ = resolve(game.core.settings, {})
    game = game if game.form == settings.stages else replace(game, form=settings.stages)
    problem = game.problem
    found = exactly(problem)
    trained = Trained(found.profile, found.method, equilibria=tuple((1, dict(c)) for c in (found.costs, *(c for _, c in found.others))),
                      alternatives=tuple(p for p, _ in found.others), theory=found.lines)
    run = place(game, settings, None if folder is None else os.fspath(folder), False)[0] if folder is not None or keep else None
    card = score(problem, trained.profile, thorough, trained.alternatives)
    result = Result(game, settings, trained, card, None if run is None else run.folder)
    if run is not None:
        with run.writing():
            write_result(run, result)
    return Solved(result, found)


def compute(game: Game, settings: Settings, run: Run | None, thorough: bool, report: Report | None,
            stop: Callable[[], bool] | None, notes: tuple[str, ...]) -> Result:
    """Train, score, and write both if there is a run folder."""
    from .learning import Progress
    from .learning import train as learn
    from .verify import score

    problem = game.problem
    with ExitStack() as stack:
        store = None
        if run is not None:
            from .runs.checkpoint import Metrics, RunStore
            from .runs.folder import METRICS

            metrics = Metrics(run.path(METRICS))
            stack.callback(metrics.close)
            store = RunStore(run, metrics)

        def reported(progress: Progress) -> None:
            if store is not None:
                store.metrics.write(progress)
            if report is not None:
                report(progress)

        def stopping() -> bool:
            asked = stop is not None and stop()
            if asked and store is not None:
                store.stop()
            return asked

        trained = learn(problem, settings, store, reported, stopping)
    if report is not None:
        report(Progress("scoring", "every figure and regret, on the original game", 0, 1, float("nan")))
    card = with_gaps(game, score(problem, trained.profile, thorough, trained.alternatives), trained)
    result = Result(game, settings, trained, card, None if run is None else run.folder, notes)
    if run is not None:
        write_result(run, result)
    return result


def evaluate(result: Result | str | os.PathLike[str], thorough: bool = False) -> Scorecard:
    """Score the policies of a result, or of a run folder, once more on the original game.

    Raises what ``open_run`` raises.
    """
    from .verify import score

    if not isinstance(result, Result):
        result = open_run(result)
    set_up_jax(result.settings.precision)
    return with_gaps(result.game, score(result.game.problem, result.trained.profile, thorough), result.trained)


def with_gaps(game: Game, card: Scorecard, trained: Trained) -> Scorecard:
    """A scorecard with what relaxing jumps in training made of the figures."""
    from .learning.jumps import gaps

    return replace(card, gaps=gaps(game.accounts, card, trained.relaxed))


def tap(result: Result | str | os.PathLike[str], samples: int = 4096, seed: int = 0) -> TapStudy:
    """The gradients of all costs by the messages of a result, or of a run folder, and what they are worth.

    Raises what ``open_run`` raises.
    """
    from .studies.tap_study import tap_study

    if not isinstance(result, Result):
        result = open_run(result)
    set_up_jax(result.settings.precision)
    return tap_study(result.game.problem, result.trained.profile, samples, seed)


def compare(game: Game | str | os.PathLike[str], estimators: Sequence[str] = (),
            report: Callable[[str, int, int, float], None] = lambda name, step, total, cost: None, **rules: Any) -> Compared:
    """The same policies trained with several estimators at the message sites. ``rules``: the fields of ``studies.contest.Rules``.

    Raises GameError, and lower.message_sites.Unsuitable for a game or an estimator that cannot be compared."""
    if not isinstance(game, Game):
        game = load(game)
    problem = game.problem
    from .studies.compare import Rules
    from .studies.compare import compare as contest

    return contest(problem, estimators, Rules(**rules), report)


# ---------------------------------------------------------------- protocols


@dataclass(frozen=True)
class Quantisation:
    """``before``: the result whose channel was quantised; ``after``: the result with words; ``code``: how it was done, and the bytes."""

    before: Result
    after: Result
    code: Quantised


def quantise(result: Result | str | os.PathLike[str], bits: float, *, channel: str | None = None, method: str = "vector",
             samples: int | None = None, folder: str | os.PathLike[str] | None = None, keep: bool = False) -> Quantisation:
    """A channel's reals as at most floor(2^bits) words, with listeners used to them; a result (and, with ``folder`` or ``keep``, a run
    folder) like that of a training.

    Raises studies.study.StudyProblem for what cannot be quantised, and what ``open_run`` and ``Result.save`` raise.
    """
    if not isinstance(result, Result):
        result = open_run(result)
    set_up_jax(result.settings.precision)
    from .learning.settings import Trained
    from .runs import environment
    from .runs.code import write_code
    from .runs.folder import create
    from .studies.quantise import SAMPLES
    from .studies.quantise import quantise as study
    from .verify import score

    origin = result.folder or result.game.name
    made = study(result.game.checked, result.game.values, result.game.problem, result.trained.profile, origin, bits, method, channel,
                 SAMPLES if samples is None else samples, result.settings.seed)
    game = Game(made.checked, result.game.values, made.warnings)
    trained = Trained(made.profile, f"{made.words} words on {made.channel} ({made.method}) after {result.trained.engine}; listeners: "
                      f"{made.listeners}", interrupted=False, notes=(f"quantised from {origin}",))
    after = Result(game, result.settings, trained, score(game.problem, made.profile))
    if folder is not None or keep:
        stem = f"{os.path.basename(os.path.normpath(origin))}-{made.channel}-{bits:g}bits"
        run = create(None if folder is None else os.fspath(folder), stem, made.checked.sources, configuration(game, result.settings),
                     environment.versions())
        after = replace(after, folder=run.folder)
        with run.writing():
            write_code(run, made, origin)
            write_result(run, after)
    return Quantisation(result, after, made)


def audit(result: Result | str | os.PathLike[str], channel: str | None = None, *, samples: int | None = None,
          oracle: bool = False) -> tuple[ChannelAudit, ...]:
    """What the messages of a result mean and are worth: of one channel, or of all (of twins, the first).

    ``oracle``: train the game in which listeners are told what the sender knows, too; in a run folder that is done once. Raises
    studies.study.StudyProblem for a channel that does not exist, and what ``open_run`` raises.
    """
    if not isinstance(result, Result):
        result = open_run(result)
    set_up_jax(result.settings.precision)
    from .runs.oracles import known_oracles
    from .studies.audit import SAMPLES
    from .studies.audit import audit as study

    return study(result.game.problem, result.trained.profile, channel, SAMPLES if samples is None else samples, result.settings.seed,
                 known_oracles(result.folder, result.game.problem, result.settings, oracle))


def explain(game: Game) -> list[str]:
    """What the compiler found out about a game, in sentences; needs JAX. Raises GameError for what has no computation yet."""
    problem = game.problem
    from .verify import explain as sentences

    return sentences(problem)


def engines(game: Game) -> list[str]:
    """Which engines would train a game, in order, and why the others would not, in sentences. Raises GameError if none can."""
    problem = game.problem
    from .learning import ENGINES, plan
    from .learning.jumps import ways
    from .runs.configuration import resolve

    settings, _ = resolve(game.core.settings, {})
    order, refused = plan(problem, settings)
    return [f"trained by {', then '.join(ENGINES[name].title for name in order)}", *(f"not by {why}" for why in refused),
            *(way for name in order[:1] for way in ways(problem, ENGINES[name]))]


def check_engine(name: str) -> None:
    from .learning import ENGINES
    from .runs.configuration import BadSetting

    if name != "auto" and name not in ENGINES:
        raise BadSetting(f"there is no engine {name!r}; there are auto, {', '.join(ENGINES)}")


def check_objective(game: Game, settings: Settings) -> None:
    """Refuse an estimator that does not fit before anything is written. Raises GameError (L007)."""
    if settings.estimator is not None:
        from .learning.objective import objective_of

        objective_of(game.problem, settings)


def set_up_jax(precision: str) -> None:
    from .runs.environment import set_up_jax as set_up

    set_up(precision)


def set_up_jax_once() -> None:
    """Double precision, unless a training has set something up already."""
    import jax.numpy as jnp

    if jnp.result_type(float) != jnp.float64:
        set_up_jax("float64")


# ---------------------------------------------------------------- run folders


def configuration(game: Game, settings: Settings) -> dict[str, Any]:
    """What ``config.json`` holds: all that decides the result, beside the game's text and the versions."""
    from dataclasses import asdict

    values = {name: getattr(value, "tolist", lambda value=value: value)() for name, value in game.values.items()}
    variant = game.checked.variant
    return {"game": game.source.name, "set": values, "commit": list(variant.commits), "team": dict(variant.teams),
            "settings": asdict(settings)}


def place(game: Game, settings: Settings, folder: str | None, resume: bool) -> tuple[Run, bool]:
    """The run to write, and whether it is new. Raises RunProblem."""
    from .runs import environment
    from .runs.folder import create, numbered, open_run

    stem = f"{Path(game.source.name).stem if game.source.name.endswith('.dcg') else game.name}-{settings.seed}"
    wanted = configuration(game, settings)
    if resume:
        candidates = [folder] if folder is not None else [path for _, path in reversed(numbered(stem))]
        for path in candidates:
            if os.path.isdir(path) and os.listdir(path):
                run = open_run(path)
                differs = differences(run, game, wanted)
                if not differs:
                    return run, False
                if folder is not None:
                    from .runs.folder import RunProblem

                    raise RunProblem(f"{path}: was made with {differs[0]}; --resume wants what it was made with")
    return create(folder, stem, game.checked.sources, wanted, environment.versions()), True


def differences(run: Run, game: Game, wanted: Mapping[str, Any]) -> list[str]:
    """In what a run is another than the one that is wanted, in words."""
    from .runs.files import strict

    try:
        with open(run.text_path, "rb") as file:
            same = file.read() == game.source.text.encode()
    except OSError:
        same = False
    found = [] if same else ["another text of the game"]
    theirs, ours = run.config.get("settings", {}), strict(wanted["settings"])
    found += [f"{key} {theirs.get(key)}, not {ours[key]}" for key in ours if theirs.get(key) != ours[key]]
    if run.config.get("set") != strict(wanted["set"]):
        found.append(f"--set {run.config.get('set')}")
    theirs = variant_of(run)
    if theirs != game.checked.variant:
        found.append(" ".join(theirs.flags) or "neither --commit nor --team")
    return found


def variant_of(run: Run) -> Variant:
    """The variant that a run was made of."""
    return Variant(tuple(run.config.get("commit", ())), tuple(run.config.get("team", {}).items()))


def write_result(run: Run, result: Result) -> None:
    """Policies, figures, and, last, ``result.json``: once it is there the run is complete."""
    from .report.figures import draw
    from .runs import serialise
    from .runs.files import write_json
    from .runs.folder import FIGURES, POLICIES, RESULT, RunProblem
    from .runs.scorecards import to_data

    trained = result.trained
    try:
        serialise.save(run.path(POLICIES), trained.profile)
        draw(result.scorecard.curves, result.game.title, trained.history, run.path(FIGURES))
        write_json(run.path(RESULT), {
            "game": result.game.name,
            "seed": result.settings.seed,
            "engine": trained.engine,
            "interrupted": trained.interrupted,
            **to_data(result.scorecard),
            "training": {
                "alarms": list(trained.alarms), "notes": list(trained.notes),
                "equilibria": [[count, dict(costs)] for count, costs in trained.equilibria], "names": list(trained.names),
                "history": [list(entry) for entry in trained.history], "objective": list(trained.objective),
                "relaxed": dict(trained.relaxed), "ways": list(trained.ways), "theory": list(trained.theory),
            },
        })
    except OSError as problem:
        raise RunProblem(f"{run.folder}: cannot be written: {problem.strerror or problem}") from None


def open_run(folder: str | os.PathLike[str]) -> Result:
    """The result of a run folder, as it was written.

    Raises runs.folder.RunProblem if there is none, it is damaged, or its training has not ended yet, and GameError if this version
    of dcgc does not accept its game.
    """
    from .runs import folder as folders
    from .runs.configuration import resolve

    run = folders.open_run(os.fspath(folder))
    if not os.path.exists(run.text_path):
        raise folders.RunProblem(f"{run.folder}: the game's text is missing")
    variant = variant_of(run)
    game = load(Path(run.text_path), set=run.config.get("set"), commit=variant.commits, team=dict(variant.teams))
    settings, _ = resolve((), run.config.get("settings", {}))
    game = game if game.form == settings.stages else replace(game, form=settings.stages)
    set_up_jax(settings.precision)
    return read_result(run, game, settings, ())


def as_trained(game: Game) -> Game:
    """The game in the form in which it is trained without flags."""
    from .runs.configuration import resolve

    set_up_jax_once()
    return in_its_form(game, resolve(game.core.settings, {})[0])[0]


def in_its_form(game: Game, settings: Settings) -> tuple[Game, Settings]:
    """The game with its stages in the form in which they are trained, where that is left to the compiler."""
    if settings.stages != "auto" or game.core.block is not None or dict(game.core.settings).get("stages") is not None or not any(
            isinstance(s, tree.Stage) for s in game.checked.statements):
        return game, settings
    ledger = Ledger()
    core = elaborate(game.checked, ledger, "scanned")
    if core is None or core.block is None or core.committed:
        return game, settings
    from .learning.stage_form import better_once
    from .lower.problem import prepare

    if not better_once(game.problem, prepare(core), settings):
        return game, settings
    return replace(game, form="scanned"), replace(settings, stages="scanned")


def read_result(run: Run, game: Game, settings: Settings, notes: tuple[str, ...]) -> Result:
    """The result that ``write_result`` wrote. Raises RunProblem."""
    from .learning.settings import Trained
    from .runs import serialise
    from .runs.folder import POLICIES, RunProblem
    from .runs.scorecards import from_data

    data = run.result()
    if data is None:
        raise RunProblem(f"{run.folder}: this run has not ended; dcgc train --resume goes on with it")
    try:
        profile = serialise.load(run.path(POLICIES))
        training = data["training"]
        trained = Trained(
            profile, data["engine"], tuple((engine, step, float(cost)) for engine, step, cost in training["history"]),
            tuple((count, {player: float(cost) for player, cost in costs.items()}) for count, costs in training["equilibria"]),
            tuple(training["alarms"]), bool(data["interrupted"]), tuple(training["notes"]),
            names=tuple(training.get("names", ())), objective=tuple(training.get("objective", ())),
            relaxed={player: float(cost) for player, cost in training.get("relaxed", {}).items()}, ways=tuple(training.get("ways", ())),
            theory=tuple(training.get("theory", ())))
        return Result(game, settings, trained, from_data(data, game.source), run.folder, notes)
    except (OSError, serialise.BadFile) as problem:
        raise RunProblem(str(problem)) from None
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise RunProblem(f"{run.folder}: result.json is not what this version writes ({problem!r})") from None
