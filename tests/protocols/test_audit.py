"""The audit as a whole: a signalling game with words that are known to mean something."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from dcgc.protocols import ScalarQuantiser, audit_protocol, causal_influence, play_controls


@pytest.fixture(scope="module")
def found():
    """x is told in 2 bits, y in 1, z not at all; the colour is not told either. One word of nine is never said."""
    rng = np.random.default_rng(0)
    n = 8000
    x, y, z = rng.uniform(size=(3, n))
    colour = rng.choice(["red", "blue"], n)
    q = ScalarQuantiser.fit(np.c_[x, 0.3 * y], 3)
    words = q.encode(np.c_[x, 0.3 * y])
    assert q.sizes == (4, 2)

    def play(m):
        return np.sum((np.c_[x, 0.3 * y] - m) ** 2, axis=1)

    return audit_protocol(
        words, {"x": x, "y": y, "z": z, "colour": colour}, 9, messages=q.decode(words), tokens=q.symbols(words),
        controls=play_controls(play, q.decode(words), oracle=0.0), influence=causal_influence(lambda w: q.decode(w)[:, 0], 100, 8),
    )  # fmt: skip


def test_what_the_words_mean(found):
    assert found.count == 9 and found.samples == 8000 and [w.word for w in found.words] == list(range(8))
    assert sum(w.frequency for w in found.words) == pytest.approx(1)
    assert found.entropy.value == pytest.approx(3, abs=0.01)
    means = np.asarray([[w.moments[name].mean for name in "xy"] for w in found.words])
    np.testing.assert_allclose(means, [[(2 * i + 1) / 8, (2 * j + 1) / 4] for i in range(4) for j in range(2)], atol=0.02)
    assert abs(found.words[0].moments["z"].mean - 0.5) < 4 * found.words[0].moments["z"].standard_error
    assert "colour" not in found.words[0].moments


def test_how_much_they_say(found):
    told = {name: estimate.value for name, estimate in found.information.items()}
    assert list(told) == ["x", "y", "z", "colour"]
    assert told["x"] == pytest.approx(2, abs=0.1) and told["y"] == pytest.approx(1, abs=0.1)
    assert abs(told["z"]) < 0.01 and abs(told["colour"]) < 0.002
    assert found.tree_accuracy > 0.95 > 0.2 > found.tree_baseline
    assert found.positional_disentanglement == pytest.approx(1, abs=0.03)
    assert found.bag_of_symbols_disentanglement == pytest.approx(1, abs=0.03)
    assert 0.1 < found.topographic_similarity < 0.9
    assert found.controls is not None and found.controls.closed > 0.85


def test_json_and_markdown(found):
    read = json.loads(found.to_json())
    assert read["words"][3]["frequency"] == found.words[3].frequency
    assert read["entropy"]["value"] == found.entropy.value and read["controls"]["oracle"] == 0
    text = found.render_markdown()
    for part in ("| word | said | x | y | z |", "Of 9 words 1 are never said", "## How much they say", "information about colour",
                 "topographic similarity", "## What they are worth", "messages of other plays", ": word 3 ("):  # fmt: skip
        assert part in text
    table = [line for line in text.splitlines() if line.startswith("| ")][:10]
    assert {line.count("|") for line in table} == {6}


def test_the_least_that_can_be_audited():
    bare = audit_protocol([0, 0, 0, 0], {"kind": np.asarray(list("abab"))}, 1)
    assert math.isnan(bare.topographic_similarity) and bare.entropy.value == 0 and bare.controls is None
    read = json.loads(bare.to_json())
    assert read["topographic_similarity"] is None and read["controls"] is None
    assert "always: word 0 (100%)" in bare.render_markdown()
    with pytest.raises(ValueError, match="1 words"):
        audit_protocol([0, 1, 0, 0], {"x": np.zeros(4)}, 1)
    with pytest.raises(ValueError, match="features"):
        audit_protocol([0, 0, 0, 0], {}, 1)
