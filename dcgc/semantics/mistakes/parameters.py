"""P: parameters, and their values from outside."""

from .mistake import Mistake, text

OUT_OF_RANGE = Mistake(
    "P401",
    "a parameter out of its range",
    "the parameter `{name}` is {value}, outside {range}",
    "",
    "The range of a param is checked entry by entry, for its default and for every value given with --set.",
    text("param k = 2 in [0, 1]\nmeasure m = k"),
)

NOT_WHOLE = Mistake(
    "P402",
    "a parameter that must be whole",
    "the parameter `{name}` must be a whole number, but it is {value}",
    "",
    "`param n : int` is a whole number, or an array of them.",
    text("param k : int = 2.5\nmeasure m = k"),
)

UNKNOWN_PARAMETER = Mistake(
    "P403",
    "unknown parameter",
    "there is no parameter `{name}` to set",
    "the parameters are {known}",
    "`--set NAME=value` replaces the value of a param of the game.",
    text(""),
)

BAD_SETTING = Mistake(
    "P404",
    "a value that does not fit the parameter",
    "the value set for `{name}` {why}",
    "",
    "A replacement is a number or a nested list of numbers of the same shape as the default.",
    text("param k = 2\nmeasure m = k"),
)

EMPTY_RANGE = Mistake(
    "P405",
    "an empty range",
    "no value lies in the range from {low} to {high}",
    "write the lower end first",
    "The range of a param has the lower end first; round brackets leave an end out.",
    text("param k = 2 in [3, 1]\nmeasure m = k"),
)

NOT_FINITE = Mistake(
    "P406",
    "a parameter that is not finite",
    "the parameter `{name}` must be finite",
    "",
    "A param is a number of the model; `inf` stands in ranges, bounds and horizons only.",
    text("param k = inf\nmeasure m = k"),
)

NO_VARIANT = Mistake(
    "P407",
    "a variant that is none",
    "`{flag}` is not one player, or one team and its members",
    "write `--commit P` or `--team NAME=A,B`",
    "`--commit P` announces P's policy first, `--team NAME=A,B` makes A and B minimise the sum of what either is charged; both make a "
    "variant of a game without a new text.",
    text(""),
)

PARAMETERS = tuple(value for value in list(globals().values()) if isinstance(value, Mistake))
