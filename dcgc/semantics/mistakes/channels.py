"""C: channels, budgets and prices."""

from .mistake import Mistake, text

TWO = "player A, B\nrandom x ~ Normal(0, 1)\n"
TALK = "send m by A knowing x\ndecide u : Real by B knowing m\ncost A = (u - x)^2\ncost B = (u - x)^2\n"


def talk(body: str, head: str = "A -> B") -> str:
    """A whole game with one channel."""
    return text(f"channel m : {head} {{ {body} }}", TWO, TALK)


NO_CARRIER = Mistake(
    "C601",
    "a channel that carries nothing",
    "`{name}` does not say what it carries",
    "add `carries Message(1, 4)`, for one",
    "A channel carries reals, a Message of several tokens of reals, Tokens of an alphabet, or a Function.",
    talk("budget 1 bits"),
)

NOT_CARRIED = Mistake(
    "C602",
    "a type that no channel carries",
    "a channel cannot carry {type}",
    "{more}",
    "Channels carry Real, Real[n], Message(L, d), Tokens(L, V) and Function(..).",
    talk("carries Simplex(3)"),
)

WRONG_SENDER = Mistake(
    "C603",
    "the wrong sender",
    "`{name}` is a channel of `{owner}`, and `{player}` cannot send on it",
    "write `send {name} by {owner}`",
    "A channel has one sender, named where it is declared.",
    text(
        "channel m : A -> B { carries Real; budget 1 bits }\nsend m by B knowing x",
        TWO,
        "decide u : Real by B knowing m\ncost B = (u - x)^2\n",
    ),
)

SENT_TWICE = Mistake(
    "C604",
    "a channel used twice",
    "`{name}` is already sent",
    "declare a second channel",
    "A channel is used once, or once in each stage; its budget is per use.",
    text("channel m : A -> B { carries Real; budget 1 bits }\nsend m by A knowing x", TWO, TALK),
)

NEVER_SENT = Mistake(
    "C605",
    "a channel that is never used",
    "nothing is ever sent on `{name}`",
    "write `send {name} by {owner} knowing ..`, or remove it",
    "A channel without `send` is silent.",
    text("player B\nchannel m : A -> B { carries Real; budget 1 bits }"),
    "warning",
)

NEVER_HEARD = Mistake(
    "C606",
    "a message that nobody uses",
    "nobody's decision knows `{name}`",
    "add it to a `knowing`, or remove the channel",
    "A message changes the play only through the decisions of those who hear it.",
    text("player B\nchannel m : A -> B { carries Real; budget 1 bits }\nsend m by A knowing x"),
    "warning",
)

HEARS_ITSELF = Mistake(
    "C607",
    "a sender that is its own listener",
    "`{player}` both sends and hears `{name}`",
    "the sender knows `sent({name})` without listening",
    "A channel leads to others.",
    talk("carries Real; budget 1 bits", "A -> A, B"),
)

UNKNOWN_NOISE = Mistake(
    "C608",
    "unknown noise",
    "there is no noise `{name}`",
    "the noises are {known}",
    "Channels have additive white Gaussian noise, a learned spread, erasures, flipped bits, or none.",
    talk("carries Real; budget 1 bits; noise pink(1)"),
)

NOISE_MISFIT = Mistake(
    "C609",
    "noise that does not fit the carrier",
    "the noise `{noise}` does not fit {carrier}",
    "{more}",
    "awgn and gaussian add to reals; bsc flips symbols of an alphabet of two.",
    talk("carries Tokens(1, 4); noise awgn(power = 1, sd = 1)"),
)

NOISELESS_BUDGET = Mistake(
    "C610",
    "a budget without noise",
    "reals without noise carry any number of bits, so this budget cannot be kept",
    "leave `noise none` away, or carry Tokens",
    "A hard budget is kept by noise: no receiver, however clever, gets more out of one use.",
    talk("carries Real; budget 1 bits; noise none"),
)

BAD_BUDGET = Mistake(
    "C611",
    "a budget without sense",
    "a budget is a number of bits from 0 on, but this is {value}",
    "",
    "`budget 0 bits` is silence, and there is nothing below it.",
    talk("carries Real; budget -1 bits"),
)

ABOVE_CARRIER = Mistake(
    "C612",
    "a budget above what the carrier holds",
    "the budget of `{name}` is {budget} bits, but {carrier} holds {held} at most",
    "the budget does not bind: lower it, or make the carrier larger",
    "L tokens of an alphabet of V symbols hold L log2(V) bits.",
    talk("carries Tokens(2, 4); budget 5 bits"),
    "warning",
)

UNREACHABLE = Mistake(
    "C613",
    "a budget that the noise makes unreachable",
    "the budget of `{name}` is {budget} bits, but its noise lets {held} through at most",
    "the budget does not bind: lower it, or the noise",
    "Over d dimensions awgn passes at most (d/2) log2(1 + power/sd^2) bits, whatever the sender does (Shannon 1948).",
    talk("carries Real; budget 3 bits; noise awgn(power = 1, sd = 1)"),
    "warning",
)

STOP_MISFIT = Mistake(
    "C614",
    "STOP without tokens",
    "`stop soft` needs a Message or Tokens of several tokens",
    "carry `Message(L, d)`",
    "The STOP symbol fades out the later tokens of a message.",
    talk("carries Real; budget 1 bits; stop soft"),
)

FREE_LOOK = Mistake(
    "C615",
    "attention without a cost",
    "`{name}` has neither budget nor price",
    "add `budget .. bits` or `price .. per bit`",
    "Rational inattention is about information that costs something; what is free is simply known.",
    text("attend z : A to x { carries Real }\ndecide v : Real by A knowing z\ncost A = (v - x)^2"),
)

BAD_PRICE = Mistake(
    "C616",
    "a price without sense",
    "a price is a number from 0 on, but this is {value}",
    "",
    "A negative price would pay for noise.",
    talk("carries Real; price -1 per bit"),
)

NOT_A_CHANNEL = Mistake(
    "C617",
    "not a channel",
    "`{name}` is {kind}, not a channel",
    "",
    "`send`, `sent`, `rate` and `budget total` are about channels.",
    text("send x by A knowing nothing"),
)

LISTENER_TWICE = Mistake(
    "C618",
    "a listener twice",
    "`{player}` already hears `{name}`",
    "leave it away",
    "Each listener is named once.",
    talk("carries Real; budget 1 bits; heard by B"),
)

NO_OTHERS = Mistake(
    "C619",
    "others without a family",
    "`others` needs a channel with one sender of a family each",
    "write `channel {name}[i in FAMILY] : FAMILY[i] -> others`",
    "`others` are the members of the sender's family other than the sender.",
    talk("carries Real; budget 1 bits", "A -> others").replace("knowing m\n", "knowing x\n"),
)

CHANNELS = tuple(value for value in list(globals().values()) if isinstance(value, Mistake))
