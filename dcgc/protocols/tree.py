"""A small decision tree that says in words when each word is spoken (CART: Breiman, Friedman, Olshen and Stone 1984).

Splits are judged by information and not by Gini's impurity, which cannot tell a balanced split of equally frequent words from a lopsided
one and so wastes the few levels there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from .information import labels

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Columns = Mapping[str, NDArray[np.generic]]

MOST_CUTS = 127
GAIN = 1e-9
LN2 = float(np.log(2))


@dataclass(frozen=True)
class Leaf:
    """``share`` of the samples held out that come here, and among those the share ``purity`` for which the word is ``word``."""

    word: int
    share: float
    purity: float


@dataclass(frozen=True)
class Split:
    """``name`` <= ``threshold``, or ``name`` = ``value`` for a categorical feature (``threshold`` is None)."""

    name: str
    threshold: float | None
    value: object
    yes: Node
    no: Node


Node = Leaf | Split


@dataclass(frozen=True)
class Tree:
    """``accuracy``: the share of the held-out samples whose word the tree predicts; ``baseline``: that of always saying the commonest
    word."""

    root: Node
    accuracy: float
    baseline: float

    def predict(self, features: Mapping[str, ArrayLike]) -> Labels:
        """The words (n,) for features {name: (n,)}."""
        columns = {name: np.asarray(column) for name, column in features.items()}
        return descend(self.root, columns, np.arange(len(next(iter(columns.values())))))

    def leaves(self) -> Iterator[tuple[str, Leaf]]:
        """Each leaf with the condition that leads to it, "always" where there is none."""
        yield from ((" and ".join(path.conditions()) or "always", leaf) for path, leaf in walk(self.root, Path({}, {})))

    def sentences(self, word: int | None = None) -> list[str]:
        """"x <= 0.31 and y > 2: word 3 (97%)", the percentage being how often it is that word; for all leaves, or those of one word."""
        return [f"{condition}: word {leaf.word} ({leaf.purity:.0%})" for condition, leaf in self.leaves() if word in (None, leaf.word)]


def grow(
    features: Mapping[str, ArrayLike],
    words: ArrayLike,
    depth: int = 3,
    least_share: float = 0.01,
    categorical: frozenset[str] = frozenset(),
    seed: int = 0,
) -> Tree:
    """A tree that predicts the words (n,) from named features {name: (n,)}, grown on one half of the samples and judged on the other.

    Each split tells most about the word (in bits); a leaf holds at least ``least_share`` of the samples. Features that are not numbers,
    and those named in ``categorical``, are split by one value against the others, numbers at one of 127 quantiles of what reaches the
    split, half way to the next value. ValueError without features, for features of another length than the words, numbers that are not
    finite and fewer than 4 samples.
    """
    w = np.asarray(words).astype(np.int64)
    columns = {name: np.asarray(column) for name, column in features.items()}
    if not columns or w.ndim != 1 or len(w) < 4 or any(column.shape != w.shape for column in columns.values()):
        raise ValueError("a tree needs features, one number for each word, and four samples at least")
    discrete = {name for name, column in columns.items() if name in categorical or column.dtype.kind not in "iuf"}
    for name, column in columns.items():
        if name not in discrete and not np.all(np.isfinite(column)):
            raise ValueError(f"the feature {name} holds a number that is not finite")
    order = np.random.default_rng(seed).permutation(len(w))
    learnt, held = order[: len(w) // 2], order[len(w) // 2 :]
    seen, numbers = np.unique(w[learnt], return_inverse=True)
    least = max(1, int(np.ceil(least_share * len(learnt))))
    codes = {name: labels(columns[name]) for name in discrete}
    root = judged(Growing(columns, codes, seen, numbers, learnt, least).node(np.arange(len(learnt)), depth), columns, w, held)
    commonest = seen[np.argmax(np.bincount(numbers))]
    return Tree(root, float(np.mean(descend(root, columns, held) == w[held])), float(np.mean(w[held] == commonest)))


@dataclass(frozen=True)
class Growing:
    """What splits are sought among: ``numbers`` (n,) the words as 0..m-1 of the samples ``learnt``; ``codes``: categorical features as
    numbers."""

    columns: Columns
    codes: Mapping[str, Labels]
    seen: Labels
    numbers: Labels
    learnt: Labels
    least: int

    def node(self, inside: Labels, depth: int) -> Node:
        """The best tree of this depth for the samples ``inside``; sides that would say the same are one leaf."""
        counts = np.bincount(self.numbers[inside], minlength=len(self.seen))
        leaf = Leaf(int(self.seen[np.argmax(counts)]), len(inside) / len(self.learnt), float(counts.max() / len(inside)))
        if depth < 1 or len(inside) < 2 * self.least:
            return leaf
        found = [self.on_values(name, inside) if name in self.codes else self.on_threshold(name, inside) for name in self.columns]
        gain, name, threshold, value, left = max(found, key=lambda entry: entry[0])
        if gain <= GAIN:
            return leaf
        yes, no = self.node(inside[left], depth - 1), self.node(inside[~left], depth - 1)
        return leaf if isinstance(yes, Leaf) and isinstance(no, Leaf) and yes.word == no.word else Split(name, threshold, value, yes, no)

    def on_threshold(self, name: str, inside: Labels) -> tuple[float, str, float | None, object, NDArray[np.bool_]]:
        """The best threshold among quantiles, with its gain and who lies below."""
        x = self.columns[name][self.learnt[inside]].astype(np.float64)
        order = np.argsort(x, kind="stable")
        ordered, n = x[order], len(x)
        # A cut before position p, moved up to where the value changes.
        wanted = np.unique(np.round(np.arange(1, MOST_CUTS + 1) * n / (MOST_CUTS + 1)).astype(np.int64))
        cuts = np.unique(np.searchsorted(ordered, ordered[np.clip(wanted, 0, n - 1)], side="left"))
        cuts = cuts[(cuts >= self.least) & (cuts <= n - self.least)]
        if not len(cuts):
            return -np.inf, name, None, None, np.zeros(n, dtype=bool)
        below = np.cumsum(self.tally(np.searchsorted(cuts, np.arange(n), side="right"), self.numbers[inside][order], len(cuts) + 1), axis=0)
        gains = gained(below[:-1], below[-1])
        best = int(np.argmax(gains))
        low, high = ordered[cuts[best] - 1], ordered[cuts[best]]
        threshold = float(low + (high - low) / 2) if low + (high - low) / 2 < high else float(low)
        return float(gains[best]), name, threshold, None, x <= threshold

    def on_values(self, name: str, inside: Labels) -> tuple[float, str, float | None, object, NDArray[np.bool_]]:
        """The best value to tell from the others."""
        code = self.codes[name][self.learnt[inside]]
        each = self.tally(code, self.numbers[inside], int(self.codes[name].max()) + 1)
        sizes = each.sum(axis=1)
        allowed = (sizes >= self.least) & (sizes <= len(inside) - self.least)
        gains = np.where(allowed, gained(each, each.sum(axis=0)), -np.inf)
        # Among equals the last, so that what is true is told and not what is false.
        best = len(gains) - 1 - int(np.argmax(gains[::-1]))
        chosen = code == best
        value = self.columns[name][self.learnt[inside[chosen]]][0].item() if allowed[best] else None
        return float(gains[best]), name, None, value, chosen

    def tally(self, cells: Labels, words: Labels, count: int) -> Array:
        """How often each word occurs in each cell (count, m)."""
        m = len(self.seen)
        return np.bincount(cells * m + words, minlength=count * m).reshape(count, m).astype(np.float64)


def gained(parts: Array, whole: Array) -> Array:
    """What splitting off each part (k, m) of the whole (m,), both counts of words, tells about the word (k,), in bits."""
    return (unknown(whole) - unknown(parts) - unknown(whole - parts)) / whole.sum()


def unknown(counts: Array) -> Array:
    """Size times entropy (bits) of counts (..., m)."""
    size = counts.sum(axis=-1)
    return np.asarray((xlogy(size, size) - np.sum(xlogy(counts, counts), axis=-1)) / LN2)


def takes(split: Split, column: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Who goes the way of "yes"."""
    return np.asarray(column == split.value if split.threshold is None else column <= split.threshold)  # type: ignore[operator]


def descend(node: Node, columns: Columns, inside: Labels) -> Labels:
    """The words that a tree predicts for the samples ``inside``."""
    if isinstance(node, Leaf):
        return np.full(len(inside), node.word, dtype=np.int64)
    yes = takes(node, columns[node.name][inside])
    out = np.empty(len(inside), dtype=np.int64)
    out[yes], out[~yes] = descend(node.yes, columns, inside[yes]), descend(node.no, columns, inside[~yes])
    return out


def judged(node: Node, columns: Columns, words: Labels, inside: Labels, total: int | None = None) -> Node:
    """The tree with shares and purities by samples that it has not seen; a leaf that none of them reaches keeps its own purity."""
    total = len(inside) if total is None else total
    if isinstance(node, Leaf):
        purity = float(np.mean(words[inside] == node.word)) if len(inside) else node.purity
        return Leaf(node.word, len(inside) / total, purity)
    yes = takes(node, columns[node.name][inside])
    sides = [judged(side, columns, words, inside[who], total) for side, who in ((node.yes, yes), (node.no, ~yes))]
    return replace(node, yes=sides[0], no=sides[1])


@dataclass(frozen=True)
class Path:
    """The conditions on the way to a leaf: the interval (low, high] of each number, and of each category what it is or is not."""

    intervals: Mapping[str, tuple[float, float]]
    categories: Mapping[str, tuple[object, tuple[object, ...]]]

    def below(self, split: Split, yes: bool) -> Path:
        """The path with one more condition."""
        if split.threshold is None:
            known, excluded = self.categories.get(split.name, (None, ()))
            fact = (split.value, ()) if yes else (known, (*excluded, split.value))
            return Path(self.intervals, {**self.categories, split.name: fact})
        low, high = self.intervals.get(split.name, (-np.inf, np.inf))
        interval = (low, min(high, split.threshold)) if yes else (max(low, split.threshold), high)
        return Path({**self.intervals, split.name: interval}, self.categories)

    def conditions(self) -> list[str]:
        out = []
        for name, (low, high) in self.intervals.items():
            if np.isinf(low) or np.isinf(high):
                out.append(f"{name} <= {high:.3g}" if np.isinf(low) else f"{name} > {low:.3g}")
            else:
                out.append(f"{low:.3g} < {name} <= {high:.3g}")
        for name, (known, excluded) in self.categories.items():
            if known is True or excluded == (True,):
                out.append(name if known is True else f"not {name}")
            else:
                out.append(f"{name} is not {' or '.join(map(str, excluded))}" if excluded else f"{name} = {known}")
        return out


def walk(node: Node, path: Path) -> Iterator[tuple[Path, Leaf]]:
    if isinstance(node, Leaf):
        yield path, node
    else:
        yield from walk(node.yes, path.below(node, True))
        yield from walk(node.no, path.below(node, False))
