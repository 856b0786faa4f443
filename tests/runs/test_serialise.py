"""What is written is what is read, to the last bit; and no file can do harm."""

import math
import os
import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgc.lower.strategy import BestResponse, Strategy, Tabular
from dcgc.policies import FAMILIES, build, head
from dcgc.runs.serialise import BadFile, NotStorable, from_bytes, load, modules, save, to_bytes


@pytest.fixture(autouse=True)
def double_precision():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def same(a, b):
    """Equal in type, structure and every bit."""
    if type(a) is not type(b) and not (isinstance(a, jax.Array) and isinstance(b, jax.Array)):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, jax.Array):
        if jax.dtypes.issubdtype(a.dtype, jax.dtypes.prng_key):
            return a.dtype == b.dtype and same(np.asarray(jax.random.key_data(a)), np.asarray(jax.random.key_data(b)))
        return (a.weak_type == b.weak_type or a.ndim > 0) and same(np.asarray(a), np.asarray(b))
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return np.float64(a).tobytes() == np.float64(b).tobytes() or (math.isnan(a) and math.isnan(b))
    if isinstance(a, eqx.Module):
        return same(vars(a), vars(b))
    return a == b


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(width=64) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=15,
)


@settings(max_examples=100, deadline=None)
@given(TREES.filter(lambda tree: "\ud800" not in str(tree)))
def test_any_tree_comes_back(tree):
    assert same(from_bytes(to_bytes(tree)), tree)


@pytest.mark.parametrize("make", [
    lambda: np.arange(6.0).reshape(2, 3).T,  # not contiguous
    lambda: np.zeros((0, 3), np.float32),
    lambda: np.asarray(-0.0),
    lambda: np.float64(0.1),
    lambda: np.bool_(True),
    lambda: np.asarray([True, False]),
    lambda: np.asarray([1 + 2j]),
    lambda: np.asarray([float("nan"), -float("inf"), 5e-324]),
    lambda: jnp.asarray(1.5),
    lambda: jnp.asarray(1.5, jnp.float32),
    lambda: jnp.asarray(3),
    lambda: jnp.ones((2, 0, 3)),
    lambda: jnp.asarray([1.0, 2.5], jnp.bfloat16),
    lambda: jax.random.key(7),
    lambda: jax.random.split(jax.random.key(7, impl="rbg"), 3),
    lambda: jax.random.PRNGKey(3),
])
def test_any_array_comes_back(make):
    value = make()
    assert same(from_bytes(to_bytes({"a": value}))["a"], value)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_policy_family_comes_back_and_decides_alike(family, tmp_path):
    inputs = 0 if family in ("table", "constant") else 1
    policy = build(family, jax.random.key(1), inputs=inputs, outputs=1, combinations=2,
                   **({"layout": ((1, 1),), "rows": 0} if family == "pointer" else {}))
    strategy = Strategy(policy, head("bounded", scale=2.0), jnp.zeros(inputs), jnp.ones(inputs), (2,), hard=False)
    save(str(tmp_path / "p"), {"u": strategy})
    again = load(str(tmp_path / "p"))["u"]
    assert same(again, strategy)
    assert jax.tree.structure(again) == jax.tree.structure(strategy)  # jit compiles nothing anew
    x = jnp.full(inputs, 0.3)
    assert again.raw(jnp.asarray(1), x).tobytes() == strategy.raw(jnp.asarray(1), x).tobytes()


def test_rules_without_a_family_come_back():
    for rule in (BestResponse(("payment 1", "payment 2")), Tabular(("x",), jnp.arange(3.0))):
        assert same(from_bytes(to_bytes(rule)), rule)


def test_every_module_is_known():
    assert {"Strategy", "BestResponse", "Tabular", "MLP", "Block", "RealHead"} <= set(modules())


@pytest.mark.parametrize(("value", "where"), [
    ({1: 2.0}, "key"), ({"a": [object()]}, r"\['a'\]\[0\]"), ({"f": print}, "builtin"), (eqx.nn.Identity(), "Identity"),
    (np.asarray(["text"]), "str"), (np.asarray([None]), "object"), ({1.0, 2.0}, "set"),
])
def test_what_cannot_be_stored_is_named(value, where):
    with pytest.raises(NotStorable, match=where):
        to_bytes(value)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = str(tmp_path / "checkpoint")
    save(path, {"step": 1})
    with pytest.raises(NotStorable):
        save(path, {"step": object()})
    assert load(path) == {"step": 1}
    assert os.listdir(tmp_path) == ["checkpoint"]


GOOD = to_bytes({"a": np.arange(50.0), "b": [1, 2.5, None], "p": BestResponse(("x",))})


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place, change):
    data = bytearray(GOOD)
    data[place] ^= change
    try:
        tree = from_bytes(bytes(data))
    except BadFile:
        return
    assert same(tree, from_bytes(GOOD))  # at most what does not matter has changed (a space of the header)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD) - 1))
def test_a_file_cut_short_is_refused(length):
    with pytest.raises(BadFile):
        from_bytes(GOOD[:length])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_anything_else_is_refused(data):
    with pytest.raises(BadFile):
        from_bytes(data)


def test_a_file_cannot_name_other_classes():
    from dcgc.runs import serialise

    text = GOOD
    assert b"BestResponse" in text
    with pytest.raises(BadFile):
        from_bytes(text.replace(b"BestResponse", b"SimpleServer"))
    arrays: dict = {}
    forged = '{"module":"Popen","fields":{"args":["true"]}}'
    data = serialise.pack(forged, arrays, serialise.checksum(forged, arrays))
    with pytest.raises(BadFile, match="does not know"):
        from_bytes(data)


def test_a_writer_killed_at_any_moment_leaves_a_whole_file(tmp_path):
    """A process that only writes checkpoints is killed again and again; what lies there can always be read."""
    path = str(tmp_path / "checkpoint")
    program = ("import sys, numpy as np\nfrom dcgc.runs.serialise import save\nn = 0\nprint('go', flush=True)\n"
               "while True:\n    save(sys.argv[1], {'n': n, 'a': np.full(20000, float(n))}); n += 1\n")
    rng = np.random.default_rng(5)
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(0.05 + rng.uniform(0, 0.3))
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        process.stdout.close()
        state = load(path)
        assert (state["a"] == state["n"]).all()
