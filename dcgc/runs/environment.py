"""How JAX is set up for a run, and what a run says about where it was computed."""

from __future__ import annotations

import hashlib
import os
import platform
import warnings
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

LIBRARIES = ("dcgc", "jax", "jaxlib", "equinox", "optax", "numpy", "scipy", "sympy", "safetensors")
LARGEST_CACHE = 2_000_000_000  # bytes


def set_up_jax(precision: str = "float64") -> None:
    """Set JAX's floating type, and let it keep compiled programs in the user's cache folder."""
    import jax

    jax.config.update("jax_enable_x64", precision == "float64")
    if jax.config.values["jax_compilation_cache_dir"] is None:
        folder = compilation_cache()
        if folder is not None:
            jax.config.update("jax_compilation_cache_dir", folder)
            jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
            # A damaged entry is compiled anew; nobody needs to be told.
            warnings.filterwarnings("ignore", message=".*persistent compilation cache")


def compilation_cache() -> str | None:
    """A folder for compiled programs of this JAX on this kind of processor; None if none can be written.

    ``DCGC_NO_CACHE`` does without. A program compiled for another processor could stop this one, hence a folder for each.
    """
    if os.environ.get("DCGC_NO_CACHE"):
        return None
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(home, "dcgc", "xla", f"{version('jaxlib')}-{processor()}")
    try:
        os.makedirs(folder, exist_ok=True)
        prune(folder)
        probe = os.path.join(folder, f".probe-{os.getpid()}")
        with open(probe, "wb"):
            pass
        os.unlink(probe)
    except OSError:
        return None
    return folder


def prune(folder: str) -> None:
    """Forget the programs that were not used for longest once the folder has grown large."""
    with os.scandir(folder) as entries:
        files = [(e.stat().st_atime, e.stat().st_size, e.path) for e in entries if e.is_file()]
    total = sum(size for _, size, _ in files)
    if total > LARGEST_CACHE:
        for _, size, path in sorted(files):
            with suppress(OSError):
                os.unlink(path)
            total -= size
            if total < LARGEST_CACHE / 2:
                break


def processor() -> str:
    """A short name for what this processor can do."""
    text = platform.machine() + platform.processor()
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        text += "".join(sorted({line for line in file if line.startswith(("flags", "model name", "Features"))}))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def processor_model() -> str:
    """What this processor calls itself."""
    with suppress(OSError, StopIteration), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    return platform.processor() or platform.machine()


def versions() -> dict[str, Any]:
    """Versions and device of this process; starts JAX."""
    import jax

    found: dict[str, Any] = {"python": platform.python_version(), "platform": platform.platform()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    device = jax.devices()[0]
    found["device"] = f"{device.platform}: {device.device_kind}"
    found["precision"] = "float64" if jax.config.values["jax_enable_x64"] else "float32"
    return found
