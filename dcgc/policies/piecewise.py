"""The piecewise affine policy: few pieces with learned breakpoints, jumps allowed."""

from __future__ import annotations

from typing import ClassVar, Literal, Self, get_args

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from .policy import Policy, normal_matrix

Start = Literal["random", "identity"]


class Piecewise(Policy):
    """In piece m of one continuous input x: level[m] + slope[m] * (x - centre[m]), own pieces for each finite
    combination.

    M pieces meet at M - 1 breakpoints, ordered by construction: the first, then softplus increments. Nothing makes
    neighbours agree at a breakpoint, so the policy may jump.

    A jump's place has a derivative only under an integral. ``temperature`` > 0 mixes neighbouring pieces by a
    logistic of that width (in units of the standardised input), which gives the breakpoints a gradient in training;
    0, the default, is exact, and the breakpoints' derivative is then zero. A breakpoint belongs to the piece on its
    right.

    Trained: ``first`` (c,), ``increments`` (c, M - 2), ``levels`` and ``slopes`` (c, M, k). Fixed: ``centres`` (M,).
    """

    fixed: ClassVar[tuple[str, ...]] = ("centres",)

    first: jax.Array
    increments: jax.Array
    levels: jax.Array
    slopes: jax.Array
    centres: jax.Array

    @classmethod
    def build(
        cls, key: jax.Array, *, inputs: int, outputs: int, combinations: int, dtype: DTypeLike,
        pieces: int = 8, span: float = 3.0, start: Start = "random", scale: float = 0.5, jitter: float = 0.1,
    ) -> Self:  # fmt: skip
        """Pieces of equal width on [-span, span], their breakpoints jittered. Levels start as a staircase along a line
        of random slope and height (``random``, spread ``scale``) or along the ``identity``, jittered; slopes at zero.

        Raises ValueError unless there is exactly one continuous input and at least two pieces, or for an unknown start.
        """
        if inputs != 1:
            raise ValueError(f"piecewise needs exactly one continuous input, not {inputs}")
        if pieces < 2:
            raise ValueError("piecewise needs at least 2 pieces; one piece is affine")
        if start not in get_args(Start):
            raise ValueError(f"unknown start {start!r}; there are {', '.join(get_args(Start))}")
        first_key, gap_key, line_key, level_key, slope_key = jax.random.split(key, 5)
        width = 2 * span / pieces
        centres = jnp.asarray(-span + width * (jnp.arange(pieces) + 0.5), dtype)
        first = -span + width * (1 + normal_matrix(first_key, (combinations,), 1, dtype, jitter))
        # Increments of exactly the mean width, up to a log-normal jitter; log(expm1(g)) inverts the softplus.
        gaps = width * jnp.exp(normal_matrix(gap_key, (combinations, pieces - 2), 1, dtype, jitter))
        height, slope = normal_matrix(line_key, (2, combinations, 1, outputs), 1, dtype, scale)
        if start == "identity":
            height, slope = jnp.zeros_like(height), jnp.ones_like(slope)
        noise = normal_matrix(level_key, (combinations, pieces, outputs), 1, dtype, jitter)
        return cls(
            first=first,
            increments=gaps + jnp.log(-jnp.expm1(-gaps)),
            levels=height + slope * centres[:, None] + noise,
            slopes=normal_matrix(slope_key, (combinations, pieces, outputs), 1, dtype, jitter * scale),
            centres=centres,
        )

    def breakpoints(self, finite_index: ArrayLike) -> jax.Array:
        """The breakpoints (M - 1,) of one finite combination, in increasing order."""
        first = self.first[finite_index][None]
        steps = jax.nn.softplus(self.increments[finite_index])
        return jnp.concatenate([first, first + jnp.cumsum(steps)])

    def __call__(self, finite_index: ArrayLike, inputs: jax.Array, temperature: ArrayLike = 0.0) -> jax.Array:
        x = inputs[0]
        offset = x - self.breakpoints(finite_index)
        temperature = jnp.asarray(temperature, offset.dtype)
        soft = jax.nn.sigmoid(offset / jnp.where(temperature > 0, temperature, 1))
        passed = jnp.where(temperature > 0, soft, (offset >= 0).astype(offset.dtype))
        # Membership of piece m: past its left end, not yet past its right end; the memberships sum to one.
        edge = jnp.ones_like(passed[:1])
        membership = jnp.concatenate([edge, passed]) - jnp.concatenate([passed, 0 * edge])
        centres = jax.lax.stop_gradient(self.centres)
        pieces = self.levels[finite_index] + self.slopes[finite_index] * (x - centres)[:, None]
        return membership @ pieces
