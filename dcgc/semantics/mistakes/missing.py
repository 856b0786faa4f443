"""M: missing or senseless parts."""

from .mistake import END, PLAY, Mistake, text

NO_HEADER = Mistake(
    "M501",
    "no game header",
    "this text does not say which game it is",
    'begin with `game NAME "title"`',
    "A game begins with its name; a file of definitions has none and is taken in with `use`.",
    PLAY + END,
)

SECOND_HEADER = Mistake(
    "M502",
    "a misplaced game header",
    "`game` stands once, as the first statement",
    "remove this header",
    "A file states one game.",
    text("game Another"),
)

NO_COST = Mistake(
    "M503",
    "nobody pays anything",
    "this game has no cost and no payoff",
    "write `cost P = ..` or `payoff P = ..`",
    "Without payments there is nothing to decide for.",
    text("decide u : Real by A knowing x", after=""),
)

NO_DECISION = Mistake(
    "M504",
    "nobody decides anything",
    "nobody decides, sends or attends in this game",
    "write `decide u : Real by P knowing ..`",
    "A game needs at least one decision; what nature does alone is only simulated.",
    text("cost A = x^2", after=""),
)

NOTHING_AT_STAKE = Mistake(
    "M505",
    "a decision that nobody pays for",
    "`{player}` decides here but has no cost or payoff, nor has its team",
    "write `cost {player} = ..` or `payoff {player} = ..`",
    "A player decides so that its own costs are least; without any, every decision is as good as every other.",
    text("player B\ndecide v : Real by B knowing x"),
)

IDLE = Mistake(
    "M506",
    "a player who never decides",
    "`{player}` never decides, sends or hears anything",
    "remove it, or give it a decision",
    "A player without decisions changes nothing; its costs are still reported.",
    text("player B"),
    "warning",
)

MEMBER_TWICE = Mistake(
    "M507",
    "a member twice",
    "`{player}` is already a member of `{team}`",
    "leave it away",
    "A team is a set of players.",
    text("player B\nteam T = A, B, A\ndecide v : Real by B knowing x\ncost T = v^2"),
)

NOT_PUBLISHED = Mistake(
    "M508",
    "a published value of nothing",
    "a published value is for a measure, cost(P), payoff(P) or rate(m)",
    "write `measure NAME = ..` first, then `{kind} NAME ..`",
    "`known`, `record` and `bound` compare figures of the report with figures from papers.",
    text("known x = 1"),
)

NOT_IN_EQUATION = Mistake(
    "M509",
    "an equation without its unknown",
    "the equation for `{name}` does not mention `{name}`",
    "",
    "`solve p in [lo, hi] : .. = ..` finds the p at which both sides are equal.",
    text("solve p in [0, 1] : x = 3 * x\nmeasure m = E[p]"),
)

UNUSED = Mistake(
    "M510",
    "never used",
    "`{name}` is never used",
    "remove it, or use it",
    "A name without use is often a slip in a formula.",
    text("let y = x + 1"),
    "warning",
)

KNOWS_CONSTANTS = Mistake(
    "M511",
    "a decision that knows only constants",
    "everything that is known here is fixed before play",
    "write `knowing nothing`, or add what differs from play to play",
    "The inputs of a policy are what differs from play to play; a constant tells nothing.",
    text("param k = 2\ndecide v : Real by A knowing k\ncost A = v^2"),
    "warning",
)

NO_UPDATE = Mistake(
    "M512",
    "a state that never changes",
    "the state `{name}` has no `next`",
    "write `next {name} = ..`, or make it a `let`",
    "A state without an update keeps its first value.",
    text("state s = x\nstage t in 1..2 { cost A = s }"),
    "warning",
)

IDLE_LEADER = Mistake(
    "M513",
    "a commitment to nothing",
    "`{player}` never decides or sends, so it has nothing to commit to",
    "",
    "`commit P` announces P's policy before the others choose theirs.",
    text("player B\ncommit B\ncost B = x"),
)

NOTHING_NAMED = Mistake(
    "M514",
    "not something of this kind",
    "`{name}` is {kind}; {what}",
    "",
    "Policies belong to players, decisions and channels; taps to lets, decisions and draws; "
    "routes to what carries gradients.",
    text("param k = 2\ntap k"),
)

BAD_SETTING_VALUE = Mistake(
    "M515",
    "a setting without sense",
    "the setting `{name}` must be {wanted}",
    "",
    "The values of a train block are those of the flags of `dcgc train`.",
    text("train { steps 0 }"),
)

EMPTY_TEAM = Mistake(
    "M516",
    "a team of one",
    "the team `{team}` has a single member",
    "write costs for the member itself",
    "A team shares costs among several players.",
    text("team T = A"),
    "warning",
)

COMMIT_TWICE = Mistake(
    "M517",
    "committed twice",
    "`{player}` is already committed",
    "remove one of them",
    "A policy is announced once.",
    text("commit A\ncommit A"),
)

SETTING_TWICE = Mistake(
    "M518",
    "said twice",
    "`{name}` is already set",
    "remove one of them",
    "A setting or policy stated twice leaves open which one counts.",
    text("train { steps 10; steps 20 }"),
)

MISSING = tuple(value for value in list(globals().values()) if isinstance(value, Mistake))
