"""What the messages of a trained profile mean, how much they say and what they are worth: ``dcgc audit``.

Words are audited as they are. Messages of reals are described by a fine code of at most 6 bits, but heard, replaced and shuffled as
they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.expression import Reference, show
from ..core.site import Channel, Decision, Observation, Random
from ..learning.explicit import explicit
from ..lower.evaluate import evaluate
from ..lower.problem import Person, Problem
from ..policies.codebook import Speaker
from ..protocols import (
    Audit,
    Controls,
    Influence,
    VectorQuantiser,
    audit_protocol,
    causal_influence,
    play_controls,
    positional_disentanglement,
)
from ..protocols.audit import VALUES, plain
from ..protocols.information import equal_mass_bins, labels
from .mistake import StudyProblem
from .study import Ear, Stage, base, channels_named

SAMPLES = 8192
SITUATIONS = 1024
MOST_TRIED = 64
FINE_BITS = 6.0
MOST_VARIABLES = 48
Oracles = Callable[[str], Mapping[str, float]]


@dataclass(frozen=True)
class ChannelAudit:
    """The audit of one channel. ``reading``: what its words are; ``names``: how each word is written. ``audit``: words and information,
    with the controls of the first listener and the influence on the decision that messages move most. ``controls``: by player,
    ``influences``: by decision. ``variables``: what nature drew and what the sender knew, by name (n,), those of ``categorical``
    without an order; ``words``: what was said (n,). ``unordered``: the numbers of the words mean nothing. ``notes``: what was left
    out."""

    channel: str
    reading: str
    names: tuple[str, ...]
    audit: Audit
    controls: Mapping[str, Controls]
    influences: Mapping[str, Influence]
    variables: Mapping[str, NDArray[Any]] = field(repr=False)
    categorical: frozenset[str] = frozenset()
    words: NDArray[Any] = field(repr=False, default_factory=lambda: np.zeros(0, int))
    notes: tuple[str, ...] = ()
    unordered: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values only."""
        found = self.audit.as_dict()
        for word in found["words"]:
            word["name"] = self.names[word["word"]]
        influences = {d: plain(asdict(i)) for d, i in self.influences.items()}
        players = {p: {**plain(asdict(c)), "closed": plain(c.closed)} for p, c in self.controls.items()}
        return {"channel": self.channel, "reading": self.reading, **found, "players": players, "influences": influences,
                "notes": list(self.notes)}


def audit(problem: Problem, profile: Mapping[str, Any], channel: str | None = None, samples: int = SAMPLES, seed: int = 0,
          oracles: Oracles = lambda name: {}) -> tuple[ChannelAudit, ...]:
    """The audits of a channel, or of all; of twins, who share a policy, the first. ``oracles``: from a channel's name to what its
    listeners would pay if they were told what the sender knows. Raises StudyProblem."""
    if samples < 64:
        raise StudyProblem("an audit needs 64 samples at least")
    if not problem.game.channels:
        raise StudyProblem("the game has no channel")
    names = [channel] if channel is not None else list(dict.fromkeys(base(c) for c in problem.game.channels))
    stage = Stage(problem, explicit(problem, profile), samples, seed + 31)
    found = []
    for name in names:
        seen: set[str] = set()
        for c in channels_named(problem, name):
            leader = problem.leader_of[c.encoder]
            if leader not in seen:
                seen.add(leader)
                found.append(of_channel(stage, Ear(problem, c), oracles(base(c)), seed))
    return tuple(found)


def of_channel(stage: Stage, ear: Ear, oracle: Mapping[str, float], seed: int) -> ChannelAudit:
    variables, categorical, notes = what_happened(stage, ear)
    said = spoken(stage, ear, seed)
    found = audit_protocol(said.words, variables, said.count, said.messages, said.tokens, categorical, seed=seed)
    if said.messages is not None and said.messages.shape[1] > 1 and len(variables) > 1:  # each real of a message as a symbol
        attributes = np.stack([labels(v) if n in categorical or v.dtype.kind not in "iuf" else equal_mass_bins(v, VALUES)
                               for n, v in variables.items()], axis=1)
        parts = np.stack([equal_mass_bins(m, VALUES) for m in said.messages.T], axis=1)
        found = replace(found, positional_disentanglement=positional_disentanglement(attributes, parts))
    controls = {p.label: controlled(stage, ear, said, p, oracle.get(p.label, math.nan), seed) for p in concerned(stage.problem, ear)}
    influences = influence(Stage(stage.problem, stage.profile, min(SITUATIONS, stage.samples), stage.seed + 1), ear, said, seed)
    if not ear.listeners:
        notes += ("nobody decides on what is heard",)
    first = ear.people[0].label if ear.people else None
    strongest = max(influences.values(), key=lambda i: i.in_situation.value, default=None)
    found = replace(found, controls=controls.get(first) if first is not None else None, influence=strongest)
    return ChannelAudit(ear.channel.name, said.reading, said.names, found, controls, influences, variables, categorical, said.words, notes,
                        ear.channel.attention)


# ---------------------------------------------------------------- what was said


@dataclass(frozen=True)
class Said:
    """``words`` (n,): what was sent; ``count``: how many there are; ``messages`` (n, D) or ``tokens`` (n, T) as ``audit_protocol`` wants
    them. ``heard`` (n, ..): what arrived, as ``Ear`` has it; ``tried`` (k, ..): messages to put into the listeners' ears."""

    reading: str
    words: NDArray[np.int64]
    count: int
    names: tuple[str, ...]
    heard: NDArray[Any]
    tried: NDArray[Any]
    messages: NDArray[np.float64] | None = None
    tokens: NDArray[np.int64] | None = None


def spoken(stage: Stage, ear: Ear, seed: int) -> Said:
    c, heard = ear.channel, ear.heard(stage.plain)
    if not ear.words:
        return reals(stage, ear, heard, seed)
    sent = np.asarray(stage.plain.sent(c))
    if sent.ndim == 2:  # too many words to number: those that were said
        rows, words = np.unique(sent, axis=0, return_inverse=True)
        return Said(f"{c.shape[0]} tokens of {c.shape[1]}, numbered as they were said", words.reshape(-1).astype(np.int64), len(rows),
                    tuple(" ".join(str(t + 1) for t in r) for r in rows), heard, commonest(words.reshape(-1), rows),
                    tokens=sent.astype(np.int64))
    tried = commonest(heard, np.arange(ear.count))
    if c.attention:
        return Said("words of a private look", sent, ear.count, numbered(ear.count), heard, tried)
    codes = codebook(stage.problem, stage.profile, c)
    if codes is not None and len(c.words) == len(codes):
        return Said(f"{len(codes)} codes of {codes.shape[1]} real{'s' * (codes.shape[1] > 1)}", sent, len(c.words),
                    tuple(f"{w + 1}" for w in range(len(codes))), heard, tried, messages=codes[sent])
    table = np.asarray(c.words, dtype=np.int64)
    names = tuple(" ".join(str(t) for t in w if t > 0) or "nothing" for w in c.words)
    return Said(f"{c.shape[0]} token{'s' * (c.shape[0] > 1)} of {c.shape[1]}", sent, len(c.words), names, heard, tried,
                tokens=table[sent] - 1)


def numbered(count: int) -> tuple[str, ...]:
    return tuple(str(w + 1) for w in range(count))


def commonest(words: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    """The values of the words that are said most often, at most ``MOST_TRIED``; then, if there is room, of those never said."""
    counts = np.bincount(words, minlength=len(values))
    return values[np.sort(np.argsort(-counts, kind="stable")[:MOST_TRIED])]


def codebook(problem: Problem, profile: Mapping[str, Any], c: Channel) -> NDArray[np.float64] | None:
    """The codes that an encoder's words stand for, if it was quantised."""
    policy = getattr(profile[problem.leader_of[c.encoder]], "policy", None)
    while policy is not None and not isinstance(policy, Speaker):
        policy = getattr(policy, "policy", None)
    return None if policy is None else np.asarray(policy.codes, dtype=np.float64)


def reals(stage: Stage, ear: Ear, heard: NDArray[Any], seed: int) -> Said:
    """Messages of reals, read as the words of a fine code."""
    c, sent = ear.channel, np.asarray(stage.plain.sent(ear.channel), dtype=np.float64)
    bits = max(1.0, min(FINE_BITS, c.capacity))
    code = VectorQuantiser.fit(sent, bits, seed=seed)
    words = code.encode(sent)
    tried = code.codes
    if ear.erasing is not None:  # one that is heard, and silence
        width = heard.shape[1] - sent.shape[1]
        tried = np.concatenate([np.concatenate([tried, np.ones((len(tried), width))], axis=1), np.zeros((1, heard.shape[1]))])
    shape = "a real" if sent.shape[1] == 1 else f"{sent.shape[1]} reals"
    names = tuple(" ".join(f"{x:.3g}" for x in row) if sent.shape[1] <= 3 else str(k + 1) for k, row in enumerate(code.codes))
    return Said(f"{shape}, read as {code.count} codes ({code.bits:.3g} bits)", words, code.count, names, heard, tried, messages=sent)


# ---------------------------------------------------------------- what happened


def what_happened(stage: Stage, ear: Ear) -> tuple[dict[str, NDArray[Any]], frozenset[str], tuple[str, ...]]:
    """What the sender knew and what nature drew, as named columns (n,), and which of them have no order. Raises StudyProblem if
    there is nothing."""
    problem, play = stage.problem, stage.plain
    columns: dict[str, NDArray[Any]] = {}
    categorical: set[str] = set()

    def add(name: str, kind: str, values: NDArray[Any]) -> None:
        for suffix, column in entries(values, kind):
            if name + suffix not in columns and np.all(np.isfinite(column)):
                columns[name + suffix] = column > 0.5 if kind == "bool" else column
                if kind in ("category", "choice"):
                    columns[name + suffix] = column.astype(np.int64)
                    categorical.add(name + suffix)

    def nature() -> None:
        for name, values in play.nature.items():
            site = problem.dependence.sites[name]
            assert isinstance(site, Random)
            add(readable(name), {"Bernoulli": "bool", "Categorical": "category"}.get(site.distribution, "real"), np.asarray(values))

    encoder = next(d for d in problem.game.decisions if d.name == ear.channel.encoder)
    known = [o for o in encoder.observations if not (isinstance(o.expression, Reference) and o.expression.site in play.nature)]
    if sum(np.asarray(v)[0].size for v in play.nature.values()) <= MOST_VARIABLES:
        nature()
    for o in known:
        add(readable(show(o.expression)), o.kind, observed(stage, o))
    for o in encoder.observations:
        if o not in known:
            add(readable(show(o.expression)), o.kind, observed(stage, o))
    nature()
    varied = {n: v for n, v in columns.items() if len(np.unique(v[:256])) > 1 or len(np.unique(v)) > 1}
    if not varied:
        raise StudyProblem("nothing happens in this game that words could be about")
    kept = dict(list(varied.items())[:MOST_VARIABLES])
    left = f"of {len(varied)} variables the first {len(kept)}, those that the sender knows before others"
    return kept, frozenset(categorical & set(kept)), (left,) if len(kept) < len(varied) else ()


def observed(stage: Stage, o: Observation) -> NDArray[Any]:
    """An observation at every sample: a choice by its number."""
    values = np.asarray(stage.plain.full(evaluate(stage.plain.world, o.expression)))
    return np.argmax(values, axis=-1) + 1 if o.kind == "choice" else values


def entries(values: NDArray[Any], kind: str) -> list[tuple[str, NDArray[Any]]]:
    """The scalar entries of an array (n, ..) with their indices, counted from 1."""
    if values.ndim == 1:
        return [("", values)]
    return [(f"[{','.join(str(i + 1) for i in place)}]", values[(slice(None), *place)]) for place in np.ndindex(values.shape[1:])]


def readable(name: str) -> str:
    """Entries in the language's own brackets: x(1,2) is x[1,2]."""
    head, _, tail = name.partition("(")
    if tail.endswith(")") and tail[:-1].replace(",", "").isdigit() and head.isidentifier():
        return f"{head}[{tail[:-1]}]"
    return name[1:-1] if name.startswith("(") and name.endswith(")") else name


# ---------------------------------------------------------------- what it is worth


def concerned(problem: Problem, ear: Ear) -> tuple[Person, ...]:
    """The listeners, then the sender; of a team, the first."""
    everybody = tuple(dict.fromkeys((*ear.people, *(problem.decider(d) for d in problem.game.decisions if d.name == ear.channel.encoder))))
    return everybody[:1] if problem.is_team else everybody


def controlled(stage: Stage, ear: Ear, said: Said, person: Person, oracle: float, seed: int) -> Controls:
    """The four controls of one player. Silence is the one message, the same for everybody, that costs this player least; among words
    the commonest are tried, among reals the codes and the mean."""
    def play(messages: NDArray[Any]) -> NDArray[np.float64]:
        return stage.cost(person, ear.replaced(messages))

    tried = [*said.tried]
    if not ear.words and ear.erasing is None:
        tried.append(said.heard.mean(axis=0))
    blank = min(tried, key=lambda m: float(play(np.broadcast_to(m, said.heard.shape)).mean()))
    return play_controls(play, said.heard, oracle, np.asarray(blank), seed)


def influence(stage: Stage, ear: Ear, said: Said, seed: int) -> dict[str, Influence]:
    """By decision how much depends on a message that is put into the listeners' ears."""
    problem, shown = stage.problem, dict[str, Influence]()
    first = list({problem.leader_of[d.name]: d for d in reversed(ear.listeners)}.values())
    answers: dict[int, dict[str, NDArray[Any]]] = {}
    shape = (stage.samples, *said.tried.shape[1:])

    def answer(word: int) -> dict[str, NDArray[Any]]:
        if word not in answers:
            play = stage.play(ear.replaced(np.broadcast_to(said.tried[word], shape)))
            answers[word] = {d.name: action(play, d) for d in first}
        return answers[word]

    for d in reversed(first):
        if d.axes:
            continue
        direction = principal(np.stack([answer(w)[d.name] for w in range(len(said.tried))]))

        def act(words: NDArray[np.int64], d: Decision = d, direction: Any = direction) -> NDArray[np.float64]:
            return turned(answer(int(words[0]))[d.name], direction)

        shown[d.name] = causal_influence(act, stage.samples, len(said.tried), seed=seed)
    return shown


def action(play: Any, d: Decision) -> NDArray[np.float64]:
    """What a decision comes to in every situation: reals (n, k), or the law of a finite one (n, options)."""
    full = np.asarray(play.full(play.world.choice(d.name)), dtype=np.float64)
    return full.reshape(len(full), -1)


def principal(answers: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Of vectors (words, n, k) the direction in which they vary most; None for laws and single reals."""
    flat = answers.reshape(-1, answers.shape[-1])
    if flat.shape[1] == 1 or np.allclose(flat.sum(axis=1), 1) and np.all(flat >= 0):
        return None
    return np.linalg.svd(np.cov(flat.T))[0][:, 0]


def turned(answer: NDArray[np.float64], direction: NDArray[np.float64] | None) -> NDArray[np.float64]:
    return answer @ direction if direction is not None else answer[:, 0] if answer.shape[1] == 1 else answer
