"""In which of its two forms a block of stages is trained: written out, or elaborated once."""

from __future__ import annotations

from ..lower.problem import Problem
from .settings import Settings
from .training import ENGINES, asked_for


def better_once(written: Problem, once: Problem, settings: Settings) -> bool:
    """Whether stages that could be written out are better elaborated once.

    Where an engine for such stages is asked for; and where states sum up all that matters, so that dynamic programming solves each stage
    at every state, while backward induction over the written-out moves would need a grid over all acts so far. Linear-quadratic games are
    solved to rounding as they are written.
    """
    if settings.engine in ENGINES:
        return ENGINES[settings.engine].repeats and ENGINES[settings.engine].refuses(once) is None
    if settings.engine != "auto" or written.is_lqg or "dynamic" not in asked_for(once):
        return False
    return ENGINES["backward"].refuses(written) is not None and ENGINES["dynamic"].refuses(once) is None
