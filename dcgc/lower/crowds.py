"""How many of the others of a large family do what: the values and the law of an ``Others`` site.

Given what is common, the others draw and mix independently of each other and of the first member. So the number of those who take an
option is binomial with the chance that one of them takes it, their own draws integrated out; of several options the numbers are
multinomial. The sum over all profiles of thousands of others is a sum over these numbers, exactly.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import gammaln

from ..core.site import Others
from .variable import Variable, contract, lift, own_to_dim

if TYPE_CHECKING:
    from .world import World

MOST = 150_000  # cases of how many take each option
LEAST = 1e-300


def cases(site: Others) -> int:
    """How many ways there are in which the others can divide among the options."""
    return math.comb(site.size + site.options - 1, site.options - 1)


@lru_cache(maxsize=8)
def compositions(total: int, parts: int) -> np.ndarray:
    """All divisions of a number of members among options, (cases, options); of two options in the order of the second."""
    if parts == 2:
        second = np.arange(total + 1)
        return np.stack([total - second, second], 1)
    rows = [np.column_stack([np.full(math.comb(total - k + parts - 2, parts - 2), k), compositions(total - k, parts - 1)])
            for k in range(total + 1)]
    return np.concatenate(rows)


def numbers(site: Others) -> Array:
    """The value in every case: of a Bool the number who say yes (cases,), of a choice a number for each option (cases, options)."""
    table = compositions(site.size, site.options).astype(float)
    return jnp.asarray(table[:, 1] if site.yes_or_no else table)


def law(world: World, site: Others) -> Variable:
    """The probability of every case, along the site's own coordinate, at every point of what is common."""
    p = chance(world, site)
    table = compositions(site.size, site.options)
    ways = jnp.asarray(gammaln(site.size + 1.0) - jnp.sum(gammaln(table + 1.0), -1))
    log_p = Variable(p.dims, jnp.log(jnp.maximum(p.data, LEAST)))
    total = lift(lambda x: jnp.exp(ways + x @ jnp.asarray(table.T, float)), log_p)
    return own_to_dim(total, 0, site.name)


def chance(world: World, site: Others) -> Variable:
    """The chance that one of the others takes each option (options,), given what is common: its own draws are integrated out."""
    p = world.choice(site.of)
    own = [x for x in world.grid.sizes if is_private(world, site, x)]
    factors: list[Variable] = []
    pending, seen = [x for x in p.dims if x in own], set[str]()
    while pending:
        dim = pending.pop()
        if dim not in seen:
            seen.add(dim)
            factors.append(world.factor(dim))
            pending += [x for x in factors[-1].dims if x in own]
    keep = tuple(x for v in (p, *factors) for x in v.dims if x not in own)
    return contract([p, *factors], keep)


def is_private(world: World, site: Others, dim: str) -> bool:
    """Whether a coordinate is of the copy's own draws and acts."""
    c = world.reduction.coordinates.get(dim)
    if c is None:
        return False
    if dim in site.private or c.site in site.private:
        return True
    return c.observed is not None and bool(world.dependence.of(c.observed) & set(site.private))
