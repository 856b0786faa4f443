"""Which routes the gradient takes back."""

from .sparsify import dropped, dropping, keep_rates

__all__ = ["dropped", "dropping", "keep_rates"]
