"""Versions of dcgc, of Python and of the libraries that decide what is computed."""

from __future__ import annotations

import platform
from argparse import ArgumentParser, Namespace
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("dcgc", "jax", "jaxlib", "equinox", "optax", "numpy", "sympy")


def add_arguments(parser: ArgumentParser) -> None:
    """None."""


def run(options: Namespace) -> int:
    for name in LIBRARIES:
        try:
            print(f"{name} {version(name)}")
        except PackageNotFoundError:
            print(f"{name} is not installed")
    print(f"Python {platform.python_version()} on {platform.platform()}")
    return 0
