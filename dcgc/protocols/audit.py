"""The audit of a protocol: what its words mean, how much they say, and what they are worth."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .controls import Controls
from .disentanglement import bag_of_symbols_disentanglement, positional_disentanglement
from .influence import Influence
from .information import Estimate, conditional_moments, equal_mass_bins, labels, mutual_information, mutual_information_real, word_entropy
from .quantiser import known_words
from .similarity import topographic_similarity
from .tree import grow

# Values that an attribute is told by where disentanglement needs finitely many.
VALUES = 8
MOST_ROWS = 32


@dataclass(frozen=True)
class Moment:
    """A variable of nature given a word: its mean, its standard deviation and the standard error of the mean."""

    mean: float
    deviation: float
    standard_error: float


@dataclass(frozen=True)
class WordMeaning:
    """``frequency``: the share of messages that are this word; ``moments``: each real variable when it is said; ``sentences``: when it is
    said, by the tree."""

    word: int
    frequency: float
    moments: Mapping[str, Moment]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """``count``: how many words there are, spoken or not; ``samples``: how many plays were heard. ``words``: those that are spoken, in
    order. ``entropy``, ``information`` in bits, with standard errors. ``tree_accuracy`` and ``tree_baseline``: the shares of words that the
    tree, and the commonest word, predict. nan or None for what was not, or could not be, found."""

    count: int
    samples: int
    words: tuple[WordMeaning, ...]
    entropy: Estimate
    information: Mapping[str, Estimate]
    tree_accuracy: float
    tree_baseline: float
    topographic_similarity: float
    positional_disentanglement: float
    bag_of_symbols_disentanglement: float
    controls: Controls | None = None
    influence: Influence | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values only; None for what is not a number."""
        return plain(asdict(self))  # type: ignore[no-any-return]

    def to_json(self) -> str:
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False)

    def render_markdown(self) -> str:
        """The audit for readers: a table of words (the commonest 32), when they are said, and the figures."""
        parts = ["## What the words mean", *word_table(self), "", *said_when(self), "## How much they say", *figures(self)]
        if self.controls is not None:
            parts += ["", "## What they are worth", *worth(self.controls)]
        return "\n".join(parts) + "\n"


def audit_protocol(
    words: ArrayLike,
    variables: Mapping[str, ArrayLike],
    count: int,
    messages: ArrayLike | None = None,
    tokens: ArrayLike | None = None,
    categorical: frozenset[str] = frozenset(),
    controls: Controls | None = None,
    influence: Influence | None = None,
    seed: int = 0,
) -> Audit:
    """The audit of words (n,) out of 0..count-1 that were said when nature's ``variables`` {name: (n,)} were as they were.

    ``messages`` (n, D): how they are heard, or ``tokens`` (n, T): the symbols of each (negative once it has ended); topographic similarity
    is that of the tokens (edit distance) or else of the messages, against the variables, each in units of its standard deviation.
    Disentanglement is told by the tokens. ``categorical`` names variables without an order; so are those that are no numbers. ValueError
    without variables, for lists of different lengths and for fewer than 4 samples.
    """
    known = known_words(words, count)
    columns = {name: np.asarray(values) for name, values in variables.items()}
    reals = {n: v.astype(np.float64) for n, v in columns.items() if n not in categorical and v.dtype.kind in "iufb"}
    tree = grow(columns, known, categorical=categorical, seed=seed)
    moments = {name: conditional_moments(known, v, count) for name, v in reals.items()}
    frequencies = np.bincount(known, minlength=count) / len(known)
    meanings = tuple(
        WordMeaning(
            int(w), float(frequencies[w]),
            {name: Moment(float(m.means[w]), float(m.deviations[w]), float(m.standard_errors[w])) for name, m in moments.items()},
            tuple(tree.sentences(int(w))),
        )
        for w in np.flatnonzero(frequencies)
    )  # fmt: skip
    told = {name: mutual_information_real(known, reals[name], seed=seed) if name in reals else mutual_information(known, v)
            for name, v in columns.items()}  # fmt: skip
    nature = np.stack([standardised(v) for name in columns for v in as_reals(reals.get(name), columns[name])], axis=1)
    spoken = tokens if tokens is not None else messages
    attributes = np.stack([equal_mass_bins(reals[n], VALUES) if n in reals else labels(v) for n, v in columns.items()], axis=1)
    parts = tokens is not None and attributes.shape[1] > 1
    return Audit(
        count=count,
        samples=len(known),
        words=meanings,
        entropy=word_entropy(known),
        information=told,
        tree_accuracy=tree.accuracy,
        tree_baseline=tree.baseline,
        topographic_similarity=math.nan if spoken is None else topographic_similarity(
            nature, spoken, message_distance="edit" if tokens is not None else "euclidean", seed=seed),
        positional_disentanglement=positional_disentanglement(attributes, tokens) if parts else math.nan,  # type: ignore[arg-type]
        bag_of_symbols_disentanglement=bag_of_symbols_disentanglement(attributes, tokens) if parts else math.nan,  # type: ignore[arg-type]
        controls=controls,
        influence=influence,
    )  # fmt: skip


def standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    scale = values.std()
    return (values - values.mean()) / scale if scale > 0 else np.zeros_like(values)


def as_reals(real: NDArray[np.float64] | None, column: NDArray[Any]) -> list[NDArray[np.float64]]:
    """A variable as reals: itself, or for a categorical one an indicator of each value."""
    return [real] if real is not None else list((labels(column)[:, None] == np.unique(labels(column))).T.astype(np.float64))


def word_table(found: Audit) -> list[str]:
    names = list(found.words[0].moments)
    shown = sorted(sorted(found.words, key=lambda w: -w.frequency)[:MOST_ROWS], key=lambda w: w.word)
    lines = [row("word", "said", *names), row("---:", *["---:"] * (1 + len(names)))]
    lines += [row(str(w.word), f"{w.frequency:.1%}", *(mean_and_spread(w.moments[name]) for name in names)) for w in shown]
    notes = []
    if names:
        notes.append("Means of the variables when the word is said, ± one standard deviation.")
    if len(shown) < len(found.words):
        notes.append(f"The {len(shown)} commonest of {len(found.words)} words.")
    if len(found.words) < found.count:
        notes.append(f"Of {found.count} words {found.count - len(found.words)} are never said.")
    return [*lines, "", " ".join(notes)] if notes else lines


def said_when(found: Audit) -> list[str]:
    sentences = [f"- {sentence}" for w in found.words for sentence in w.sentences]
    if not sentences:
        return []
    right = f"{found.tree_accuracy:.1%} of them (the commonest word: {found.tree_baseline:.1%})"
    return [f"When they are said, by a tree that predicts {right}:", "", *sentences, ""]


def figures(found: Audit) -> list[str]:
    lines = [row("figure", "value"), row("---", "---:"),
             row("entropy of the words", bits(found.entropy)),
             row("words", f"{found.count} ({math.log2(found.count):.4g} bits)"), row("plays", str(found.samples))]  # fmt: skip
    lines += [row(f"information about {name}", bits(estimate)) for name, estimate in found.information.items()]
    if found.influence is not None:
        lines.append(row("causal influence on the action, in its situation", bits(found.influence.in_situation)))
        lines.append(row("causal influence on the action, alone", f"{found.influence.alone:.3f} bits"))
    for label, value in (
        ("topographic similarity", found.topographic_similarity),
        ("positional disentanglement", found.positional_disentanglement),
        ("bag-of-symbols disentanglement", found.bag_of_symbols_disentanglement),
    ):
        if not math.isnan(value):
            lines.append(row(label, f"{value:.3f}"))
    return lines


def worth(found: Controls) -> list[str]:
    lines = [row("what is heard", "cost"), row("---", "---:")]
    for label, estimate in (("nothing", found.silent), ("messages of other plays", found.shuffled), ("the messages", found.spoken)):
        lines.append(row(label, f"{estimate.value:.5g} ± {estimate.standard_error:.1g}"))
    if not math.isnan(found.oracle):
        lines.append(row("everything", f"{found.oracle:.5g}"))
    said = f"Messages save {found.gain.value:.4g} ± {found.gain.standard_error:.1g}"
    share = f", {found.closed:.1%} of what knowing everything would save" if not math.isnan(found.closed) else ""
    meaning = f"their meaning (against shuffled ones) {found.meaning.value:.4g} ± {found.meaning.standard_error:.1g}"
    return [*lines, "", f"{said}{share}; {meaning}."]


def row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def bits(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ± {estimate.standard_error:.1g} bits"


def mean_and_spread(moment: Moment) -> str:
    return f"{moment.mean:.3g}" if math.isnan(moment.deviation) else f"{moment.mean:.3g} ± {moment.deviation:.2g}"


def plain(value: Any) -> Any:
    """Mappings and sequences of plain values, with None in place of nan and infinity."""
    if isinstance(value, Mapping):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
