"""The tree: it finds the rule that made the words, says it in words, and does not boast."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgc.protocols import entropy, grow
from dcgc.protocols.tree import Leaf, Split


def nature(n=20000, count=10, seed=0):
    rng = np.random.default_rng(seed)
    return {f"x{i}": rng.normal(size=n) for i in range(count)}


def test_a_rule_is_found_and_said():
    x = nature()
    words = np.where(x["x2"] <= 0.31, np.where(x["x7"] > 1, 3, 0), 5)
    began = time.process_time()
    tree = grow(x, words)
    assert time.process_time() - began < 2
    assert tree.accuracy > 0.985 and tree.baseline < 0.6
    assert len(tree.sentences()) == 3
    (sentence,) = tree.sentences(3)
    found = re.fullmatch(r"x2 <= (\S+) and x7 > (\S+): word 3 \((\d+)%\)", sentence)
    assert found and float(found[1]) == pytest.approx(0.31, abs=0.03) and float(found[2]) == pytest.approx(1, abs=0.05)
    assert int(found[3]) >= 95


def test_intervals_are_said_as_intervals():
    x = {"x": np.linspace(-1, 1, 5000), "y": np.random.default_rng(1).normal(size=5000)}
    tree = grow(x, np.digitize(x["x"], [-0.5, 0.5]))
    assert tree.accuracy > 0.98
    assert sorted(re.sub(r"0\.\d+", "t", s.split(":")[0]) for s in tree.sentences()) == ["-t < x <= t", "x <= -t", "x > t"]


def test_categories():
    rng = np.random.default_rng(2)
    colour, shape = rng.choice(["red", "green", "blue"], 3000), rng.integers(0, 5, 3000)
    words = np.where(colour == "red", 1, np.where(shape == 3, 2, 0))
    tree = grow({"colour": colour, "shape": shape}, words, categorical=frozenset({"shape"}))
    assert tree.accuracy == 1
    assert set(tree.sentences()) == {
        "colour = red: word 1 (100%)",
        "colour is not red and shape = 3: word 2 (100%)",
        "colour is not red and shape is not 3: word 0 (100%)",
    }
    flags = grow({"flag": colour == "red"}, (colour == "red").astype(int))
    assert set(flags.sentences()) == {"flag: word 1 (100%)", "not flag: word 0 (100%)"}


def test_words_without_a_reason_have_no_tree():
    rng = np.random.default_rng(3)
    tree = grow(nature(4000, 3), rng.integers(0, 2, 4000))
    assert abs(tree.accuracy - 0.5) < 0.05
    alone = grow(nature(100, 2), np.full(100, 4))
    assert alone.root == Leaf(4, 1.0, 1.0) and alone.accuracy == alone.baseline == 1
    assert alone.sentences() == ["always: word 4 (100%)"]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(4, 200), st.integers(0, 3))
def test_what_every_tree_keeps(seed, n, depth):
    rng = np.random.default_rng(seed)
    x = {"a": np.round(rng.normal(size=n), 1), "b": rng.integers(0, 3, n), "c": rng.choice(list("pq"), n)}
    words = rng.integers(0, 4, n) * (x["b"] > 0)
    tree = grow(x, words, depth=depth, least_share=0.05, seed=seed)

    def deep(node):
        return 0 if isinstance(node, Leaf) else 1 + max(deep(node.yes), deep(node.no))

    assert deep(tree.root) <= depth
    leaves = [leaf for _, leaf in tree.leaves()]
    assert sum(leaf.share for leaf in leaves) == pytest.approx(1) and len(tree.sentences()) == len(leaves)
    assert sum(leaf.share * leaf.purity for leaf in leaves) == pytest.approx(tree.accuracy)
    assert set(tree.predict(x).tolist()) <= {leaf.word for leaf in leaves}


def test_the_first_split_is_the_best_of_all():
    """By brute force over all thresholds between neighbouring samples, where there are few enough to try all."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        x = {"a": rng.normal(size=100), "b": rng.normal(size=100)}
        words = (x["a"] + 0.5 * rng.normal(size=100) > 0.2).astype(int) + (x["b"] > 1)
        tree = grow(x, words, depth=1, least_share=0.02, seed=1)
        learnt = np.random.default_rng(1).permutation(100)[:50]

        def impurity(w):
            return len(w) * entropy(np.bincount(w)) if len(w) else 0.0

        def cost(below, learnt=learnt, words=words, impurity=impurity):
            return impurity(words[learnt][below]) + impurity(words[learnt][~below])

        best = min(cost(v[learnt] <= t) for v in x.values() for t in np.sort(v[learnt])[:-1])
        assert isinstance(tree.root, Split) and tree.root.threshold is not None
        assert cost(x[tree.root.name][learnt] <= tree.root.threshold) == pytest.approx(best)


def test_mistakes_are_named():
    for features in ({}, {"x": np.zeros(3)}):
        with pytest.raises(ValueError, match="features"):
            grow(features, np.zeros(10, dtype=int))
    with pytest.raises(ValueError, match="the feature x"):
        grow({"x": np.full(10, np.nan)}, np.zeros(10, dtype=int))
