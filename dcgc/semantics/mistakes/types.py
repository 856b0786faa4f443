"""T: types and shapes."""

from .mistake import Mistake, text

SHAPES = Mistake(
    "T201",
    "shapes that do not fit",
    "`{operator}` cannot combine shapes {left} and {right}",
    "make the shapes equal, or use a scalar",
    "Operators work entry by entry. Two arrays fit as in numpy: sizes agree from the last one "
    "back, or one of them is 1.",
    text("random v[3] ~ Normal(0, 1)\nrandom w[2] ~ Normal(0, 1)\nmeasure m = E[sum(v + w)]"),
)

OUT_OF_BOUNDS = Mistake(
    "T202",
    "an index out of bounds",
    "there is no entry {index} here: they are numbered {low}..{high}",
    "",
    "Members, entries, categories and stages are numbered from 1.",
    text("random v[3] ~ Normal(0, 1)\nmeasure m = E[v[4]]"),
)

NOT_AN_INDEX = Mistake(
    "T203",
    "not an index",
    "{what} cannot be an index",
    "an index is a whole number, the index of a `for` or `stage`, a Categorical draw or a Choice",
    "What picks an entry must be a whole number by construction; a Choice picks its own entry, "
    "a real number picks none.",
    text("random v[3] ~ Normal(0, 1)\nmeasure m = E[v[x]]"),
)

TOO_MANY_INDICES = Mistake(
    "T204",
    "too many indices",
    "`{name}` has {have} dimensions, but {given} indices",
    "leave indices away",
    "A scalar has no entries, and an array has as many indices as dimensions.",
    text("let y = x[1]\nmeasure my = E[y]"),
)

NOT_A_NUMBER = Mistake(
    "T205",
    "not a number",
    "{what} is not a number",
    "{more}",
    "Functions are applied and Tokens are given to policies; neither can be added, multiplied or compared.",
    text("decide S : Function(Real -> Real, affine) by A knowing x\ncost A = S + 1"),
)

NOT_A_BOOL = Mistake(
    "T206",
    "not a condition",
    "{what} must be true or false, but this is {kind}",
    "write a comparison, as in `x > 0`",
    "Conditions, `and`, `or` and `not` take Bools: comparisons, Bool decisions and Bernoulli draws.",
    text("let y = if x then 1 else 2\nmeasure my = E[y]"),
)

NOT_SCALAR = Mistake(
    "T207",
    "a scalar is wanted",
    "{what} must be a single number, but this has shape {shape}",
    "reduce it with `sum`, `mean` or an index",
    "What a player pays in one statement is one number; so are both sides of an equation and of a constraint.",
    text("random v[3] ~ Normal(0, 1)\ncost A = v"),
)

BAD_SIZE = Mistake(
    "T208",
    "a size that is not a whole number",
    "{what} must be a whole number from {least} on, but it is {value}",
    "",
    "Sizes of arrays, families, alphabets and messages are whole numbers, fixed before checking.",
    text("random v[2.5] ~ Normal(0, 1)\nmeasure m = E[sum(v)]"),
)

TOO_LARGE = Mistake(
    "T209",
    "too large",
    "{what} has {value} entries; at most {most} are allowed",
    "make it smaller",
    "Games are shared as text, and a text may not ask for more memory than a machine has.",
    text("random v[1000000000] ~ Normal(0, 1)\nmeasure m = E[sum(v)]"),
)

MISSING_INDEX = Mistake(
    "T210",
    "the loop's index is missing",
    "inside `for {binder}`, `{name}` carries the index: `{name}[{binder}]`",
    "write `{name}[{binder}]`",
    "A statement inside `for i` happens once for every i, so what it makes is called `x[i]`.",
    text("for i in 1..3 { random c ~ Normal(0, 1) }\nmeasure m = E[c]"),
)

WRONG_TARGET = Mistake(
    "T211",
    "indices of a new name",
    "`{name}` cannot be declared with the indices {indices} here",
    "{more}",
    "A new name carries the indices of the `for` it stands in, in their order; only `random x[n]` adds sizes.",
    text("let y[3] = x\nmeasure my = E[y]"),
)

OTHERS = Mistake(
    "T212",
    "others without a family",
    "`others` needs a `for` over the family that `{name}` belongs to",
    "write it inside `for i in FAMILY`, and make `{name}` in one: `for i in FAMILY {{ let {name}[i] = .. }}`; or name the member",
    "`x[others]` is the array of what the members other than i have, for the i of the "
    "innermost loop over their family.",
    text(
        "player F[3]\nfor i in F {\n  decide q[i] : Real by F[i] knowing x\n  cost F[i] = q[i]^2\n}\n"
        "let y = sum(q[others])\nmeasure my = E[y]"
    ),
)

CHOICE_COMPARED = Mistake(
    "T213",
    "a Choice compared with a number",
    "`{name}` is a Choice, a vector with a single 1, and cannot be compared with {what}",
    "write `{name}[k]`, which is 1 if the k-th was chosen",
    "A Choice is compared with its labels and with other Choices of the same size.",
    text("decide c : Choice(3) by A knowing x\ncost A = c == 2"),
)

ARGUMENT_SHAPE = Mistake(
    "T214",
    "an argument of the wrong shape",
    "{what} must be {wanted}, but has shape {shape}",
    "",
    "Some functions need a vector or a matrix; `dot` is numpy's.",
    text("let y = argmax(x)\nmeasure my = E[y]"),
)

BAD_PARAMETER = Mistake(
    "T215",
    "an argument out of its range",
    "the {what} of {distribution} must be {wanted}, but it is {value}",
    "",
    "A distribution has a meaning only for parameters in its range; what is fixed before play is checked at once.",
    text("random w ~ Normal(0, -1)\nmeasure m = E[w]"),
)

PARAMETER_SHAPE = Mistake(
    "T216",
    "an argument of the wrong shape",
    "the {what} of {distribution} must be {wanted}, but has shape {shape}",
    "",
    "Dirichlet, MvNormal, Discrete and Categorical take vectors; the others work entry by entry.",
    text("random w ~ Dirichlet(2)\nmeasure m = E[sum(w)]"),
)

TYPE_ARGUMENTS = Mistake(
    "T217",
    "a type with the wrong arguments",
    "`{name}` is written {signature}",
    "",
    "Real takes sizes in square brackets; Interval, Choice, Simplex, Tokens, Message and "
    "Function take arguments in round ones.",
    text("decide v : Interval(1) by A knowing x\ncost A = v^2"),
)

EMPTY_INTERVAL = Mistake(
    "T218",
    "an empty interval",
    "the interval from {low} to {high} is empty",
    "write the lower end first",
    "The lower end of an interval lies below the upper one.",
    text("decide v : Interval(2, 1) by A knowing x\ncost A = v^2"),
)

NO_VALUE = Mistake(
    "T219",
    "a constant without a value",
    "{what} {why}",
    "",
    "What is fixed before play must have a value: no division by zero, no root of a negative number, no endless work.",
    text("param k = 1 / 0\nmeasure m = k"),
)

NOT_CONSTANT = Mistake(
    "T220",
    "not fixed before play",
    "{what} must be fixed before play, but it depends on `{name}`",
    "use numbers and params",
    "Sizes, horizons, discounts and published values are known before anybody moves.",
    text("player B\nfor i in 1..x { cost A = i }\ncost B = 1\ndecide w : Real by B knowing x"),
)

VARIES = Mistake(
    "T221",
    "a measure that differs from play to play",
    "`{name}` differs from play to play, and a measure is one number",
    "take its expectation: `E[..]`",
    "A measure is about the game and its solution: expectations, variances, rates, costs, values of params.",
    text("measure m = x"),
)

RAGGED = Mistake(
    "T222",
    "rows of different shapes",
    "the entries of this array have shapes {left} and {right}",
    "make them equal",
    "An array is rectangular: all its rows have one length.",
    text("let y = [[1, 2], [x]]\nmeasure my = E[sum(y)]"),
)

BAD_DOMAIN = Mistake(
    "T223",
    "not a domain",
    "`for` runs over a family or a range such as 1..3, not over {what}",
    "",
    "The members of a family and the numbers of a range are what a `for` and a sum can run over.",
    text("let y = sum(j for j in x)\nmeasure my = E[y]"),
)

BAD_STAGES = Mistake(
    "T224",
    "wrong stages",
    "{what}",
    "{more}",
    "`stage t in 1..T` numbers the stages from 1; `1..inf` needs a discount below 1.",
    text("stage t in 0..3 { cost A = x }"),
)

BAD_DISCOUNT = Mistake(
    "T225",
    "wrong discount",
    "a discount lies in (0, 1], but it is {value}",
    "{more}",
    "Stage t's payments are multiplied by discount^(t-1); over infinitely many stages it must be below 1.",
    text("stage t in 1..3 discount 2 { cost A = x }"),
)

STATE_SHAPE = Mistake(
    "T226",
    "values that do not fit together",
    "{what} has shape {left}, but {other} has shape {right}",
    "make the shapes equal",
    "A state keeps its shape from stage to stage, and the first value of `last` has the shape of the others.",
    text("state s = 0\nstage t in 1..3 { next s = [1, 2] }\nmeasure m = E[s]"),
)

NOT_SYMMETRIC = Mistake(
    "T227",
    "symmetric without a family",
    "`symmetric` says that members share a policy, and `{name}` has no members",
    "write `player {name}[2] symmetric`, or leave `symmetric` away",
    "Only the members of a family can share a policy.",
    text("player B symmetric\ndecide v : Real by B knowing x\ncost B = v^2"),
)

TOO_DEEP = Mistake(
    "T228",
    "nested too deeply",
    "this is nested more than {most} deep",
    "give parts of it names with `let`; a definition cannot call itself",
    "Expressions and blocks may be nested, but not without end.",
    text(
        "def f1(a) = a\n" + "".join(f"def f{i}(a) = f{i - 1}(a) + 1\n" for i in range(2, 30)) + "measure m = E[f29(x)]"
    ),
)

NOT_A_QUANTITY = Mistake(
    "T229",
    "text instead of a number",
    "a text has no value here",
    "",
    "Strings are references and titles; expressions are made of numbers.",
    text('let y = x + "one"\nmeasure my = E[y]'),
)

DIFFERENT_BRANCHES = Mistake(
    "T230",
    "two kinds in one place",
    "one side is {left} and the other {right}",
    "make both sides of one kind",
    "The two branches of `if` and the two sides of `==` are values of one kind.",
    text("decide c : Choice(3) by A knowing x\ndecide d : Choice(2) by A knowing x\ncost A = c == d"),
)

NO_INTERVAL = Mistake(
    "T231",
    "not over an interval",
    "`{name}` runs over {what}",
    "{more}",
    "`integral`, `mean`, `max`, `min`, `argmax` and `argmin` of `EXPR for p in [a, b]` let p run over an interval between two finite ends; "
    "sums and products run over the members of a family and over ranges of whole numbers.",
    text("let y = sum(j * x for j in [0, 1])\nmeasure my = E[y]"),
)

TYPES = tuple(value for value in list(globals().values()) if isinstance(value, Mistake))
