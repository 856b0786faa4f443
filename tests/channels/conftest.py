"""Numerical tests run in float64, as dcgc itself does; the helper module stands in tests/core."""

import sys
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)
sys.path.insert(0, str(Path(__file__).parents[1] / "core"))
