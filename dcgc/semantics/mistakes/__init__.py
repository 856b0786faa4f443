"""Every mistake that the checker reports, a file for each room of codes."""

from .channels import CHANNELS
from .knowledge import KNOWLEDGE
from .missing import MISSING
from .mistake import Mistake
from .names import NAMES
from .parameters import PARAMETERS
from .types import TYPES
from .use import USE

MISTAKES: tuple[Mistake, ...] = NAMES + TYPES + KNOWLEDGE + PARAMETERS + MISSING + CHANNELS + USE

__all__ = ["MISTAKES", "Mistake"]
