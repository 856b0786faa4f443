"""Codes of what the language can say but the compiler cannot lower (L) and of failures at run time (R)."""

from __future__ import annotations

from ..source.code import Code

_HEAD = "game Demo\nplayer A, B\n"

CODES: dict[str, Code] = {
    c.code: c
    for c in (
        Code("L001", "a statement that cannot be lowered yet",
             "The statement is correct, and `dcgc check` and `dcgc fmt` know it, but this version of the compiler has no "
             "computation for it: the game can be checked and formatted, not trained.",
             _HEAD + "random x ~ Normal(0, 1)\ndecide u : Real by A knowing x\nconstrain u <= x by A\n"
             "decide v : Real by B knowing nothing\ncost B = (u - v)^2\ncost A = (u - 2 * x)^2\n"),
        Code("L002", "a type that cannot be lowered yet",
             "The decision's type is correct, but this version of the compiler has no policy that decides it.",
             _HEAD + "decide f : Function(Real -> Real[2], affine) by A knowing nothing\ndecide u : Real by B knowing nothing\n"
             "cost A = sum(f(1))^2\ncost B = (u - 1)^2\n"),
        Code("L003", "an expression that cannot be lowered yet",
             "The expression is correct, but this version of the compiler has no computation for it.",
             "game Demo\nplayer A[2]\nfor i in A {\n  random x[i] ~ Normal(0, 1)\n  decide u[i] : Real by A[i] knowing x[i]\n"
             "  decide v[i] : Real by A[i] knowing recall\n  cost A[i] = (u[i] - v[i])^2\n}\n"),
        Code("L004", "a game that grows too large",
             "Definitions are expanded where they are used; nested uses of a definition that mentions its argument twice "
             "double in size at each level. The expanded game is refused beyond a fixed size, so that a text of a few lines "
             "cannot exhaust the memory. Name intermediate results with `let`.",
             "game Demo\nplayer A\n" + "def f1(x) = x * x + x\n"
             + "".join(f"def f{i + 1}(x) = f{i}(f{i}(x))\n" for i in range(1, 6))
             + "decide u : Real by A knowing nothing\ncost A = f6(u)\n"),
        Code("L005", "a policy family that does not fit",
             "`policy NAME : FAMILY` asks for a family that cannot decide this: a table needs inputs with finitely many "
             "values, `piecewise` needs exactly one real input.",
             "game Demo\nplayer A\nrandom x ~ Normal(0, 1)\ndecide u : Real by A knowing x\ncost A = (u - x)^2\n"
             "policy u : table\n"),
        Code("L006", "no engine can train this",
             "Every engine refuses the game, and the message says why. Most often a family of many players is not `symmetric`, or a "
             "finite decision is an array of choices.",
             "game Demo\nparam N : int = 40\nplayer Firm[N]\nfor i in Firm { random c[i] ~ Uniform(0, 1) }\n"
             "for i in Firm { decide e[i] : Bool by Firm[i] knowing c[i] }\n"
             "for i in Firm { payoff Firm[i] = e[i] * (1 - sum(e) / N - c[i]) }\n"),
        Code("L007", "an estimator that does not fit",
             "`estimator m : NAME` chooses how a gradient is estimated where a message is drawn. Some estimators are for reals through "
             "noise and some for words; `exact` tries every word and so needs few of them; those that draw several times need enough "
             "plays a step; a large family's messages have none to choose from. The hint lists what fits.",
             "game Demo\nplayer A, B\nteam Both = A, B\nrandom s ~ Categorical(3)\nchannel m : A -> B { carries Tokens(1, 2) }\n"
             "send m by A knowing s\ndecide g : Choice(3) by B knowing m\npayoff Both = g[s]\ntrain { estimator m : pathwise }\n"),
        Code("R001", "not a number",
             "While the game was computed a value became infinite or not a number: the logarithm or square root of a negative "
             "number, a division by zero, a power that overflowed. The line is that of the payment or value where it was seen "
             "first. Bound the decision (`Interval(0.01, 1)`) or the argument (`log(max(x, 1e-9))`).",
             "game Demo\nplayer A\nrandom x ~ Normal(0, 1)\ndecide u : Real by A knowing x\ncost A = (u - log(x))^2\n"),
        Code("R002", "an equation without a solution",
             "With the probability that is reported, `solve p in [lo, hi] : left = right` has no solution in its interval under the "
             "policies that were trained: the two sides do not meet there, or jump past each other. Payments and measures then rest "
             "on the end of the interval at which the sides are nearer to each other (an equation that is linear in p is solved by "
             "algebra, so that p leaves the interval instead). Widen the interval, or bound what the equation depends on. In "
             "training it is no error: a policy may pass by on its way.",
             _HEAD + "random x ~ Uniform(0, 2)\nsolve p in [0, 1] : p^3 = x\ndecide u : Real by A knowing x\n"
             "decide v : Real by B knowing nothing\ncost A = (u - p)^2\ncost B = (v - p)^2\n"),
        Code("R003", "an equation with several solutions",
             "With the probability that is reported, `solve p in [lo, hi] : left = right` has more than one solution in its interval under "
             "the policies that were trained: the difference of the two sides changes its sign more than once on a scan of the interval. "
             "One of them was taken (if the difference has the same sign at both ends, an end of the interval). Narrow the interval to the "
             "solution that is meant.",
             _HEAD + "random x ~ Uniform(0, 1)\nsolve p in [0, 4] : (p - 1) * (p - 2) * (p - 3) = x / 10\n"
             "decide u : Real by A knowing x\ndecide v : Real by B knowing nothing\ncost A = (u - p)^2\ncost B = (v - p)^2\n"),
        Code("R004", "a regression that is not determined",
             "With the probability that is reported, the equations of `ridge` or `kernel_ridge` are singular to rounding: without a "
             "penalty they have no single solution where columns depend on each other, where there are fewer rows than columns, or where "
             "two points coincide. What is computed then is decided by rounding. Give a penalty above 0.",
             _HEAD + "random x ~ Uniform(0, 1)\nlet w = ridge([[1, 2], [2, 4], [3, 6]], [x, 1, 2], 0)\n"
             "decide u : Real by A knowing x\ndecide v : Real by B knowing nothing\ncost A = (u - x - w[1])^2\ncost B = (v - x)^2\n"),
        Code("R005", "an interval that is not resolved",
             "An integral over an interval was computed again with more nodes, or a maximum was looked for at more places, and the two "
             "differ by more than a millionth: the function oscillates, has a pole, or has a peak narrower than a 64th of the interval. "
             "Shorten the interval to where the function lives, or divide it.",
             _HEAD + "random x ~ Uniform(0, 1)\nlet y = integral(sin(400 * x * p) for p in [0, 1])\n"
             "decide u : Real by A knowing x\ndecide v : Real by B knowing nothing\ncost A = (u - y)^2\ncost B = (v - x)^2\n"),
    )
}
