"""The words of the language that are not statements: types, policy families, bases, noises, settings."""

from __future__ import annotations

from dataclasses import dataclass

from .functions import FUNCTIONS


@dataclass(frozen=True)
class TypeForm:
    """How a type is written: whether it takes sizes in ``[ ]``, and how many arguments in ``( )`` (most None: any)."""

    signature: str
    dims: bool = False
    least: int = 0
    most: int | None = 0
    carried: bool = False


TYPES: dict[str, TypeForm] = {
    "Real": TypeForm("Real, Real[n] or Real[n, m]", dims=True, carried=True),
    "Positive": TypeForm("Positive or Positive[n]", dims=True),
    "Unit": TypeForm("Unit or Unit[n]", dims=True),
    "Interval": TypeForm("Interval(a, b)", dims=True, least=2, most=2),
    "Bool": TypeForm("Bool or Bool[n]", dims=True),
    "Choice": TypeForm("Choice(n) or Choice(left, right)", least=1, most=None),
    "Simplex": TypeForm("Simplex(n)", least=1, most=1),
    "Tokens": TypeForm("Tokens(L, V)", least=2, most=2, carried=True),
    "Message": TypeForm("Message(L, d)", least=2, most=2, carried=True),
    "Function": TypeForm("Function(Real -> Real, basis)", carried=True),
}

# basis of a Function: how many numbers it takes
BASES: dict[str, int] = {"affine": 0, "poly": 1, "rbf": 3, "mlp": 1}

POLICY_FAMILIES = ("affine", "mlp", "pointer", "transformer", "piecewise", "table", "constant", "best_response")

# noise of a channel: its arguments, in order
NOISES: dict[str, tuple[str, ...]] = {
    "awgn": ("power", "sd"),
    "gaussian": (),
    "erasure": ("p",),
    "bsc": ("p",),
    "none": (),
}

ROUTE_ORDERS = ("full", "first", "stop")

NUMBER_SETTINGS = (
    "seed",
    "steps",
    "learning_rate",
    "batch",
    "tolerance",
    "nodes",
    "samples",
    "restarts",
    "width",
    "layers",
    "patience",
    "anneal",
    "temperature",
    "kl_weight",
    "fisher_rank_weight",
)
OTHER_SETTINGS = ("seeds", "engine", "precision", "expectation", "kl_prior", "estimator", "stages")
SETTINGS = NUMBER_SETTINGS + OTHER_SETTINGS

# settings that count something, and so are whole and at least 1
COUNTS = ("steps", "batch", "nodes", "samples", "restarts", "width", "layers", "patience")

KL_PRIORS = ("aggregated", "fixed")
STAGE_FORMS = ("auto", "written", "scanned")

# how the gradient of an expected cost is estimated where a message is drawn (the table is that of dcgc/gradients/estimators)
ESTIMATOR_NAMES = (
    "pathwise",
    "straight_through",
    "straight_through_argmax",
    "gumbel_softmax",
    "straight_through_gumbel",
    "reinforce",
    "reinforce_leave_one_out",
    "exact",
    "dithered_rounding",
    "straight_through_rounding",
    "mixture",
)

VALUE_WORDS = ("true", "false", "nothing", "recall", "others", "all")
MOMENTS = ("E", "Var", "Cov")
GRAMMAR_WORDS = ("if", "then", "else", "and", "or", "not", "inf", "pi")


def reserved() -> frozenset[str]:
    """Every word that cannot be a name."""
    from .distributions import DISTRIBUTIONS

    return frozenset((*VALUE_WORDS, *MOMENTS, *GRAMMAR_WORDS, *TYPES, *DISTRIBUTIONS)) | frozenset(FUNCTIONS)
