"""From text to tree and back: grammar, parser, comments and canonical layout."""

from .parser import parse

__all__ = ["format_file", "parse"]


def __getattr__(name: str) -> object:
    """``format_file`` is loaded when asked for: ``dcgc check`` does without it."""
    if name == "format_file":
        from .format import format_file
        return format_file
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
