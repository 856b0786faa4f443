"""Fisher information of a message about what it was made from, and the spectrum of that information.

A matrix of jacobians A (n, rows, d) is *whitened* if A_i^T A_i is the information of sample i about its d inputs. For a Gaussian
message the rows are those of the mean and the sd; for parameters and any density they are one, the score itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree
from jax.typing import ArrayLike


def whitened(mean_jacobians: Array, sd: ArrayLike, sd_jacobians: Array | None = None) -> Array:
    """(n, D, d), or (n, 2 D, d) where the sd has jacobians (n, D, d) too. ``sd`` broadcasts to (n, D).

    The information of independent normals: J^T diag(sd^-2) J + 2 K^T diag(sd^-2) K (Lehmann and Casella 1998, section 2.5)."""
    scale = jnp.broadcast_to(jnp.asarray(sd), mean_jacobians.shape[:-1])[..., None]
    if sd_jacobians is None:
        return mean_jacobians / scale
    return jnp.concatenate([mean_jacobians, jnp.sqrt(2.0) * sd_jacobians], axis=-2) / jnp.concatenate([scale, scale], axis=-2)


def message_jacobians(encode: Callable[[Array], tuple[Array, Array]], inputs: Array) -> Array:
    """Whitened jacobians (n, 2 D, d) of an encoder (d,) -> mean (D,), sd (D,) at each of the inputs (n, d)."""

    def one(given: Array) -> tuple[tuple[Array, Array], Array]:
        def both(x: Array) -> tuple[tuple[Array, Array], Array]:
            mean, sd = encode(x)
            sd = jnp.broadcast_to(sd, mean.shape)
            return (mean, sd), sd

        return jax.jacrev(both, has_aux=True)(given)

    (mean_jacobians, sd_jacobians), sd = jax.vmap(one)(inputs)
    return whitened(mean_jacobians, sd, sd_jacobians)


def score_jacobians(log_density: Callable[..., Array], parameters: Any, *samples: Array) -> Array:
    """(n, 1, p): the gradient of log_density(parameters, *sample) by the parameters, raveled, for samples with a first axis n.

    Whitened on average if the messages among the samples were drawn from the density itself."""
    gradients = jax.vmap(jax.grad(log_density), in_axes=(None, *(0 for _ in samples)))(parameters, *samples)
    return jax.vmap(lambda gradient: ravel_pytree(gradient)[0])(gradients)[:, None, :]


def information(jacobians: Array) -> Array:
    """(n, d, d): the information of each sample, from whitened jacobians. In units of input^-2."""
    return jnp.einsum("nri,nrj->nij", jacobians, jacobians)


def _gram(matrix: Array) -> Array:
    """The smaller of A^T A and A A^T, which have the same eigenvalues but for zeros."""
    other = jnp.swapaxes(matrix, -1, -2)
    return other @ matrix if matrix.shape[-1] <= matrix.shape[-2] else matrix @ other


def spectrum(jacobians: Array, per_sample: bool = False) -> Array:
    """Eigenvalues, falling, of the mean information: (min(n rows, d),); or of each sample's: (n, min(rows, d)). The other
    eigenvalues are zero."""
    n, rows, inputs = jacobians.shape
    matrix = jacobians if per_sample else jacobians.reshape(n * rows, inputs) / jnp.sqrt(n)
    return jnp.flip(jnp.maximum(jnp.linalg.eigvalsh(_gram(matrix)), 0.0), axis=-1)


def _entropy(eigenvalues: Array, floor: float) -> Array:
    total = jnp.sum(eigenvalues, axis=-1, keepdims=True)
    shares = eigenvalues / jnp.where(total > 0, total, 1.0)
    return -jnp.sum(shares * jnp.log(shares + floor), axis=-1)


def effective_rank(eigenvalues: Array, floor: float = 1e-30) -> Array:
    """exp of the entropy (nats) of the spectrum (..., k) as shares (Roy and Vetterli 2007): between 1 and k; 1 if all are zero."""
    return jnp.exp(_entropy(eigenvalues, floor))


def fisher_rank_penalty(jacobians: Array, per_sample: bool = False, floor: float = 1e-6) -> Array:
    """Scalar >= 0 (up to k * floor), nats: log k - log effective rank of the information, k the number of eigenvalues. Zero if the
    spectrum is flat, log k if it has rank one or is zero.

    ``per_sample``: the mean of the samples' own penalties instead of the penalty of the mean information. ``floor`` is added to
    the shares within the logarithm and bounds the derivative where an eigenvalue vanishes."""
    eigenvalues = spectrum(jacobians, per_sample)
    return jnp.mean(jnp.log(eigenvalues.shape[-1]) - _entropy(eigenvalues, floor))
