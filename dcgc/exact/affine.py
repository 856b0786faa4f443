"""Games and teams in which acts speak: affine equilibria, teams where affine rules are known to be best, and the linear baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..learning import affine_newton
from ..learning.affine_moments import Moments
from ..lower.problem import Problem
from ..verify.joint import joint_gain
from .reading import LinearQuadratic, payer
from .signalling import AffineProfiles, affine_profiles
from .solution import Assumption, Exact
from .stationary import Unsolved

CHANNEL = "Bansal and Basar 1987: where the cost has no product of the two acts, no code does better over the Gaussian channel " \
    "between them than a linear one"
CLOSED = "a best reply to affine rules is affine (normal draws, quadratic costs): affine profiles that satisfy the first-order " \
    "conditions are Nash equilibria among all policies (Basar and Olsder 1999, section 4.8; Kyle 1985; Saritas, Yuksel and Gezici 2017)"
BASELINE = "the best profile of affine rules; without nested information others may do better (Witsenhausen 1968)"
EQUAL = 1e-9  # of the size of costs
NO_GAIN = 1e-9


def solve_affine(problem: Problem, game: LinearQuadratic) -> Exact:
    """By the polynomial first-order conditions. Raises Unsolved."""
    if not problem.is_lqg:
        raise Unsolved("what is seen depends on acts, and draws or bounds are such that best replies to linear rules are not linear")
    if problem.is_team:
        return of_team(problem, game)
    found = affine_profiles(problem)
    good = [i for i in range(len(found.thetas)) if is_equilibrium(problem, found.moments.profile(problem, jnp.asarray(found.thetas[i])))]
    if not good:
        raise Unsolved("no affine profile satisfies the first- and second-order conditions of everybody")
    good.sort(key=lambda i: (round(float(found.costs[i].sum()), 9), *(-np.round(found.thetas[i], 9))))
    labels = labels_of(problem)
    pairs = [(found.moments.profile(problem, jnp.asarray(found.thetas[i])), dict(zip(labels, map(float, found.costs[i]), strict=True)))
             for i in good]
    distinct = len({tuple(np.round(found.costs[i], 9)) for i in good})
    return Exact(pairs[0][0], f"affine equilibria: the real roots of a polynomial of degree {found.degree}, by elimination", CLOSED, (
        Assumption("linear observations, quadratic payments, normal draws", "read as matrices"),
        Assumption("a residual of the first-order conditions at rounding", f"{found.residuals[good].max():.1g} of their size"),
        Assumption("each player's cost convex in all its acts, and nothing to gain by another rule", "normal equations of its best reply"),
    ), count=f"{len(good)} affine equilibri{'um' if len(good) == 1 else 'a'}"
        + (f" of {distinct} kinds" if 1 < distinct < len(good) else "")
        + (", and there are no others that are affine (Sturm's theorem)" if found.complete else "; there may be others")
        + ("; shown is that of least total cost" if len(good) > 1 else ""), costs=pairs[0][1], others=tuple(pairs[1:]))


def labels_of(problem: Problem) -> list[str]:
    return [payer(problem, x) for x in dict.fromkeys(problem.decider(d) for d in problem.game.decisions)]


def is_equilibrium(problem: Problem, profile: Mapping[str, Any]) -> bool:
    """Whether nobody gains by any policy: an exact best reply of each player, all its decisions together."""
    for person in dict.fromkeys(problem.decider(d) for d in problem.game.decisions):
        own = [d for d in problem.game.decisions if problem.decider(d) == person]
        gain = joint_gain(problem, profile, own)
        if gain is None or gain.gain > NO_GAIN * (gain.charged + 1e-300):
            return False
    return True


def of_team(problem: Problem, game: LinearQuadratic) -> Exact:
    """The best affine profile of a team: a solution where affine rules are known to be best, else a baseline. Raises Unsolved."""
    assumptions = [Assumption("linear observations, quadratic payments, normal draws", "read as matrices")]
    try:
        found = affine_profiles(problem)
    except Unsolved as reason:
        return searched(problem, assumptions, str(reason))
    if not len(found.thetas):
        raise Unsolved("no affine profile satisfies the first-order conditions: none is best")
    best = least(found)
    assumptions.append(Assumption("a residual of the first-order conditions at rounding", f"{found.residuals[best]:.1g} of their size"))
    profile = found.moments.profile(problem, jnp.asarray(found.thetas[best]))
    count = f"{len(found.thetas)} affine profiles satisfy the first-order conditions" + \
        (", all there are (Sturm's theorem)" if found.complete else ", perhaps not all") + "; this one costs least"
    costs = dict(zip(labels_of(problem), map(float, found.costs[best]), strict=True))
    covered = over_a_channel(game) if found.complete else None
    if covered is not None:
        return Exact(profile, f"best affine profile, by the real roots of a polynomial of degree {found.degree}", CHANNEL,
                     (*assumptions, *covered), count=count, costs=costs)
    return Exact(profile, f"best affine profile, by the real roots of a polynomial of degree {found.degree}", BASELINE, tuple(assumptions),
                 "baseline", count, costs)


def least(found: AffineProfiles) -> int:
    """The profile of least cost; of equal ones that whose first coefficients are largest, so that it is the same everywhere."""
    costs = found.costs[:, 0]
    tied = np.flatnonzero(costs <= costs.min() + EQUAL * (1 + abs(costs.min())))
    return int(max(tied, key=lambda i: tuple(np.round(found.thetas[i], 9))))


def searched(problem: Problem, assumptions: list[Assumption], reason: str) -> Exact:
    """The best affine profile that Newton's method finds: not all of them need be known."""
    roots, _ = affine_newton.solve(problem, 0)
    good = [r for r in roots if r.curvature > -1e-7]
    if not good:
        raise Unsolved(reason)
    moments: Moments | None = affine_newton.moments(problem)
    if moments is None:
        raise Unsolved(reason)
    from ..verify.judge import judge

    judged = sorted(((judge(problem, r.profile).total, i) for i, r in enumerate(good)))
    best = good[judged[0][1]]
    return Exact(dict(best.profile), "best affine profile that Newton's method found from six fixed starts", BASELINE, tuple(assumptions),
                 "baseline",
                 f"{len(good)} affine profiles satisfy the first-order conditions, perhaps not all ({reason})")


def over_a_channel(game: LinearQuadratic) -> tuple[Assumption, ...] | None:
    """The conditions of Bansal and Basar: one scalar act after another, the second seeing the first in independent noise, no product
    of both in the cost; None where one of them does not hold. What the second would match must not move with the noise of what it sees."""
    if len(game.acts) != 2 or any(len(a.place) != 1 or len(a.seen) != 1 for a in game.acts):
        return None
    first, second = game.acts
    u1, u2 = int(first.place[0]), int(second.place[0])
    if np.abs(first.seen[0, game.places]).max() > 0 or abs(second.seen[0, u1]) < 1e-12:
        return None
    q = game.costs[0]
    scale = np.abs(q).max()
    source = first.seen[0, game.draws]
    if np.linalg.norm(source) < 1e-12 or min(q[u1, u1], q[u2, u2]) <= 1e-12 * scale or abs(q[u1, u2]) > 1e-12 * scale:
        return None
    source = source / np.linalg.norm(source)
    noise = second.seen[0, game.draws] - (second.seen[0, game.draws] @ source) * source
    if np.linalg.norm(noise) < 1e-12:
        return None
    if abs(q[u2, game.draws] @ noise) > 1e-12 * scale * np.linalg.norm(noise):
        return None
    return (Assumption("two scalar acts, the second seeing the first in normal noise independent of what the first sees", "their rows"),
            Assumption("no product of the two acts in the cost", f"its coefficient is {abs(q[u1, u2]):.1g}"),
            Assumption("what the second act should match does not move with the noise", "coefficient of the cost"))
