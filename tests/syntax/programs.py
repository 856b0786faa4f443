"""Random texts for Hypothesis: any program of the grammar, with superfluous brackets, odd line ends and comments.

A writer is a function from a source of randomness to a text. (Hypothesis' own combinators, nested as deep as a grammar,
spend their time on their descriptions.)
"""

from collections.abc import Callable
from random import Random

from hypothesis import strategies as st

Writer = Callable[[Random, int], str]  # the second argument: how much deeper it may go


def one_of(*parts: "str | Writer") -> Writer:
    return lambda rng, depth: _write(rng.choice(parts), rng, depth)


def joined(*parts: "str | Writer") -> Writer:
    return lambda rng, depth: "".join(_write(part, rng, depth) for part in parts)


def optional(*parts: "str | Writer") -> Writer:
    return one_of("", joined(*parts))


def repeated(part: "str | Writer", low: int, high: int, separator: str = "") -> Writer:
    return lambda rng, depth: separator.join(_write(part, rng, depth) for _ in range(rng.randint(low, high)))


def sequence(part: "str | Writer", low: int = 1) -> Writer:
    return repeated(part, low, 3, ", ")


def deeper(leaf: Writer, branch: Writer) -> Writer:
    def write(rng: Random, depth: int) -> str:
        return leaf(rng, depth) if depth <= 0 or rng.random() < 0.3 else branch(rng, depth - 1)
    return write


def _write(part: "str | Writer", rng: Random, depth: int) -> str:
    return part if isinstance(part, str) else part(rng, depth)


def expression(rng: Random, depth: int) -> str:
    return deeper(_LEAF, _BRANCH)(rng, depth)


def statement(rng: Random, depth: int) -> str:
    return deeper(_SIMPLE, _COMPOUND)(rng, depth)


NAMES = one_of(*"a b x1 price state cost within when bits in été Firm std.f mixed next for_".split())  # not by, knowing
PLAIN = one_of(*"a b x1 price state cost bits in été Firm total route".split())
NUMBERS = one_of("0", "1", "2.5", "1e-3", "2%", "inf", "pi")
TEXTS = one_of('"A"', '"on the way # no comment"', '"{ ( ünder"', '""')
GAP = one_of("", "", "", " ", "\n", " # note 1\n", "\n\n # (note {2\n")
BREAK = one_of("\n", "; ", "\n\n\n", " # trailing\n", "\n# own line\n", "\n\n  # apart\n\n", ";\n")

CLOSED = joined("(", GAP, expression, GAP, ")")
DOMAIN = one_of(PLAIN, joined(CLOSED, "..", CLOSED))
ARITHMETIC = one_of(*"+ - * / ^".split())
_LEAF = one_of(NAMES, NUMBERS, "true", "recall", "last(a, b)")
_BRANCH = one_of(
    joined(CLOSED, " ", one_of(*"+ - * / ^ ** == < >= != and or".split()), " ", CLOSED),
    joined(NAMES, " ", ARITHMETIC, " ", NUMBERS, " ", ARITHMETIC, CLOSED),
    joined("(", one_of("-", "+", "not "), CLOSED, ")"),
    joined("(if ", expression, " then ", expression, " else ", expression, ")"),
    joined(NAMES, "(", GAP, sequence(one_of(expression, joined(PLAIN, " = ", expression)), 0), ")"),
    joined(NAMES, "[", sequence(one_of(expression, "others", "all")), GAP, "]"),
    joined("[", sequence(expression), "]"),
    joined(CLOSED, "[", expression, "](", expression, ")"),
    joined("sum(", expression, " for ", PLAIN, " in ", DOMAIN, optional(" if ", expression), ")"),
    joined(one_of("E[", "Var["), expression, optional(" | ", expression), "]"),
    joined("Cov[", expression, ", ", expression, optional(" | ", expression), "]"),
)

REFERENCE = one_of(PLAIN, joined(PLAIN, "[", expression, "]"))
TYPE = one_of(
    "Real", "Unit", "Choice(left, right)", "Message(4, 8)", "Function(Real -> Real[2], rbf(8, 0, 1))",
    joined("Real[", sequence(expression), "]"), joined("Interval(", expression, ", ", expression, ")"))
KNOWING = joined(one_of(" knowing ", "\nknowing ", " knowing\n "), one_of("nothing", sequence(expression)),
                 one_of("", " mixed"))
INTERVAL = joined(" in ", one_of("(", "["), expression, ", ", expression, one_of(")", "]"))
BITS = joined(CLOSED, " ", one_of("bits", "nats"), optional(" on average"))
CLAUSES = joined(optional(" within ", one_of("1%", "0.5%", "1e-3", "3", "100%")), optional("\n when ", expression),
                 optional(" from ", TEXTS))


def lines(part: "str | Writer", low: int, high: int) -> Writer:
    """Statements or entries with line ends, semicolons and comments between."""
    return repeated(joined(BREAK, part), low, high)


def block(part: "str | Writer", high: int = 3) -> Writer:
    return joined(" {", lines(part, 0, high), BREAK, "}")


def channel_block(rng: Random, depth: int) -> str:
    """Some of the entries, each once, in any order."""
    entries = [joined("carries ", TYPE), joined("budget ", BITS), "stop soft", joined("heard by ", sequence(REFERENCE)),
               joined("price ", CLOSED, " per nat", optional(" paid by A")),
               joined("noise awgn(power = ", expression, ")")]
    texts = [_write(entry, rng, depth) for entry in rng.sample(entries, rng.randint(0, len(entries)))]
    if rng.random() < 0.5:
        return " { " + "; ".join(texts) + " }"
    return " {" + "".join(BREAK(rng, depth) + text for text in texts) + BREAK(rng, depth) + "}"


_SIMPLE = one_of(
    joined("game G ", one_of("", TEXTS)), joined("cite ", TEXTS, optional(" doi ", TEXTS)), 'use "o.dcg" as o',
    "use std.channels.awgn", "commit A", "policy A : mlp", "policy F[1] : mlp(width = 3)",
    joined("param k", one_of("", " : int"), " = ", expression, one_of("", INTERVAL)),
    joined("def f(", sequence(PLAIN, 0), ") =\n ", expression),
    joined("player A, ", PLAIN, "[", expression, "] symmetric"), joined("team ", PLAIN, " = ", sequence(REFERENCE)),
    joined("random ", REFERENCE, " ~ Normal(0, ", expression, ")"), joined("let ", REFERENCE, " = ", expression),
    joined("decide ", REFERENCE, " : ", TYPE, " by ", REFERENCE, KNOWING),
    joined("send ", REFERENCE, " by ", REFERENCE, KNOWING), joined("budget total(", sequence(REFERENCE), ") <= ", BITS),
    joined("solve ", REFERENCE, INTERVAL, " : ", expression, " = ", expression),
    joined(one_of("cost ", "payoff ", "state ", "next "), REFERENCE, " = ", expression),
    joined("constrain ", CLOSED, one_of(" <= ", " >= ", " = "), CLOSED, " by ", REFERENCE),
    joined("halt when ", expression), joined("delay ", expression), joined("measure q = ", expression),
    joined("known payoff(A) = ", expression, CLAUSES), joined("bound q >= ", expression, optional(" from ", TEXTS)),
    joined("record q = ", expression), joined("tap ", REFERENCE), joined("plot ", expression, " against ", expression),
    joined("channel m[i in F] : A -> B, others", channel_block),
    joined("attend z : A to ", sequence(expression), optional(" knowing ", expression), channel_block),
    joined("gradient", block(one_of("route m : full", "route p -> F : first"))),
    joined("gradient { budget ", CLOSED, " Mflop per sample; route m : stop }"),
    joined("train", block(joined(PLAIN, " ", expression))),
)
_COMPOUND = one_of(
    joined("for i in ", DOMAIN, block(statement)), joined("when ", expression, block(statement)),
    joined("stage t in 1..", CLOSED, optional(" discount ", CLOSED), block(statement)))

EXPRESSIONS = st.integers(0, 2**32).map(lambda seed: expression(Random(seed), 4))
PROGRAMS = st.integers(0, 2**32).map(lambda seed: joined(lines(statement, 1, 6), BREAK)(Random(seed), 3))
