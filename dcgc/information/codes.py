"""Codes of what the information room finds worth a look (I): sound games in which something cannot do what it seems meant for."""

from __future__ import annotations

from ..source.code import Code

CODES: dict[str, Code] = {
    c.code: c
    for c in (
        Code("I801", "a channel that cannot help",
             "Nothing that is sent over this channel can matter to a decision of anybody who hears it: given what its "
             "listeners know, the message "
             "is d-separated from all that they are paid for. Whatever is learned for it is noise.",
             "game Demo\nplayer A, B\nrandom x ~ Normal(0, 1)\nrandom z ~ Normal(0, 1)\n"
             "channel m : A -> B { carries Real; budget 1 bits }\nsend m by A knowing z\ndecide u : Real by B knowing m, x\n"
             "cost A = (u - x)^2\ncost B = (u - x)^2\n"),
        Code("I802", "a budget above all that can be said",
             "What the sender knows takes so few values that it has less to tell, in bits, than the channel may carry. The "
             "rest of the budget has "
             "no effect.",
             "game Demo\nplayer A, B\nrandom side ~ Bernoulli(0.5)\nchannel m : A -> B { carries Tokens(1, 16); budget 4 bits }\n"
             "send m by A knowing side\ndecide u : Bool by B knowing m\ncost A = u != side\ncost B = u != side\n"),
        Code("I803", "an observation that cannot matter",
             "Given everything else that this decision knows, what it sees here is d-separated from all that its player is "
             "paid for and can still "
             "move (a nonrequisite observation, Lauritzen and Nilsson 2001). It is no mistake to know it, but nothing can "
             "be gained by it while the "
             "others' policies stay as they are.",
             "game Demo\nplayer A\nrandom x ~ Normal(0, 1)\nrandom z ~ Normal(0, 1)\nlet y = x + z\ndecide u : Real by A knowing x, y\n"
             "cost A = (u - x)^2\n"),
        Code("I804", "stages that look alike",
             "One policy serves all stages, and nothing that it sees tells them apart: the player is absent-minded "
             "(Piccione and Rubinstein 1997), and "
             "must do the same in all of them. If that is not meant, let the decision know the number of the stage.",
             "game Demo\nplayer A\nstage t in 1..2 "
             "{\n  decide leave : Bool by A knowing nothing mixed\n  payoff A = if leave then 4 * (t - 1) else 0\n"
             "  halt when leave\n}\npayoff A = 1\n"),
        Code("I805", "a player who mixes and forgets what it did",
             "At a later decision this player does not know what came of an earlier one that is `mixed`. With imperfect "
             "recall an equilibrium in "
             "behaviour strategies need not exist (Wichardt 2008), since a joint lottery over both decisions may be needed.",
             "game Demo\nplayer A, B\ndecide first : Bool by A knowing nothing mixed\ndecide reply : Bool by B knowing nothing mixed\n"
             "decide again : Bool by A knowing nothing mixed\nlet same = first == again\n"
             "payoff A = if same then if reply == first then -5 else 5 else -1\ncost B = if same then if reply == first "
             "then -5 else 5 else -1\n"),
    )
}
