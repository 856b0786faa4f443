"""N: names. What is called what, and where each kind of name may stand."""

from .mistake import Mistake, text

UNKNOWN_NAME = Mistake(
    "N101",
    "unknown name",
    "there is no `{name}` in this game",
    "declare it first, or correct the name",
    "Every name is declared by one statement: a param, player, random, let, decide, channel, solve, state or measure.",
    text("let y = x + z\nmeasure my = E[y]"),
)

TWICE = Mistake(
    "N102",
    "a name declared twice",
    "`{name}` is already the name of a {kind}",
    "choose another name",
    "A name means one thing in the whole game, so that a reader never has to ask which.",
    text("let x = 3"),
)

RESERVED = Mistake(
    "N103",
    "a reserved word as a name",
    "`{name}` is a reserved word and cannot be a name",
    "choose another name",
    "Words of the language, its types, its distributions and its functions keep their meaning in every game.",
    text("let exp = x"),
)

UNKNOWN_FUNCTION = Mistake(
    "N104",
    "unknown function",
    "there is no function `{name}`",
    "define it with `def {name}(..) = ..`, or use another",
    "Functions are those of the language and those that the game defines with `def`, or takes "
    "from a module with `use`.",
    text("let y = cosh(x)\nmeasure my = E[y]"),
)

UNKNOWN_TYPE = Mistake(
    "N105",
    "unknown type",
    "there is no type `{name}`",
    "the types are {known}",
    "A decision or a message has one of the types of the language.",
    text("decide v : Float by A knowing x\ncost A = v^2"),
)

UNKNOWN_DISTRIBUTION = Mistake(
    "N106",
    "unknown distribution",
    "there is no distribution `{name}`",
    "the distributions are {known}",
    "Nature draws from one of the distributions of the language; others are made of them with `let`.",
    text("random w ~ Gaussian(0, 1)\nmeasure mw = E[w]"),
)

NOT_A_PLAYER = Mistake(
    "N107",
    "not a player",
    "`{name}` is {kind}, not a player",
    "name a player here{more}",
    "Only players decide, send, pay, commit and constrain themselves; a team shares costs but does not decide.",
    text("decide v : Real by x knowing nothing\ncost A = v^2"),
)

LABEL = Mistake(
    "N108",
    "a label outside its place",
    "`{name}` is a label of the choice `{choice}`, not a value",
    "labels stand only in `{choice} == {name}`, `{choice}[{name}]` and `last({choice}, {name})`",
    "The labels of a `Choice(left, right)` name its entries; they are not numbers and not names of their own.",
    text("decide c : Choice(left, right) by A knowing x\ncost A = c[left] + left"),
)

HIDES = Mistake(
    "N109",
    "an index hides a name",
    "the index `{name}` hides the {kind} `{name}`",
    "choose another letter for the index",
    "An index of a `for`, a `stage` or a sum may not have the name of something else in the game.",
    text("let y = sum(x for x in 1..3)\nmeasure my = E[y]"),
)

NOT_A_VALUE = Mistake(
    "N110",
    "not a value",
    "`{name}` is {kind}, not a value",
    "{more}",
    "Players, teams, measures and channels that were not sent have no value in the play of the game.",
    text("let y = A + x\nmeasure my = E[y]"),
)

DISTRIBUTION_OUTSIDE = Mistake(
    "N111",
    "a distribution outside `random`",
    "`{name}` is a distribution and stands only after `random .. ~`",
    "draw it first: `random w ~ {name}(..)`",
    "Nature's moves are statements of their own, so that it is plain who knows them and when they are drawn.",
    text("let y = x + Normal(0, 1)\nmeasure my = E[y]"),
)

TYPE_OUTSIDE = Mistake(
    "N112",
    "a type outside its place",
    "`{name}` is a type and stands only where a type is asked for",
    "types follow `decide u :` and `carries`",
    "Types say what a decision or a message may be; they have no value.",
    text("let y = x + Real\nmeasure my = E[y]"),
)

MOMENT_OUTSIDE = Mistake(
    "N113",
    "an expectation inside the play",
    "`{name}[..]` stands only in measures, constraints, published values and plots",
    "write `measure NAME = {name}[..]`",
    "An expectation is taken over the whole game; nobody in the game can know it while it is played.",
    text("let y = x - E[x]\nmeasure my = E[y]"),
)

REPORT_OUTSIDE = Mistake(
    "N114",
    "a figure of the report inside the play",
    "`{name}(..)` stands only in measures, constraints, published values and plots",
    "write `measure NAME = {name}(..)`",
    "rate, cost, payoff and rule describe a solution of the game; they are not values in its play.",
    text("let y = x + cost(A)\nmeasure my = E[y]"),
)

UNKNOWN_SETTING = Mistake(
    "N115",
    "unknown training setting",
    "`{name}` is no setting of `train`",
    "the settings are {known}",
    "The keys of a train block are the flags of `dcgc train`.",
    text("train { sed 3 }"),
)

UNKNOWN_FAMILY = Mistake(
    "N116",
    "unknown policy family",
    "there is no policy family `{name}`",
    "the families are {known}",
    "A policy is learned within a family of functions; without a `policy` statement the compiler picks one.",
    text("policy A : linear()"),
)

BAD_CLAUSE = Mistake(
    "N117",
    "unknown word in a clause",
    "`{name}` is not known here",
    "write one of {known}",
    "Clauses such as `stop`, `noise`, the basis of a Function and the order of a route have a fixed choice of words.",
    text("decide S : Function(Real -> Real, wavelet(3)) by A knowing x\ncost A = S(x)"),
)

IMPURE = Mistake(
    "N118",
    "a function that is not pure",
    "the function `{function}` uses `{name}`, which is not one of its parameters",
    "add it to the parameters of `{function}`",
    "A `def` computes from its parameters, the params of the game and earlier functions alone, "
    "so it means the same everywhere.",
    text("def f(a) = a * x\nmeasure m = E[f(x)]"),
)

PARAMETER_TWICE = Mistake(
    "N119",
    "a parameter twice",
    "the function `{function}` has two parameters `{name}`",
    "rename one of them",
    "The parameters of a function have different names.",
    text("def f(a, a) = a + 1\nmeasure m = f(1, 2)"),
)

MISPLACED_WORD = Mistake(
    "N120",
    "a word outside its place",
    "`{name}` has no meaning here",
    "{more}",
    "`nothing` and `recall` stand after `knowing`; `others` and `all` are indices of a family, "
    "or listeners of a channel.",
    text("let y = x + all\nmeasure my = E[y]"),
)

UNKNOWN_KEYWORD = Mistake(
    "N121",
    "unknown keyword argument",
    "`{function}` has no argument `{name}`",
    "its arguments are {known}",
    "Arguments are given by position, or by the names that the contract gives them.",
    text("random w ~ Normal(0, variance = 2)\nmeasure mw = E[w]"),
)

WRONG_ARITY = Mistake(
    "N122",
    "wrong number of arguments",
    "`{function}` takes {wanted}, not {given}",
    "write `{function}{signature}`",
    "A function, a distribution and a type take a fixed number of arguments.",
    text("let y = exp(x, 2)\nmeasure my = E[y]"),
)

ARGUMENT_TWICE = Mistake(
    "N123",
    "an argument twice",
    "the argument `{name}` of `{function}` is given twice",
    "leave one of them away",
    "Each argument is given once, by position or by name.",
    text("random w ~ Normal(0, mean = 1)\nmeasure mw = E[w]"),
)

NOT_A_FUNCTION = Mistake(
    "N124",
    "not a function",
    "`{name}` is not a function",
    "only functions, and decisions or messages of type Function, are applied",
    "`x(y)` applies x to y; multiplication is written `x * y`.",
    text("let y = x(3)\nmeasure my = E[y]"),
)

UNAPPLIED = Mistake(
    "N125",
    "a function without arguments",
    "`{name}` is a function and must be applied here",
    "write `{name}{signature}`",
    "Functions of the language are not values.",
    text("let y = x + exp\nmeasure my = E[y]"),
)

MISPLACED_STATEMENT = Mistake(
    "N126",
    "a statement in the wrong place",
    "`{statement}` cannot stand inside `{block}`",
    "move it out of the block",
    "Declarations, measures and settings belong to the game as a whole; moves and payments may stand in blocks.",
    text("stage t in 1..2 {\n  measure m = 3\n}"),
)

KEYWORD_IN_FUNCTION = Mistake(
    "N127",
    "a sum over members in the wrong place",
    "`.. for {binder} in ..` stands only as the one argument of {known}",
    "write `sum(.. for {binder} in ..)`",
    "A reduction over members makes a number; it is not a list.",
    text("let y = exp(j for j in 1..3)\nmeasure my = E[y]"),
)

NO_LABEL = Mistake(
    "N128",
    "no such label",
    "the choice `{choice}` has no label `{name}`",
    "its labels are {known}",
    "A Choice with labels is compared with and indexed by its own labels only.",
    text("decide c : Choice(left, right) by A knowing x\ncost A = (c == lift)"),
)

UNKNOWN_ESTIMATOR = Mistake(
    "N129",
    "unknown estimator",
    "there is no estimator `{name}`",
    "the estimators are {known}",
    "An estimator says how the gradient of an expected cost is had where a message is drawn; `estimator NAME` in a train block chooses "
    "one for every message, `estimator m : NAME` for one of them.",
    text("train { estimator reinforced }"),
)

WHOLE_SETTING = Mistake(
    "N130",
    "a setting for a part of the game",
    "`{name}` is set for the whole game",
    "write `{name} VALUE`",
    "Of the keys of a train block only `estimator` can be set for a single message or decision, as in `estimator m : exact`.",
    text("train { steps A : 10 }"),
)

NAMES = tuple(value for value in list(globals().values()) if isinstance(value, Mistake))
