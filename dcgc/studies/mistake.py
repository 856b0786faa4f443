"""How a study of a run fails."""

from __future__ import annotations


class StudyProblem(ValueError):
    """A study that cannot be made of this run; the message is one line."""
