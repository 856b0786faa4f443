"""Descent of a team's cost in all its real tables at once: L-BFGS with a line search, as one jitted scan."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jax import Array

Cost = Callable[[dict[str, Array]], Array]


def descend(cost: Cost, tables: dict[str, Array], steps: int, memory: int = 20) -> tuple[dict[str, Array], Array]:
    """``steps`` iterations of L-BFGS (Liu and Nocedal 1989, zoom line search); the tables reached and the cost at every step.

    Steps after convergence change nothing.
    """
    optimiser = optax.lbfgs(memory_size=memory, linesearch=optax.scale_by_zoom_linesearch(max_linesearch_steps=20))
    value_and_grad = optax.value_and_grad_from_state(cost)

    def body(carry: tuple, _: None) -> tuple[tuple, Array]:
        at, state = carry
        value, gradient = value_and_grad(at, state=state)
        updates, new_state = optimiser.update(gradient, state, at, value=value, grad=gradient, value_fn=cost)
        moved = optax.apply_updates(at, updates)
        fine = jnp.all(jnp.asarray([jnp.all(jnp.isfinite(x)) for x in jax.tree.leaves(moved)]))
        still = jax.tree.map(lambda a, b: jnp.where(fine, a, b), (moved, new_state), (at, state))
        return still, value

    (tables, _), history = jax.lax.scan(body, (tables, optimiser.init(tables)), None, length=steps)
    return tables, history
