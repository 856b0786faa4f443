"""K: knowledge and timing."""

from .mistake import Mistake, text

TWO = "player A, B\nrandom x ~ Normal(0, 1)\n"
CHANNEL = "channel m : A -> B { carries Real; budget 1 bits }\n"
TALK = "send m by A knowing x\ndecide u : Real by B knowing m\ncost A = (u - x)^2\ncost B = (u - x)^2\n"

TOO_EARLY = Mistake(
    "K301",
    "used before it is determined",
    "`{name}` is used before it is determined, on line {line}",
    "move this statement below the one that determines `{name}`",
    "Statements follow each other in time: nothing can depend on what has not happened yet.",
    text("let y = x + z\nlet z = 2 * x\nmeasure my = E[y + z]"),
)

KNOWS_FUTURE = Mistake(
    "K302",
    "knowing the future",
    "`{name}` is not determined yet when this is decided; it is determined on line {line}",
    "leave it out of `knowing`, or decide later; earlier stages are `history({name})` and `last({name}, d)`",
    "A player can know only what has happened before its decision.",
    text("decide v : Real by A knowing w\nrandom w ~ Normal(0, 1)\ncost A = v^2 + w"),
)

KNOWS_ITSELF = Mistake(
    "K303",
    "knowing one's own decision",
    "`{name}` is what is being decided here, so it cannot be known",
    "what was decided in earlier stages is `history({name})` or `last({name}, d)`",
    "A decision is a function of what is known; it cannot be one of its own inputs.",
    text("decide v : Real by A knowing x, v\ncost A = v^2"),
)

NOT_A_LISTENER = Mistake(
    "K304",
    "knowing a message that one does not hear",
    "`{player}` does not hear the channel `{name}`",
    "add `heard by {player}` to the channel, or leave `{name}` out of `knowing`",
    "Only the receivers of a channel, and those named by `heard by`, may know its message.",
    text(CHANNEL + "player C\ndecide v : Real by C knowing m\ncost C = v^2", TWO, "").replace(
        "decide v", TALK + "decide v"
    ),
)

NOT_SENT = Mistake(
    "K305",
    "a message before it is sent",
    "`{name}` has not been sent yet",
    "put `send {name} by .. knowing ..` before this",
    "A message exists only after the one `send` that fills its channel.",
    text(CHANNEL + "decide v : Real by B knowing m\ncost B = v^2\n" + TALK, TWO, ""),
)

SENDER_KNOWS = Mistake(
    "K306",
    "a sender that knows its message",
    "`{player}` sends on `{name}` and knows what it put in, not what arrives",
    "write `sent({name})`",
    "Noise and budgets act between what is sent and what arrives.",
    text(CHANNEL + TALK + "decide v : Real by A knowing m\ncost A = v^2", TWO, ""),
)

NOT_THE_SENDER = Mistake(
    "K307",
    "knowing what another has sent",
    "only the sender of `{name}` knows `sent({name})`, and `{player}` is not",
    "a listener knows `{name}`, what arrives",
    "What the sender put in, before noise, is known to the sender alone.",
    text(CHANNEL + TALK + "decide v : Real by B knowing sent(m)\ncost B = v^2", TWO, ""),
)

RECALL = Mistake(
    "K308",
    "recall outside `knowing`",
    "`recall` stands only by itself after `knowing`",
    "",
    "`recall` is all that this player has observed, sent, received, drawn and decided so far; it is not a value.",
    text("let y = x + recall\nmeasure my = E[y]"),
)

NO_STAGES = Mistake(
    "K309",
    "the past of what has none",
    "`{name}` is not made in stages, so it has no `{function}`",
    "`history` and `last` are for names made inside `stage`",
    "The past of a name is what it was in the earlier stages of its block.",
    text("let y = history(x)\nmeasure my = E[sum(y)]"),
)

AFTER_STAGES = Mistake(
    "K310",
    "a stage's name after the stages",
    "`{name}` has a value in every stage, and none after them",
    "write `history({name})`, the array of its values; only a state keeps its last value",
    "After the stages `history(x)` has the values of all stages, `history(x)[3]` the third.",
    text("stage t in 1..3 {\n  let y = x + t\n  cost A = y\n}\nmeasure my = E[y]"),
)

NOT_A_STATE = Mistake(
    "K311",
    "next of what is no state",
    "`{name}` is {kind}, not a state",
    "declare `state {name} = ..` before the stages",
    "`next` updates a state at the end of a stage.",
    text("stage t in 1..3 { next x = 1 }"),
)

NEXT_TWICE = Mistake(
    "K312",
    "two updates of one state",
    "`{name}` already has its `next` in this stage",
    "merge the two",
    "All updates use the old values and take effect together, so a state has one.",
    text("state s = 0\nstage t in 1..3 {\n  next s = s + 1\n  next s = s + 2\n}\nmeasure m = E[s]"),
)

OUTSIDE_STAGES = Mistake(
    "K313",
    "outside the stages",
    "`{statement}` stands only inside `stage`",
    "",
    "`next` and `halt` are about a stage: what is carried into the next one, and whether there is one.",
    text("halt when x > 0"),
)

STATE_INSIDE = Mistake(
    "K314",
    "a state declared inside the stages",
    "the state `{name}` must be declared before the stages",
    "move `state {name} = ..` above `stage`",
    "`state x = ..` is the value in stage 1; inside the stages it is updated with `next`.",
    text("stage t in 1..3 {\n  state s = x\n  next s = s + 1\n}"),
)

NESTED_STAGES = Mistake(
    "K315",
    "stages inside a block",
    "`stage` cannot stand inside `{block}`",
    "put the block inside the stage",
    "Time is one line: stages are not nested, and all members live in the same stages.",
    text("stage t in 1..2 {\n  stage r in 1..2 { cost A = x }\n}"),
)

NOT_THE_OBSERVER = Mistake(
    "K316",
    "knowing what another looks at",
    "`{name}` is what `{owner}` sees for itself, and `{player}` does not know it",
    "only `{owner}` may know `{name}`",
    "`attend` is a private look; to tell others, send a message.",
    text(
        "attend z : A to x { carries Real; price 0.1 per bit }\n"
        "decide u : Real by A knowing z\ndecide v : Real by B knowing z\ncost A = (u - x)^2\ncost B = v^2",
        TWO,
        "",
    ),
)

UNKNOWN_END = Mistake(
    "K317",
    "an interval that the decision does not know",
    "an end of this interval uses `{name}`, which is not known here",
    "add `{name}` to `knowing`",
    "The ends of an interval may use params and what the decision knows: a player must know what it may do.",
    text("random b ~ Uniform(1, 2)\ndecide v : Interval(0, b) by A knowing x\ncost A = v^2"),
)

IN_THE_SAME_STATEMENT = Mistake(
    "K318",
    "a name that determines itself",
    "`{name}` is used to determine itself",
    "an equation is written `solve {name} in [lo, hi] : ..`",
    "A statement for all members happens at once, and a value cannot be part of its own definition.",
    text("let y = y + x\nmeasure my = E[y]"),
)

WHICH_MEMBER = Mistake(
    "K319",
    "a family instead of a member",
    "`{name}` is a family of players; say which member {verb}",
    "write it inside `for i in {name}` with `{name}[i]`",
    "Every member of a family decides, sends and pays for itself.",
    text("player F[3]\ndecide v : Real by F knowing x\ncost A = v^2"),
)

ENDLESS = Mistake(
    "K320",
    "a history without end",
    "`history({name})` has no size, since its stages have no end",
    "keep what matters in a state, or use `last({name}, d)`",
    "Over infinitely many stages the past grows without bound; a policy has inputs of a fixed shape.",
    text(
        "stage t in 1..inf discount 0.9 {\n  random w ~ Normal(0, 1)\n  decide v : Real by A knowing history(w)\n"
        "  cost A = (v - w)^2\n}"
    ),
)

UNTOLD = Mistake(
    "K321",
    "a value made of its own past",
    "the type of `{name}` cannot be told, since it is made of its own past alone",
    "use a state: `state {name} = ..` and `next {name} = ..`",
    "What is carried from stage to stage and has a first value is a state.",
    text("stage t in 1..3 {\n  let h = sum(history(g)) + x\n  let g = [h, sum(history(g))]\n  cost A = sum(g)\n}"),
)

CIRCLE = Mistake(
    "K322",
    "nobody can move first",
    "`{name}` waits for what it determines itself: it needs {circle}",
    "somebody must decide without knowing the others: leave one of these names out of `knowing`, or let a later stage know it",
    "What depends on each other in a circle has no order in time: there is no first move, whatever nature draws, "
    "and policies need not have "
    "a consistent outcome. Witsenhausen (1971, 1975) calls such a structure of information not causal, and it need "
    "not be solvable. An equation that "
    "is meant is written `solve x in [lo, hi] : ..`.",
    text("player B\ndecide v : Real by A knowing w\ndecide w : Real by B knowing v\ncost A = (v - w)^2\ncost B = (v + w)^2"),
)

KNOWLEDGE = tuple(value for value in list(globals().values()) if isinstance(value, Mistake))
