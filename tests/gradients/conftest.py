"""Numerical tests run in float64, as dcgc itself does."""

import jax

jax.config.update("jax_enable_x64", True)
