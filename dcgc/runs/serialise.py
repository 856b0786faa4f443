"""Trees of numbers, arrays and policies as one file: a safetensors file whose header holds the tree as JSON.

What is read gives back exactly what was written: floats to the last bit, dtypes (bfloat16 too), typed PRNG keys, which array
was NumPy's and which JAX's. Reading executes nothing that a file says: a module is one of a fixed set of classes, its fields are
data. Every file carries a checksum of its arrays and of its tree, so that a file cut short or changed is refused.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

from .files import write_file

FORMAT = "dcgc tree 1"
DEEPEST = 100


class BadFile(Exception):
    """A file that is not, or no longer, what this module wrote; the message is one line."""


class NotStorable(TypeError):
    """A value that no file can hold; the message says where it stands in the tree."""


# ---------------------------------------------------------------- files


def save(path: str, tree: Any) -> None:
    """Write a tree; the file at ``path`` is replaced at once, and is on the disk when this returns.

    Raises NotStorable for what is no tree of dicts with string keys, lists, tuples, numbers, strings, None, arrays and modules.
    """
    write_file(path, to_bytes(tree))


def load(path: str) -> Any:
    """The tree in a file. Raises FileNotFoundError, and BadFile if it is damaged or something else."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        return from_bytes(data)
    except BadFile as problem:
        raise BadFile(f"{path}: {problem}") from None


def to_bytes(tree: Any) -> bytes:
    """A tree as the bytes of a safetensors file."""
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_Writer(arrays).write(tree, "the tree", 0), allow_nan=False, separators=(",", ":"))
    return pack(text, arrays, checksum(text, arrays))


def pack(text: str, arrays: dict[str, np.ndarray], digest: str) -> bytes:
    """The file. One entry of metadata: safetensors writes several in an order that changes from process to process."""
    header = json.dumps({"format": FORMAT, "checksum": digest, "tree": text}, separators=(",", ":"))
    return safetensors.numpy.save(arrays, {"dcgc": header})


def from_bytes(data: bytes) -> Any:
    """The tree in the bytes of a file. Raises BadFile."""
    try:
        header = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        header = json.loads(header["dcgc"])
        text, expected = header["tree"], header["checksum"]
        if header["format"] != FORMAT:
            raise BadFile(f"it is written as {header['format']!r}, and this version reads {FORMAT!r}")
        arrays = safetensors.numpy.load(data)
    except (ValueError, KeyError, TypeError, RecursionError, safetensors.SafetensorError):
        raise BadFile("no file that dcgc wrote, or it is cut short") from None
    if checksum(text, arrays) != expected:
        raise BadFile("its content does not fit its checksum: it was changed or damaged")
    try:
        return _Reader(arrays).read(json.loads(text))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as problem:
        raise BadFile(f"it holds something that this version does not know ({problem})") from None


def checksum(text: str, arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


# ---------------------------------------------------------------- trees


@cache
def modules() -> Mapping[str, type[eqx.Module]]:
    """The classes that a file may name: every Equinox module of ``dcgc.policies``, ``dcgc.lower.strategy`` and ``enumerated``."""
    package = import_module("dcgc.policies")
    homes = [import_module(f"dcgc.policies.{m.name}") for m in iter_modules(package.__path__)]
    homes += [import_module(f"dcgc.lower.{name}") for name in ("strategy", "enumerated")]
    found: dict[str, type[eqx.Module]] = {}
    for home in homes:
        for name, value in vars(home).items():
            if isinstance(value, type) and issubclass(value, eqx.Module) and value.__module__ == home.__name__:
                assert name not in found, f"two modules are called {name}"
                found[name] = value
    return found


# Dtypes that every NumPy has; arrays of others are stored as bytes beside the name of their dtype.
_INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
_PLAIN = frozenset({"bool", "float16", "float32", "float64", *_INTEGERS})


class _Writer:
    """Turns values into JSON; arrays go into ``arrays`` under a number."""

    def __init__(self, arrays: dict[str, np.ndarray]):
        self.arrays = arrays

    def write(self, value: Any, place: str, depth: int) -> Any:
        if depth > DEEPEST:
            raise NotStorable(f"{place} is nested more than {DEEPEST} deep")
        for kind, writer in _WRITERS:
            if isinstance(value, kind):
                return writer(self, value, place, depth + 1)
        raise NotStorable(f"{place} is a {type(value).__name__}, which cannot be stored")

    def plain(self, value: Any, place: str, depth: int) -> Any:
        if type(value) not in (bool, int, str, type(None)):
            raise NotStorable(f"{place} is a {type(value).__name__}, which cannot be stored")
        return value

    def number(self, value: float, place: str, depth: int) -> Any:
        return value if math.isfinite(value) else {"float": repr(value)}  # repr and back is exact

    def list_value(self, value: list[Any], place: str, depth: int) -> Any:
        return [self.write(item, f"{place}[{i}]", depth) for i, item in enumerate(value)]

    def tuple_value(self, value: tuple[Any, ...], place: str, depth: int) -> Any:
        if type(value) is not tuple:
            raise NotStorable(f"{place} is a {type(value).__name__}, a named tuple, which cannot be stored")
        return {"tuple": self.list_value(list(value), place, depth)}

    def dict_value(self, value: dict[Any, Any], place: str, depth: int) -> Any:
        if not all(isinstance(key, str) for key in value):
            raise NotStorable(f"{place} has a key that is no string")
        return {"dict": [[key, self.write(item, f"{place}[{key!r}]", depth)] for key, item in value.items()]}

    def array(self, value: np.ndarray, place: str, depth: int, **more: Any) -> Any:
        name = str(len(self.arrays))
        dtype = value.dtype.name
        if dtype not in _PLAIN:
            if dtype not in _extended():
                raise NotStorable(f"{place} is an array of {dtype}, which cannot be stored")
            more |= {"dtype": dtype, "shape": list(value.shape)}
            value = np.frombuffer(np.ascontiguousarray(value).tobytes(), np.uint8)
        self.arrays[name] = np.ascontiguousarray(value).reshape(value.shape)
        return {"array": name, **more}

    def scalar(self, value: np.generic, place: str, depth: int) -> Any:
        return self.array(np.asarray(value), place, depth, scalar=True)

    def jax_value(self, value: jax.Array, place: str, depth: int) -> Any:
        if jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
            return self.array(np.asarray(jax.random.key_data(value)), place, depth, key=str(jax.random.key_impl(value)))
        if value.weak_type and value.ndim == 0:
            return self.array(np.asarray(value), place, depth, weak=True)
        return self.array(np.asarray(value), place, depth, jax=True)

    def module(self, value: eqx.Module, place: str, depth: int) -> Any:
        name = type(value).__name__
        if modules().get(name) is not type(value):
            raise NotStorable(f"{place} is a {name}, no policy that can be stored")
        parts = {f.name: self.write(getattr(value, f.name), f"{place}.{f.name}", depth) for f in dataclasses.fields(value)}
        return {"module": name, "fields": parts}


# Tried in order: NumPy's float64 is a float, and bool an int.
_WRITERS: tuple[tuple[Any, Callable[..., Any]], ...] = (
    (np.generic, _Writer.scalar),
    (np.ndarray, _Writer.array),
    (jax.Array, _Writer.jax_value),
    (float, _Writer.number),
    ((bool, int, str, type(None)), _Writer.plain),
    (dict, _Writer.dict_value),
    (list, _Writer.list_value),
    (tuple, _Writer.tuple_value),
    (eqx.Module, _Writer.module),
)


@cache
def _extended() -> Mapping[str, np.dtype]:
    """Dtypes of machine learning that NumPy gets from ml_dtypes, and complex ones."""
    names = ("bfloat16", "float8_e4m3fn", "float8_e5m2")
    return {**{name: np.dtype(getattr(ml_dtypes, name)) for name in names},
            "complex64": np.dtype(np.complex64), "complex128": np.dtype(np.complex128)}


class _Reader:
    """Turns JSON back into values."""

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        self.arrays = arrays

    def read(self, data: Any) -> Any:
        if isinstance(data, list):
            return [self.read(item) for item in data]
        if not isinstance(data, dict):
            return data
        for tag, reader in _READERS.items():
            if tag in data:
                return reader(self, data)
        raise ValueError(f"an entry of {', '.join(data) or 'nothing'}")

    def number(self, data: dict[str, Any]) -> float:
        return float(data["float"])

    def tuple_value(self, data: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(self.read(item) for item in data["tuple"])

    def dict_value(self, data: dict[str, Any]) -> dict[str, Any]:
        return {key: self.read(item) for key, item in data["dict"]}

    def array(self, data: dict[str, Any]) -> Any:
        value = self.arrays[data["array"]]
        if "dtype" in data:
            value = np.frombuffer(value.tobytes(), _extended()[data["dtype"]]).reshape(data["shape"])
        if "key" in data:
            return jax.random.wrap_key_data(jnp.asarray(value), impl=data["key"])
        if data.get("weak"):
            scalar = jnp.asarray(value.item())
            return scalar if scalar.dtype == value.dtype else jnp.asarray(value)
        if data.get("jax"):
            restored = jnp.asarray(value)
            if restored.dtype != value.dtype:
                raise ValueError(f"{value.dtype} arrays need JAX's 64-bit mode")
            return restored
        return value[()] if data.get("scalar") else value.copy()

    def module(self, data: dict[str, Any]) -> eqx.Module:
        kind = modules()[data["module"]]
        names = [f.name for f in dataclasses.fields(kind)]
        if sorted(names) != sorted(data["fields"]):
            raise ValueError(f"a {data['module']} of other fields")
        restored = object.__new__(kind)  # as when a pytree is rebuilt: no constructor runs
        for name in names:
            object.__setattr__(restored, name, self.read(data["fields"][name]))
        return restored


_READERS: Mapping[str, Callable[[_Reader, dict[str, Any]], Any]] = {
    "float": _Reader.number,
    "tuple": _Reader.tuple_value,
    "dict": _Reader.dict_value,
    "array": _Reader.array,
    "module": _Reader.module,
}
