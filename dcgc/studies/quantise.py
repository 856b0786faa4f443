"""From a run whose channel carries reals to one whose channel carries words: ``dcgc quantise``.

The encoder stays what it is, followed by the nearest of K codes; listeners read the code of the word they hear, and then learn what
the word is worth. The game's text says ``carries Tokens(1, K)``, so that the result is a run like any other. A channel of tokens can
be quantised to fewer words: those go together which cost the listeners least when they are taken for each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ..core import elaborate
from ..core.expression import Expression, Reference, Stack, references
from ..core.site import Channel, Decision, Observation
from ..learning.explicit import explicit
from ..lower.enumerated import enumerated_reply
from ..lower.problem import Problem, prepare
from ..lower.strategy import Multiplier, Strategy, finite_sizes, real_inputs
from ..policies import head
from ..policies.codebook import Carried, Listener, Merged, Part, Speaker
from ..protocols import ScalarQuantiser, VectorQuantiser, coding
from ..protocols.quantiser import Quantiser
from ..semantics import CheckedGame, check
from ..semantics.carriers import words_within
from ..source import Diagnostic, Ledger, Source
from ..texts import folder_of
from .mistake import StudyProblem
from .retune import retuned
from .study import Ear, Stage, base, channels_named
from .text import with_words

METHODS: Mapping[str, type[Quantiser]] = {"vector": VectorQuantiser, "scalar": ScalarQuantiser}
MOST_WORDS = 4096  # words that the compiler numbers
MOST_MERGED = 512
SAMPLES = 20_000
RELEVANT = 2048
FAR = 1e3
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Book:
    """One code: that of an encoder and its twins. ``codes`` (K, D) in the message's units and ``metric`` (D,), or for tokens
    ``merged``: the new word of each old one, and ``kept``: the old word that each new one is heard as. ``relevance``: what the metric
    was taken from."""

    codes: Array
    metric: Array
    relevance: str
    merged: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        return len(self.kept) or len(self.codes)


@dataclass(frozen=True)
class Coded:
    """The words of one channel in so many plays, as bytes. ``frequencies``: how often each word was said, which is the model they are
    coded by; ``entropy`` in bits a word; ``model``: bytes of the model itself."""

    channel: str
    messages: int
    frequencies: tuple[int, ...]
    entropy: float
    data: bytes
    model: int

    @property
    def least(self) -> float:
        """The bytes that the entropy alone makes necessary."""
        return self.messages * self.entropy / 8


@dataclass(frozen=True)
class Quantised:
    """``checked``, ``problem``, ``profile``: the game with words and its policies. ``words``: K; ``method`` and ``listeners``: how the
    code was made, and how the listeners' policies were found, in words. ``coded``: the messages of each channel."""

    checked: CheckedGame
    warnings: tuple[Diagnostic, ...]
    problem: Problem
    profile: dict[str, Any]
    channel: str
    bits: float
    words: int
    method: str
    listeners: str
    books: Mapping[str, Book]
    coded: tuple[Coded, ...]


def quantise(checked: CheckedGame, values: Mapping[str, object], problem: Problem, profile: Mapping[str, Any], label: str, bits: float,
             method: str = "vector", channel: str | None = None, samples: int = SAMPLES, seed: int = 0) -> Quantised:
    """The profile with a code of at most floor(2^bits) words on a channel, its listeners used to it.

    ``values``: the params that were replaced in the game; ``label``: the run's name, for the comment in the text. ``samples``: the
    plays that the code is fitted to, and, others, that are coded. Raises StudyProblem, and GameError if the text with words cannot
    be lowered.
    """
    if method not in METHODS:
        raise StudyProblem(f"there is no method {method!r}; there are {', '.join(METHODS)}")
    if samples < 16:
        raise StudyProblem("a code needs 16 samples at least")
    channels = channels_named(problem, channel)
    name = base(channels[0])
    if channels[0].name != name:  # a family has one declaration
        channels = channels_named(problem, name)
    plain = explicit(problem, profile)
    stage = Stage(problem, plain, samples, seed)
    books = fitted(problem, stage, channels, allowed(problem, channels[0], bits), method)
    count = max(b.count for b in books.values())
    single = next(iter(books.values()))
    numbers = tuple(float(c) for c in single.codes[:, 0]) if len(books) == 1 and single.codes.shape[1] == 1 else None
    note = f"{name}: {count} words ({bits:g} bits, {'merged' if single.kept else method}), quantised by dcgc from {printable(label)}"
    text = with_words(checked, name, count, note, numbers)
    new_checked, warnings = read(checked, text, values)
    ledger = Ledger()
    core = elaborate(new_checked, ledger)
    ledger.raise_errors()
    assert core is not None
    new = prepare(core)
    started = converted(problem, new, plain, channels, books, count)
    speakers = [d.name for d in new.game.decisions if d.channel == name and started[new.leader_of[d.name]].hard]
    ears = [Ear(new, c) for c in new.game.channels if base(c) == name]
    groups = list(dict.fromkeys(new.leader_of[d.name] for ear in ears for d in ear.listeners if d.channel != name))
    final, how = retuned(new, started, groups, speakers, seed + 101)
    coded = tuple(written(new, started, ear, samples, seed + 1) for ear in ears)  # what is said does not depend on who hears it
    return Quantised(new_checked, warnings, new, final, name, bits, count, "merged words" if single.kept else
                     f"{method} quantiser{single.relevance}", how, books, coded)


def printable(label: str) -> str:
    return " ".join("".join(c if c.isprintable() else "?" for c in label).split())


def read(checked: CheckedGame, text: str, values: Mapping[str, object]) -> tuple[CheckedGame, tuple[Diagnostic, ...]]:
    """The new text, checked where the old one lay. Raises StudyProblem: an error here is in how the text was rewritten."""
    source, ledger = Source(checked.source.name, text), Ledger()
    found = check(source, ledger, values, Path(folder_of(source)), checked.variant)
    if found is None:
        first = ledger.errors[0]
        raise StudyProblem(f"with words in place of reals the text would have an error: {first.span.place}: {first.code}: {first.message}")
    return found, ledger.sorted()


def allowed(problem: Problem, channel: Channel, bits: float) -> int:
    """How many words a channel may have. Raises StudyProblem where it cannot be quantised so."""
    name = base(channel)
    if channel.attention:
        raise StudyProblem(f"{name} is a private look, whose messages are words already: dcgc audit says what they mean")
    if math.isnan(bits) or bits < 1:
        raise StudyProblem("a code needs 1 bit at least: two words")
    count = words_within(bits)
    if count > MOST_WORDS:
        raise StudyProblem(f"{bits:g} bits make too many words: at most {MOST_WORDS} are numbered (12 bits)")
    if channel.carrier == "tokens":
        have = len(channel.words)
        if channel.noise != "none":
            raise StudyProblem(f"{name} carries tokens through noise: its words cannot be merged yet")
        if not 0 < have <= MOST_MERGED:
            raise StudyProblem(f"{name} carries more words than can be compared with each other (at most {MOST_MERGED})")
        if count >= have:
            raise StudyProblem(f"{name} carries {have} words already, and {bits:g} bits allow {count}")
    return count


# ---------------------------------------------------------------- codes


def fitted(problem: Problem, stage: Stage, channels: Sequence[Channel], count: int, method: str) -> dict[str, Book]:
    """A book for each encoder, by the name of its group; twins share one."""
    groups: dict[str, list[Channel]] = {}
    for c in channels:
        groups.setdefault(problem.leader_of[c.encoder], []).append(c)
    make = merged if channels[0].carrier == "tokens" else coded_reals
    return {leader: make(problem, stage, own, count, method) for leader, own in groups.items()}


def coded_reals(problem: Problem, stage: Stage, channels: Sequence[Channel], count: int, method: str) -> Book:
    """The code for the messages of an encoder and its twins. Where a message has several reals, errors are counted alike, or by the
    mean squared gradient of the listeners' costs, whichever costs them less before they have learned anything."""
    sent = np.concatenate([np.asarray(stage.plain.sent(c), dtype=np.float64) for c in channels])
    if not np.all(np.isfinite(sent)) or np.all(np.ptp(sent, axis=0) <= 1e-9 * (1 + np.abs(sent).max(axis=0))):
        raise StudyProblem(f"{base(channels[0])} always sends the same, which no code can tell apart")
    plain = book(METHODS[method].fit(sent, math.log2(count), seed=stage.seed), "")
    if sent.shape[1] == 1:  # on a line both methods seek the same levels, from different starts
        return min((book(q.fit(sent, math.log2(count), seed=stage.seed), "") for q in METHODS.values()), key=lambda b: error(b, sent))
    relevance = relevances(Stage(problem, stage.profile, RELEVANT, stage.seed + 7), channels)
    if relevance is None:
        return plain
    weighed = book(METHODS[method].fit(sent, math.log2(count), seed=stage.seed, relevance=relevance),
                   ", errors weighed by the listeners' gradients")
    test = Stage(problem, stage.profile, RELEVANT, stage.seed + 13)
    return min((plain, weighed), key=lambda b: heard_cost(test, channels, b))


def book(quantiser: Quantiser, relevance: str) -> Book:
    metric = quantiser.relevance if isinstance(quantiser, VectorQuantiser) else np.ones(quantiser.dimension)
    return Book(quantiser.decode(np.arange(quantiser.count)), np.asarray(metric, dtype=np.float64), relevance)


def error(b: Book, messages: Array) -> float:
    """The mean squared error of a code."""
    return float(np.mean(np.sum((messages - b.codes[nearest(b, messages)]) ** 2, axis=1)))


def relevances(stage: Stage, channels: Sequence[Channel]) -> Array | None:
    """The mean squared gradient of the listeners' costs by each real of a message (D,); None where there is no gradient to speak of."""
    total: Any = 0.0
    for c in channels:
        ear = Ear(stage.problem, c)
        heard = jnp.asarray(ear.heard(stage.plain))
        width = int(np.prod(c.shape))
        for person in ear.people:
            def cost(zero: Any, ear: Ear = ear, heard: Any = heard, person: Any = person) -> Any:
                moved = jnp.concatenate([heard[:, :zero.shape[1]] + zero, heard[:, zero.shape[1]:]], axis=1)
                return jnp.sum(stage.play(ear.replaced(moved)).cost(person))

            total = total + jnp.mean(jax.grad(cost)(jnp.zeros((stage.samples, width))) ** 2, axis=0)
    found = np.asarray(total, dtype=np.float64)
    if found.ndim != 1 or not np.all(np.isfinite(found)) or found.max() <= 0 or found.min() < 1e-6 * found.max():
        return None
    return np.asarray(found / found.mean())


def heard_cost(stage: Stage, channels: Sequence[Channel], b: Book) -> float:
    """What the listeners pay who hear codes in place of messages, on average and in sum."""
    replaced: dict[str, Any] = {}
    for c in channels:
        replaced |= Ear(stage.problem, c).replaced(b.codes[nearest(b, np.asarray(stage.plain.sent(c)))])
    people = dict.fromkeys(p for c in channels for p in Ear(stage.problem, c).people)
    return float(sum(stage.cost(p, replaced).mean() for p in people))


def nearest(b: Book, messages: NDArray[Any]) -> NDArray[np.int64]:
    """The word (n,) of each message (n, D)."""
    scale = np.sqrt(b.metric)
    return VectorQuantiser(b.codes * scale, np.ones(len(scale))).encode(np.asarray(messages, dtype=np.float64) * scale)


def merged(problem: Problem, stage: Stage, channels: Sequence[Channel], count: int, method: str) -> Book:
    """Fewer words: ``count`` of them are kept, and every other word is heard as the kept one that costs the listeners least where it
    was said (a k-median problem, by greedy choice and exchanges)."""
    have = len(channels[0].words)
    costs, said = np.zeros((have, have)), np.zeros(have)
    for c in channels:
        ear = Ear(problem, c)
        heard = ear.heard(stage.plain)
        said += np.bincount(heard, minlength=have)
        for word in range(have):
            replaced = ear.replaced(np.full(stage.samples, word))
            paid = sum(stage.cost(p, replaced) for p in ear.people)
            costs[:, word] += np.bincount(heard, paid, minlength=have)
    costs /= stage.samples
    kept = medians(costs, said, count)
    new = np.argmin(costs[:, kept], axis=1)
    new[said == 0] = 0
    new[kept] = np.arange(len(kept))
    return Book(np.zeros((len(kept), 0)), np.zeros(0), "", tuple(new.tolist()), tuple(kept))


def medians(costs: Array, said: Array, count: int) -> list[int]:
    """At most ``count`` columns whose row minima (of rows that are said) have the least sum."""
    spoken = [int(w) for w in np.argsort(-said, kind="stable") if said[w] > 0]
    rows = costs[spoken]
    kept: list[int] = []
    while len(kept) < min(count, len(spoken)):
        kept.append(min((w for w in spoken if w not in kept), key=lambda w: float(rows[:, [*kept, w]].min(axis=1).sum())))
    best = float(rows[:, kept].min(axis=1).sum())
    for _ in range(20):
        trials = [(float(rows[:, [*(k for k in kept if k != out), into]].min(axis=1).sum()), out, into)
                  for out in kept for into in spoken if into not in kept]
        if not trials or min(trials)[0] >= best - 1e-12 * abs(best):
            break
        best, out, into = min(trials)
        kept = [into if k == out else k for k in kept]
    return sorted(kept)


# ---------------------------------------------------------------- policies


def converted(old: Problem, new: Problem, profile: Mapping[str, Any], channels: Sequence[Channel], books: Mapping[str, Book],
              count: int) -> dict[str, Any]:
    """The old profile on the new game: encoders followed by the code, listeners reading it, everybody else as before."""
    encoders = {c.name: c for c in channels}
    sites = {site: c for c in channels for site in marks(old, c)}
    out: dict[str, Any] = {}
    for leader, decisions in new.groups.items():
        d = decisions[0]
        if d.name in encoders:  # words are sent under the channel's own name
            c = encoders[d.name]
            before = next(x for x in old.game.decisions if x.name == c.encoder)
            s = speaking(before, profile[old.leader_of[c.encoder]], c, books[old.leader_of[c.encoder]], count)
        else:
            before = next(x for x in old.game.decisions if x.name == d.name)
            s = profile[old.leader_of[d.name]]
        out[leader] = reading(old, new, before, d, s, sites, books, count)
    for constraint in new.game.constraints:
        out[constraint.multiplier] = profile.get(constraint.multiplier, Multiplier(jnp.zeros(())))
    return out


def marks(problem: Problem, c: Channel) -> tuple[str, ...]:
    """The sites by which an observation tells that it is of this channel."""
    ear = Ear(problem, c)
    return (ear.site, *(ear.erasing or ()))


def speaking(d: Decision, s: Strategy, c: Channel, b: Book, count: int) -> Strategy:
    """An encoder followed by its code."""
    output = head("choice", (), count)
    if b.kept:
        policy: Any = Merged(s.policy, b.merged)
        if b.count < count:
            raise StudyProblem(f"the members of {base(c)} need different numbers of words")
        return Strategy(policy, output if s.hard else s.head, s.location, s.scale, s.sizes, s.hard)
    codes = np.concatenate([b.codes, far(b.codes, count - b.count)])
    carried: Carried = "faded" if c.stop else "project" if c.encoder.startswith("raw(") else "plain"
    policy = Speaker(s.policy, s.head, jnp.asarray(codes), jnp.asarray(b.metric), jnp.asarray(bound(d.low, -math.inf)),
                     jnp.asarray(bound(d.high, math.inf)), jnp.asarray(min(c.power, 1e300)), carried)
    return Strategy(policy, output, s.location, s.scale, s.sizes, True)


def far(codes: Array, count: int) -> Array:
    """Codes that no message is near, for an encoder with fewer words than its sisters."""
    width = 1 + np.abs(codes).max()
    return np.stack([np.full(codes.shape[1], width * (FAR + k)) for k in range(count)]) if count else codes[:0]


def bound(e: Expression | None, default: float) -> float:
    return default if e is None else float(e.value)  # type: ignore[attr-defined]


def reading(old: Problem, new: Problem, before: Decision, d: Decision, s: Any, sites: Mapping[str, Channel], books: Mapping[str, Book],
            count: int) -> Any:
    """A policy that finds what it knew before in what it knows now; itself, if nothing has changed."""
    if alike(before.observations, d.observations):
        return s
    if not isinstance(s, Strategy):
        reply = enumerated_reply(new, d, True)
        if reply is None:
            raise StudyProblem(f"{d.name} has no policy that could read a code ({type(s).__name__})")
        return reply
    location, scale = np.asarray(s.location), np.asarray(s.scale)
    layout: list[Part] = []
    codes: list[Any] = []
    words: list[tuple[int, ...]] = []
    kept: list[int] = []  # the old real inputs that are still there
    waiting, place, digit = list(before.observations), 0, 0

    def code(table: Array) -> None:
        """The next old reals are read from a table, by the finite input ``digit``."""
        nonlocal place
        width = table.shape[1]
        codes.append(jnp.asarray((table - location[place:place + width]) / scale[place:place + width]))
        layout.append(("code", digit, len(codes) - 1))
        place += width

    for o in d.observations:
        heard = leaves(o.expression) if o.kind == "choice" else []
        if heard and all(h in sites for h in heard):
            real = False
            while waiting and about(waiting[0], sites) and not real:
                was = waiting.pop(0)
                real = was.size is None or sites[heard[0]].carrier == "tokens"
                if was.size is not None and not real:  # whether it was heard: words always are
                    layout += [("given", 1, was.size)] * math.prod(was.shape)
            for h in heard:
                c = sites[h]
                b = books[old.leader_of[c.encoder]]
                if b.kept:
                    words.append((len(c.words), *b.kept))
                    layout.append(("word", digit, len(words) - 1))
                else:
                    code(np.concatenate([b.codes, far(b.codes, count - b.count)]))
                digit += 1
            continue
        was = waiting.pop(0)
        width = math.prod(o.shape if o.kind != "choice" else o.shape[:-1])
        if o.size is None:
            layout.append(("real", len(kept), len(kept) + width))
            kept += range(place, place + width)
            place += width
        elif was.size is None:  # what takes finitely many values now
            code(np.asarray(o.numbers)[:, None])
            digit += 1
        else:
            layout += [("finite", digit + k, o.size) for k in range(width)]
            digit += width
    assert not waiting and place == len(location) and len(kept) == real_inputs(d)
    policy = Listener(s.policy, tuple(codes), tuple(words), finite_sizes(d), tuple(layout))
    return Strategy(policy, s.head, s.location[np.asarray(kept, int)], s.scale[np.asarray(kept, int)], finite_sizes(d), s.hard)


def alike(a: tuple[Observation, ...], b: tuple[Observation, ...]) -> bool:
    """Whether two lists of observations feed a policy the same inputs."""
    return [(o.kind, o.shape, o.size, o.values) for o in a] == [(o.kind, o.shape, o.size, o.values) for o in b]


def leaves(e: Expression) -> list[str]:
    """The sites of an observation that is a message, or an array of messages; empty if it is something else."""
    if isinstance(e, Reference):
        return [e.site]
    parts = [leaves(i) for i in e.items] if isinstance(e, Stack) else []
    return [x for p in parts for x in p] if all(parts) else []


def about(o: Observation, sites: Mapping[str, Channel]) -> bool:
    return bool(references(o.expression) & set(sites))


# ---------------------------------------------------------------- bytes


def written(problem: Problem, profile: Mapping[str, Any], ear: Ear, samples: int, seed: int) -> Coded:
    """The words of fresh plays as bytes, read back once to be sure."""
    words = ear.heard(Stage(problem, profile, samples, seed).plain)
    counts = np.bincount(words, minlength=ear.count)
    model = coding.FrequencyModel.from_counts(counts)
    data = coding.encode(words, model)
    if not np.array_equal(coding.decode(data, model, len(words)), words):
        raise AssertionError("coded words were not read back as they were written")
    shares = counts[counts > 0] / len(words)
    entropy = float(-np.sum(shares * np.log2(shares)))
    return Coded(ear.channel.name, len(words), tuple(int(n) for n in counts), entropy + 0.0, data, len(model.to_bytes()))
