"""Diagnostics as data: every problem of a text at once, with its place, a hint and a code. Needs no JAX, and starts at once.

    python examples/check_texts.py
"""

from __future__ import annotations

import dcgc

BROKEN = """
game Broken
player A, B
random x ~ Normal(0, 1)
decide u : Real by A knowing x, y
let y = u + z
decide v : Reel by B knowing y
cost A = (u - v)^2
cost C = v^2
"""


def main(text: str = BROKEN) -> list[str]:
    """The codes of all problems of a text."""
    try:
        game = dcgc.load(text, name="broken.dcg")
    except dcgc.GameError as problems:
        for d in problems.diagnostics:
            print(f"{d.span.line}:{d.span.column}: {d.code} {d.message}" + (f" ({d.hint})" if d.hint else ""))
        return [d.code for d in problems.diagnostics]
    print(f"{game.name} is fine; it asks for {', '.join(game.accounts)}")
    return []


if __name__ == "__main__":
    main()
