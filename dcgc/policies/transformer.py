"""The transformer: observations as tokens, for policies that read many or structured things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from .policy import Policy, normal_arrays


class Block(eqx.Module):
    """One pre-norm layer: attention over the tokens, then a two-layer perceptron, each added to its input.

    ``query``, ``key``, ``value`` (heads, width / heads, width); ``merge`` (width, width); ``grow`` (4 width, width);
    ``shrink`` (width, 4 width); the gains of the two norms (width,).
    """

    query: jax.Array
    key: jax.Array
    value: jax.Array
    merge: jax.Array
    grow: jax.Array
    grow_bias: jax.Array
    shrink: jax.Array
    attention_gain: jax.Array
    perceptron_gain: jax.Array

    @staticmethod
    def shapes(width: int, heads: int) -> list[tuple[int, ...]]:
        """The shapes of the six weights."""
        split = (heads, width // heads, width)
        return [split, split, split, (width, width), (4 * width, width), (width, 4 * width)]

    @classmethod
    def build(cls, weights: Sequence[jax.Array], depth: int) -> Self:
        """From standard normal weights of the ``shapes``; ``depth`` is the number of layers."""
        # Paths that add to the stream shrink with the depth, so that the stream stays of order one.
        small = 0.5 / depth**0.5
        query, key, value, merge, grow, shrink = (weight / weight.shape[-1] ** 0.5 for weight in weights)
        ones = jnp.ones_like(merge[0])
        return cls(query, key, value, small * merge, grow, jnp.zeros_like(grow[:, 0]), small * shrink, ones, ones)

    def __call__(self, tokens: jax.Array, log_prior: jax.Array) -> jax.Array:
        """tokens (n, width) -> (n, width); ``log_prior`` (n,) is added to the scores of every query."""
        seen = _normalise(tokens) * self.attention_gain
        queries, keys, values = (jnp.einsum("hfw,nw->hnf", w, seen) for w in (self.query, self.key, self.value))
        scores = jnp.einsum("hqf,hkf->hqk", queries, keys) / keys.shape[-1] ** 0.5 + log_prior
        mixed = jnp.einsum("hqk,hkf->qhf", jax.nn.softmax(scores, axis=-1), values)
        tokens = tokens + mixed.reshape(tokens.shape) @ self.merge.T
        seen = _normalise(tokens) * self.perceptron_gain
        return tokens + jax.nn.gelu(seen @ self.grow.T + self.grow_bias) @ self.shrink.T


def _normalise(tokens: jax.Array) -> jax.Array:
    """Mean 0 and mean square 1 over the width (layer norm without gain)."""
    centred = tokens - jnp.mean(tokens, axis=-1, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + 1e-6)


class Transformer(Policy):
    """A plain pre-norm transformer over a summary token, a token for the finite inputs, and the observations' tokens.

    ``layout`` says how the flat input falls into observations: (tokens, reals per token) each, in order. An observation
    has one value embedding for all its tokens, and each token has its position. The finite combination is one more
    token. The summary token's last state, beside an affine function of the inputs, is the output.

    Attention is rational inattention with a prior over what is looked at: weights p_j exp(U_j) / Z. Plain attention
    has the uniform prior. ``gradient_aware``: p = (1 - eps) r / sum r + eps / n with r the relevance of each token for
    what is paid, |<dJ/dm_j, m_j>| averaged over earlier steps, which training writes with ``with_relevance``; its fair
    baseline is ``learned_bias``: a trained log prior, as many numbers.
    """

    fixed: ClassVar[tuple[str, ...]] = ("relevance",)

    embeddings: tuple[jax.Array, ...]
    positions: jax.Array
    combinations: jax.Array
    summary: jax.Array
    blocks: tuple[Block, ...]
    head: jax.Array
    skip: jax.Array
    offset: jax.Array
    bias: jax.Array
    relevance: jax.Array
    layout: tuple[tuple[int, int], ...] = eqx.field(static=True)
    gradient_aware: bool = eqx.field(static=True)
    learned_bias: bool = eqx.field(static=True)
    epsilon: float = eqx.field(static=True)
    pointed: tuple[int, int] | None = eqx.field(static=True, default=None)

    @classmethod
    def build(
        cls, key: jax.Array, *, inputs: int, outputs: int, combinations: int, dtype: DTypeLike,
        layout: tuple[tuple[int, int], ...] | None = None, rows: int | None = None, layers: int = 2, heads: int = 4, width: int = 64,
        gradient_aware: bool = False, learned_bias: bool = False, epsilon: float = 0.1, scale: float = 0.5,
    ) -> Self:  # fmt: skip
        """``rows``: the observation that has a token for every option: each option's score is then read at its own token.
        ``scale``: spread of the outputs at the start. ``epsilon``: the uniform part of a gradient-aware prior.

        Raises ValueError if heads do not divide width, the layout does not add up to ``inputs``, layers are below one,
        or epsilon is outside [0.05, 1] (below, attention and gradient feed each other).
        """
        layout = ((1, 1),) * inputs if layout is None else layout
        if sum(count * size for count, size in layout) != inputs:
            raise ValueError(f"layout {layout} does not add up to {inputs} inputs")
        if layers < 1 or heads < 1 or width < 1 or width % heads:
            raise ValueError("a transformer needs layers >= 1 and a width that heads divide")
        if not 0.05 <= epsilon <= 1:
            raise ValueError("epsilon must lie in [0.05, 1]")
        count = sum(tokens for tokens, _ in layout)
        shapes = Block.shapes(width, heads)
        drawn = iter(normal_arrays(
            key,
            [
                *((width, size) for _, size in layout), *(shapes * layers),
                (count, width), (combinations, width), (width,), (width if rows is not None else outputs, width),
                (0 if rows is not None else outputs, inputs),
            ],
            dtype,
        ))  # fmt: skip
        return cls(
            embeddings=tuple(next(drawn) / size**0.5 for _, size in layout),
            blocks=tuple(Block.build([next(drawn) for _ in shapes], layers) for _ in range(layers)),
            positions=next(drawn),
            combinations=next(drawn),
            summary=next(drawn),
            head=scale / width**0.5 * next(drawn),
            skip=scale / max(inputs, 1) ** 0.5 * next(drawn),
            offset=jnp.zeros((0 if rows is not None else outputs,), dtype),
            bias=jnp.zeros((count,), dtype),
            relevance=jnp.ones((count,), dtype),
            layout=tuple((int(tokens), int(size)) for tokens, size in layout),
            gradient_aware=bool(gradient_aware),
            learned_bias=bool(learned_bias),
            epsilon=float(epsilon),
            pointed=None if rows is None else (2 + sum(n for n, _ in layout[:rows]), layout[rows][0]),
        )

    def untrained(self) -> tuple[str, ...]:
        return self.fixed if self.learned_bias else (*self.fixed, "bias")

    def with_relevance(self, relevance: ArrayLike) -> Self:
        """The policy with new relevances r >= 0, one per observation token."""
        new = jnp.asarray(relevance, self.relevance.dtype)
        return eqx.tree_at(lambda policy: policy.relevance, self, new)

    def log_prior(self) -> jax.Array:
        """The log prior over [summary, finite combination, observation tokens], up to a constant; 0 means uniform."""
        ends = jnp.zeros((2,), self.bias.dtype)
        if not self.gradient_aware:
            return jnp.concatenate([ends, self.bias if self.learned_bias else jax.lax.stop_gradient(self.bias)])
        relevance = jax.lax.stop_gradient(self.relevance)
        total = jnp.sum(relevance)
        n = max(relevance.shape[0], 1)
        share = jnp.where(total > 0, relevance / jnp.where(total > 0, total, 1), 1 / n)
        # Relative to the uniform prior, so that the two tokens that are always there keep the weight they had.
        return jnp.concatenate([ends, jnp.log(n * ((1 - self.epsilon) * share + self.epsilon / n))])

    def __call__(self, finite_index: ArrayLike, inputs: jax.Array) -> jax.Array:
        pieces, start = [], 0
        for embedding, (count, size) in zip(self.embeddings, self.layout, strict=True):
            values = inputs[start : start + count * size].reshape(count, size)
            pieces.append(values @ embedding.T)
            start += count * size
        observed = jnp.concatenate(pieces) + self.positions if pieces else self.positions
        stream = jnp.concatenate([self.summary[None], self.combinations[finite_index][None], observed])
        log_prior = self.log_prior()
        for block in self.blocks:
            stream = block(stream, log_prior)
        if self.pointed is not None:
            first, count = self.pointed
            options, asked = _normalise(stream[first:first + count]), self.head @ _normalise(stream[0])
            return options @ asked / options.shape[-1] ** 0.5
        return self.head @ _normalise(stream[0]) + self.skip @ inputs + self.offset
