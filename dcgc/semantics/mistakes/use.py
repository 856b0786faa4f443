"""U: files and modules that a game uses."""

from .mistake import Mistake, text

NOT_FOUND = Mistake(
    "U701",
    "a file that is not there",
    "there is no file `{path}` beside this game",
    "",
    '`use "other.dcg"` takes definitions and channels from a file in the folder of the game.',
    text('use "no such file.dcg"'),
)

FORBIDDEN = Mistake(
    "U702",
    "a path out of the folder",
    "`{path}` does not lie in the folder of this game",
    "use a file beside the game",
    "A game may read only files of its own folder: no absolute paths, no `..`, no links that lead out of it.",
    text('use "../secret.dcg"'),
)

UNREADABLE = Mistake(
    "U703",
    "a file that cannot be used",
    "`{path}` {why}",
    "",
    "A used file is a small `.dcg` text in UTF-8.",
    text('use "picture.png"'),
)

CYCLE = Mistake(
    "U704",
    "files that use each other",
    "`{path}` is used by itself, through {chain}",
    "take what both need into a third file",
    "Definitions come before their use, so files cannot use each other in a circle.",
    text('use "U704.dcg"'),
)

TOO_MANY = Mistake(
    "U705",
    "too many files",
    "this game uses too many files, or files nested too deeply",
    "",
    "A game may use 32 files, 8 deep.",
    text("\n".join(f"use std.demand as d{i}" for i in range(40))),
)

UNKNOWN_MODULE = Mistake(
    "U706",
    "unknown module",
    "there is no module `{module}`",
    "the modules are {known}",
    "Modules begin with `std.` and come with the compiler; other files are used by their path.",
    text("use std.magic"),
)

NO_FOLDER = Mistake(
    "U707",
    "a text without a folder",
    "this text is not in a folder, so it cannot use the file `{path}`",
    "",
    "Files are looked for beside the game; a text from a pipe or a web page has no such place.",
    text('use "other.dcg"'),
)

NOTHING_TO_FILL = Mistake(
    "U708",
    "an argument of use that stands for nothing",
    "`{text}` {why}",
    "what can be given: {known}",
    "`use FILE(NAME = VALUE, ..)` puts players and numbers of the game in place of the players and params of what is used, "
    "each by its name there, once.",
    text("use std.channels.awgn(Sender = A, colour = 3)"),
)

USE = tuple(value for value in list(globals().values()) if isinstance(value, Mistake))
