"""Texts, spans and diagnostics: the ground floor."""

from .diagnostic import Diagnostic, GameError, Ledger, Note, near_names
from .text import Source, Span

__all__ = ["Diagnostic", "GameError", "Ledger", "Note", "Source", "Span", "near_names"]
