"""Codes of finite games (F): files that cannot be read, and games that cast no finite shadow."""

from __future__ import annotations

from ..source.code import Code

CODES: dict[str, Code] = {
    c.code: c
    for c in (
        Code("F001", "a file that is no .efg game",
             "`dcgc import` reads Gambit's .efg files, version 2. The place is where the text stops being one: a node is `c`, `p` or "
             "`t`, its label in quotes, numbers of player, information set and outcome, and on first mention their names, actions and "
             "payoffs in braces. Probabilities of a chance move are at least 0 and sum to 1.",
             ""),
        Code("F002", "a file that is too large",
             "A file from elsewhere is read within limits on its nodes, its depth and the length of what is made of it, so that no file "
             "can exhaust the memory.",
             ""),
        Code("F003", "a tree that no text states",
             "Nobody has a choice in the file's game, or one play passes an information set twice (absent-mindedness), so that one act has "
             "to be taken several times, by one rule, at different moments: the imported text has no statement for it.",
             ""),
        Code("F004", "a game without a finite tree",
             "`dcgc export` makes draws and decisions few, but some things have no finite counterpart: what is charged on information, "
             "reals through noise, whole functions as acts, stages without end, constraints in expectation, announced policies. The "
             "hint says what to change.",
             "game Demo\nplayer A, B\nteam Both = A, B\nrandom x ~ Normal(0, 1)\nchannel m : A -> B { carries Real; budget 2 bits }\n"
             "send m by A knowing x\ndecide u : Real by B knowing m\ncost Both = (u - x)^2\n"),
        Code("F005", "a finite tree that is too large",
             "The tree has a branch for every combination of draws and acts, and is refused before it is built if these are too many. "
             "Fewer points (`--grid`), stages or members (`--set`) make it smaller.",
             "game Demo\nparam n : int = 1000\nplayer A\nrandom x ~ Categorical(n)\nrandom y ~ Categorical(n)\n"
             "decide u : Bool by A knowing x + y\npayoff A = u * (x - y)\n"),
    )
}
