"""Linear-quadratic-Gaussian control with perfect recall over many stages: Riccati's recursion backward, Kalman's filter forward.

The act is a gain times the estimate of state and noise given all that was seen and done (certainty equivalence and separation: Joseph
and Tou 1961; Astrom 1970, chapter 8; Bertsekas 2017, volume 1, section 4.3). States, dynamics and observations are read off the stage.
Its states
are those that payments, observations or such states depend on (the *core*), and histories. That the controller forgets nothing, and that
histories tell it nothing but what it saw and did, is checked at every stage.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..learning.stage_moments import Solver
from ..lower.linear_stages import Matrices
from .reading import basis, within
from .stationary import FLAT, Unsolved


@dataclass(frozen=True)
class Control:
    """``rules`` (stages, k, 1 + inputs), ``gains`` of each stage (k, 1 + core + draws) on the estimate, ``variances`` of each stage (core,
    core) of the core given what is known, ``curvature``: the least second derivative of the cost in an act, over the largest."""

    rules: np.ndarray
    gains: tuple[np.ndarray, ...]
    variances: tuple[np.ndarray, ...]
    curvature: float


def core_of(stages: list[Matrices], ending: np.ndarray, states: int, outside: int) -> np.ndarray:
    """The states (columns of (1, s), from 1 on) that matter by themselves: not as a memory of what was seen."""
    n = 1 + states + outside

    def moved(x: np.ndarray) -> set[int]:
        return {int(k) for k in np.flatnonzero(np.abs(x).reshape(-1, x.shape[-1]).max(axis=0, initial=0.0)[:n] > 0)} - {0}

    core = moved(ending)
    for m in stages:
        core |= moved(np.asarray(m.paid))
        seen = np.asarray(m.seen[0])
        new = seen[np.abs(seen[:, n:]).max(axis=1) > 0]
        core |= moved(new)
    while True:
        more = core.union(*(moved(np.asarray(m.following)[sorted(core)]) for m in stages)) if core else core
        if more == core:
            return np.asarray(sorted(core), int)
        core = more


def without_blanks(stages: list[Matrices], start: np.ndarray) -> list[Matrices]:
    """The same, with columns of states that are 0 whatever happens (entries of histories that are still to come) set to 0."""
    n = len(start)
    active = np.abs(start).max(axis=1) > 0
    out = []
    for m in stages:
        columns = np.concatenate([active, np.ones(m.following.shape[1] - n, bool)])
        out.append(replace(m, following=m.following * columns, seen=tuple(z * columns for z in m.seen)))
        active = np.abs(out[-1].following).max(axis=1) > 0
    return out


def solve_control(solver: Solver, read: list[Matrices]) -> Control:
    """The optimal control. Raises Unsolved where there is more than one decision in a stage, or memory is not perfect."""
    linear = solver.linear
    if len(solver.slots) != 1:
        raise Unsolved("several decisions in a stage, and what matters is not known to them")
    states, outside, inside, width = linear.shape
    n = 1 + states + outside
    ending = np.asarray(linear.ending())[0]
    stages = without_blanks(read, np.asarray(solver.start))
    core = core_of(stages, ending, states, outside)
    gains, curvature = riccati(stages, ending / solver.discount**solver.length, core, solver.discount, n, inside)
    rules, variances = kalman(solver, stages, gains, core, n, inside)
    return Control(np.stack(rules), tuple(gains), tuple(variances), curvature)


def riccati(stages: list[Matrices], last: np.ndarray, core: np.ndarray, discount: float, n: int, inside: int,
            ) -> tuple[list[np.ndarray], float]:
    """The gains (k, 1 + core + draws) of every stage, first to last, and the least curvature. Raises Unsolved where it is not
    positive."""
    kept = np.concatenate([[0], core])  # of (1, s)
    value = last[np.ix_(kept, kept)]
    gains, least = [], np.inf
    for m in reversed(stages):
        size = m.following.shape[1]
        columns = np.concatenate([kept, np.arange(n, size)])  # 1, core, draws, acts
        following = m.following[np.ix_(kept, columns)]
        cost = m.paid[0][np.ix_(columns, columns)] + discount * following.T @ value @ following
        acts = len(kept) + inside
        own = cost[acts:, acts:]
        values = np.linalg.eigvalsh(own)
        if values[0] <= FLAT * max(np.abs(cost).max(), 1e-300):
            raise Unsolved(f"the cost is not strictly convex in what is decided (least second derivative {2 * values[0]:.4g})")
        least = min(least, values[0] / values[-1])
        gain = -np.linalg.solve(own, cost[acts:, :acts])
        gains.append(gain)
        before = cost[:acts, :acts] + cost[:acts, acts:] @ gain
        value = before[:len(kept), :len(kept)].copy()
        value = (value + value.T) / 2
        value[0, 0] += np.trace(before[len(kept):, len(kept):])
    return gains[::-1], float(least)


def kalman(solver: Solver, stages: list[Matrices], gains: list[np.ndarray], core: np.ndarray, n: int, inside: int,
           ) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The rules (k, 1 + inputs) on what is seen, by stage, and the variance of the core given what is known."""
    others = np.setdiff1d(np.arange(1, n), core)
    start = np.asarray(solver.start)
    variance = start[core][:, 1:] @ start[core][:, 1:].T
    rules, variances = [], []
    before: np.ndarray | None = None  # (states, N of the stage before): (1, s) now
    known: np.ndarray = np.zeros((1, 0))  # what was known and done, over the stage before
    predicted = start[core][:, :1]  # the estimate of the core, over the stage before (first: over 1)
    for m, gain in zip(stages, gains, strict=True):
        seen, dynamics = np.asarray(m.seen[0]), np.asarray(m.following)
        new = np.abs(seen[:, others]).max(axis=1, initial=0.0) == 0  # of core, draws and 1 alone
        fixed = np.abs(seen[:, n:]).max(axis=1) == 0  # functions of (1, s)
        if before is None:
            if np.abs((seen[~new][:, :n] @ start)[:, 1:]).max(initial=0.0) > 0:
                raise Unsolved("a history is not empty in the first stage")
            weights = np.zeros((len(core), len(seen)))
            weights[:, :1] = predicted
        else:
            old = seen[fixed][:, :n] @ before
            span = basis(old)
            if not within(known, span):
                raise Unsolved("the controller does not remember all that it saw and did")
            if not within((seen[fixed & ~new][:, :n]) @ before, basis(known)):
                raise Unsolved("a history tells more than what was seen and done")
            size = np.linalg.norm(old, axis=1)
            size = np.where(size > 0, size, 1.0)
            found = np.linalg.lstsq((old / size[:, None]).T, predicted.T, rcond=1e-12)[0].T / size
            weights = np.zeros((len(core), len(seen)))
            weights[:, fixed] = found
        # measurement: what is new, on (core, draws)
        h = np.concatenate([seen[new][:, core], seen[new][:, n:n + inside]], axis=1)
        joint = np.zeros((len(core) + inside, len(core) + inside))
        joint[:len(core), :len(core)] = variance
        joint[len(core):, len(core):] = np.eye(inside)
        k = joint @ h.T @ np.linalg.pinv(h @ joint @ h.T, rcond=1e-12, hermitian=True)
        estimate = np.zeros((len(core) + inside, len(seen)))
        estimate[:len(core)] = weights
        innovation = np.eye(len(seen))[new] - h @ estimate
        innovation[:, 0] -= seen[new][:, 0]
        estimate += k @ innovation
        joint = joint - k @ h @ joint
        joint = (joint + joint.T) / 2
        rule = gain[:, :1] * np.eye(1, len(seen)) + gain[:, 1:] @ estimate
        rules.append(rule)
        variances.append(joint[:len(core), :len(core)])
        # the next stage, over v = (1, s, draws, acts) of this one
        acts = np.eye(dynamics.shape[1])[n + inside:]
        following = dynamics[core]
        part = following[:, np.concatenate([core, np.arange(n, n + inside)])]
        predicted = following[:, :1] * np.eye(1, seen.shape[1]) + part @ estimate @ seen + following[:, n + inside:] @ acts
        variance = part @ joint @ part.T
        known = np.concatenate([seen, acts])
        before = dynamics
    return rules, variances
