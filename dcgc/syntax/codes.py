"""The pages of the syntax codes. Every example is wrong in exactly the way of its code."""

from __future__ import annotations

from collections.abc import Mapping

from ..source.code import Code

_CODES = (
    Code("S001", "Unknown statement",
         "Every statement begins with a word that says what it is: `param`, `random`, `let`, `decide`, `cost` "
         "and so on. The word at the start of this statement is none of them. It may be misspelled, or a `let` "
         "may be missing before `x = ..`.",
         "game G\nplayer A\ndecde u : Real by A knowing nothing\n"),
    Code("S002", "Unexpected word or sign",
         "The statement was understood up to this place, but what stands here cannot follow. The message lists "
         "what could. A statement ends at the end of its line or at `;`; two statements on one line need a `;` "
         "between them.",
         "game G\nlet x = 2 3\n"),
    Code("S003", "Statement ends too early",
         "The line ended before the statement was complete. A statement goes on after an operator, a comma, "
         "`=`, `~`, `:`, `->`, `..`, `then`, `else`, `by` and `knowing`, inside round and square brackets, and "
         "when the next line begins with `then else knowing by within when from` or a binary operator other "
         "than `-`.",
         "game G\nplayer A\ndecide u : Real by A\n"),
    Code("S004", "Bracket never closed",
         "A round or square bracket is still open where the next statement begins, or a block's `{` has no "
         "`}`. The place shown is the bracket that was opened.",
         "game G\nlet x = 2 * (3 + 4\nlet y = 5\n"),
    Code("S005", "Closing bracket without its opening one",
         "A closing bracket stands where none is open, or where one of another kind is. Only ranges after "
         "`in`, such as `[0, 1)`, may mix round and square brackets.",
         "game G\nlet x = [1, 2)\n"),
    Code("S006", "Number not written as the language wants it",
         "Numbers have digits on both sides of a point (`0.5`, `5.0`), end before a name begins (`2 * x`, not "
         "`2x`), and must fit a float. `1..T` is a range.",
         "game G\nparam a = .5\n"),
    Code("S007", "Text not closed",
         "A text in double quotes ends on the line on which it began.",
         'game G "A title\n'),
    Code("S008", "Character that is not part of the language",
         "Names are made of letters of any alphabet, digits and `_`; operators are written in ASCII: `<=`, "
         "`*`, `-`, `->`. Texts stand in straight double quotes.",
         "game G\nlet x = 2 × 3\n"),
    Code("S009", "Comparisons do not chain",
         "`a < b < c` is not a comparison of three things. Write `a < b and b < c`.",
         "game G\nlet x = 1 < 2 < 3\n"),
    Code("S010", "Nested too deeply",
         "Brackets and expressions may be nested 100 deep. Name a part of the expression with `let`, or make "
         "it a function with `def`.",
         "game G\nlet x = " + "(" * 101 + "1" + ")" * 101 + "\n"),
    Code("S011", "Too much to read",
         "A text may have a million characters and 200000 words and signs, and reading stops after 100 "
         "mistakes. Large tables of numbers are better given from outside with `--set`. (No small example "
         "shows this.)",
         ""),
    Code("S012", "Not a possible name",
         "The reserved words `if then else and or not true false nothing recall others all inf pi E Var Cov` "
         "cannot be names, and a declared name has no dots in it: dots lead into a module that is used.",
         "game G\nlet E = 3\n"),
    Code("S013", "Given twice",
         "Each clause of a statement and each entry of a block is given once. Entries that may come again, "
         "such as `route`, are the exception.",
         "game G\nplayer A, B\nchannel m : A -> B { carries Real; budget 2 bits; budget 3 bits }\n"),
    Code("S014", "`nothing` beside something",
         "`knowing nothing` says that a policy has no inputs at all, so it cannot stand beside others.",
         "game G\nplayer A\nrandom x ~ Normal(0, 1)\ndecide u : Real by A knowing nothing, x\n"),
    Code("S015", "Wrong number of arguments",
         "`E[x]` and `Var[x]` take one value, `Cov[x, y]` two, each with an optional condition after `|`. A "
         "sum over a family or a range, `sum(x[i] for i in F)`, has no argument beside it.",
         "game G\nrandom x ~ Normal(0, 1)\nmeasure c = Cov[x]\n"),
    Code("S016", "Unknown entry of a block",
         "A channel's block may hold `carries`, `budget`, `price`, `noise`, `stop` and `heard by`; that of "
         "`gradient` `budget` and `route`.",
         "game G\nplayer A, B\nchannel m : A -> B { carrys Real }\n"),
)

SYNTAX_CODES: Mapping[str, Code] = {code.code: code for code in _CODES}
