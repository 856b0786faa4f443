"""Training: engines behind one interface, chosen by the structure of the game."""

from .settings import Progress, Settings, Store, Trained
from .training import ENGINES, plan, train

__all__ = ["ENGINES", "Progress", "Settings", "Store", "Trained", "plan", "train"]
