"""Codes and audits as tables, in Markdown, and as a figure."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..protocols.information import Estimate
from ..verify.figures import Figure, Scorecard
from .figures import ACCENT, ENGINE_COLOURS, FAINT, INK, blank, slug
from .numbers import show_error, show_value
from .tables import MOST_ROWS, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from ..protocols.audit import WordMeaning
    from ..studies.audit import ChannelAudit
    from ..studies.quantise import Quantised

MOST_BOXES, MOST_COLUMNS = 24, 4


# ---------------------------------------------------------------- codes


def quantisation_tables(before: Scorecard, after: Scorecard, shown: Sequence[str], made: Quantised) -> list[Table]:
    return [costs_table(before, after, shown, made.words), code_table(made)]


def costs_table(before: Scorecard, after: Scorecard, shown: Sequence[str], words: int) -> Table:
    """What every player pays with reals and with words."""
    rows = []
    for label in shown:
        old, new = before.figures.get(label), after.figures.get(label)
        if old is not None and new is not None:
            rows.append((label, show_value(old.value, old.error), show_error(old.error), show_value(new.value, new.error),
                         show_error(new.error), change(old, new)))
    return Table("Before and after", ("figure", "with reals", "error", f"with {words} words", "error", "change"), tuple(rows),
                 frozenset({1, 2, 3, 4, 5}))


def change(old: Figure, new: Figure) -> str:
    off = new.value - old.value
    if not math.isfinite(off):
        return ""
    return f"{off:+.4g}" + (f" ({off / abs(old.value):+.1%})" if abs(old.value) > 10 * max(old.error, 1e-12) else "")


def code_table(made: Quantised) -> Table:
    rows = [(c.channel, str(made.words), f"{math.log2(made.words):.4g}", str(c.messages), f"{c.entropy:.4f}", str(len(c.data)),
             f"{c.least:.1f}", str(c.model)) for c in made.coded]
    return Table("The code", ("channel", "words", "bits", "messages", "entropy", "bytes", "bytes of the entropy", "bytes of the model"),
                 tuple(rows), frozenset(range(1, 8)), (), f"{made.method}; listeners: {made.listeners}")


# ---------------------------------------------------------------- audits


def audit_tables(found: ChannelAudit) -> list[Table]:
    tables = [words_table(found), sentences_table(found), told_table(found), controls_table(found), influence_table(found)]
    return [t for t in tables if t.rows]


def words_table(found: ChannelAudit) -> Table:
    names = best_told(found, MOST_COLUMNS)
    rows = tuple((found.names[w.word], f"{w.frequency:.1%}", *(
        f"{m.mean:.3g}" + (f" ± {m.deviation:.2g}" if math.isfinite(m.deviation) else "") for m in (w.moments[n] for n in names)))
        for w in in_order(found, MOST_ROWS))
    spoken, count = len(found.audit.words), found.audit.count
    note = f"mean ± standard deviation when the word is said; {spoken} of {count} words are said"
    note += f", the {MOST_ROWS} commonest are shown" if spoken > MOST_ROWS else ""
    return Table(f"What the words of {found.channel} mean", ("word", "said", *names), rows, frozenset(range(1, 2 + len(names))), (), note)


def in_order(found: ChannelAudit, most: int) -> list[WordMeaning]:
    """The commonest words by number, or by what they mean where numbers have no meaning."""
    chosen = sorted(found.audit.words, key=lambda w: -w.frequency)[:most]
    names = best_told(found, 1)
    return sorted(chosen, key=lambda w: w.moments[names[0]].mean if found.unordered and names else w.word)


def best_told(found: ChannelAudit, most: int) -> list[str]:
    """The real variables about which the words say most, in their own order."""
    names = list(found.audit.words[0].moments)
    chosen = sorted(names, key=lambda n: -found.audit.information[n].value)[:most]
    return [n for n in names if n in chosen]


def sentences_table(found: ChannelAudit) -> Table:
    rows = [(named(s, found),) for w in found.audit.words for s in w.sentences]
    note = f"a decision tree, right in {found.audit.tree_accuracy:.1%} of new plays; the commonest word alone in " \
           f"{found.audit.tree_baseline:.1%}"
    return Table("When they are said", ("rule",), tuple(rows), frozenset(), (), note)


def named(sentence: str, found: ChannelAudit) -> str:
    """A tree's sentence with the word as it is written."""
    condition, _, rest = sentence.rpartition(": word ")
    number, _, purity = rest.partition(" ")
    return f"{condition}: word {found.names[int(number)]} {purity}"


def told_table(found: ChannelAudit) -> Table:
    a = found.audit
    rows = [("entropy of the words", *bits(a.entropy))]
    told = sorted(a.information.items(), key=lambda item: -item[1].value)
    rows += [(f"information about {name}", *bits(e)) for name, e in told[:MOST_ROWS]]
    for label, value in (("topographic similarity", a.topographic_similarity),
                         ("positional disentanglement", a.positional_disentanglement),
                         ("bag-of-symbols disentanglement", a.bag_of_symbols_disentanglement)):
        if math.isfinite(value):
            rows.append((label, f"{value:.3f}", ""))
    return Table("How much they say", ("figure", "value", "error"), tuple(rows), frozenset({1, 2}), (), f"bits; {a.samples} plays")


def bits(e: Estimate) -> tuple[str, str]:
    return f"{e.value:.4f}", show_error(e.standard_error)


def controls_table(found: ChannelAudit) -> Table:
    oracle = any(math.isfinite(c.oracle) for c in found.controls.values())
    rows = []
    for player, c in found.controls.items():
        cells = [f"{e.value:.5g} ± {e.standard_error:.1g}" for e in (c.silent, c.shuffled, c.spoken, c.gain, c.meaning)]
        told = [show_value(c.oracle), "" if math.isnan(c.closed) else f"{c.closed:.1%}"] if oracle else []
        rows.append((player, *cells, *told))
    columns = ("cost of", "silence", "shuffled", "the messages", "worth", "of it meaning", *(("told all", "closed") if oracle else ()))
    note = "silence: the best message that is always the same; shuffled: those of other plays; worth: silence less messages, meaning: " \
           "shuffled less messages, paired" + ("; told all: trained anew, listeners knowing what the sender knows" if oracle else "")
    return Table("What they are worth", columns, tuple(rows), frozenset(range(1, len(columns))), (), note)


def influence_table(found: ChannelAudit) -> Table:
    rows = tuple((d, *bits(i.in_situation), f"{i.alone:.4f}", str(i.words)) for d, i in found.influences.items())
    return Table("What they do", ("decision", "in its situation", "error", "alone", "messages tried"), rows, frozenset({1, 2, 3, 4}), (),
                 "bits that a message put in by hand says about the decision")


def markdown(audits: Sequence[ChannelAudit], title: str) -> str:
    """The audits for readers."""
    parts = []
    for found in audits:
        parts.append(f"# {title}: {found.channel}\n\n{found.reading[:1].upper()}{found.reading[1:]}.\n")
        for table in audit_tables(found):
            parts.append(f"## {table.title}\n\n{markdown_table(table)}")
        parts += [f"- {note}" for note in found.notes]
    return "\n".join(parts)


def markdown_table(table: Table) -> str:
    def row(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rule = ["---:" if k in table.right else "---" for k in range(len(table.columns))]
    lines = [row(table.columns), row(rule), *(row(cells) for cells in table.rows)]
    return "\n".join([*lines, "", f"{table.note}.\n"] if table.note else [*lines, ""])


def draw_words(found: ChannelAudit, title: str, folder: str) -> str:
    """The figure of a channel's words as SVG in ``folder``; returns its path."""
    import matplotlib

    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"words-{slug(found.channel)}.svg")
    with matplotlib.rc_context({"svg.hashsalt": "dcgc", "svg.fonttype": "none"}):
        words_figure(found, title).savefig(path, metadata={"Date": None, "Creator": "dcgc"})
    return path


def words_figure(found: ChannelAudit, title: str) -> Drawing:
    """The variable about which the words say most, when each is said: boxes from quartile to quartile with whiskers from 5% to 95%, or
    for a category the shares of its values."""
    name = max(found.audit.information, key=lambda n: found.audit.information[n].value)
    values = found.variables[name]
    shown = [w.word for w in in_order(found, MOST_BOXES)]
    figure, axes = blank(f"{title}: what {found.channel} says", "word", name)
    places = np.arange(len(shown))
    if name in found.categorical or values.dtype.kind == "b":
        kinds, bottom = np.unique(values), np.zeros(len(shown))
        for k, kind in enumerate(kinds):
            shares = np.asarray([np.mean(values[found.words == w] == kind) for w in shown])
            colour = ENGINE_COLOURS[k % len(ENGINE_COLOURS)]
            axes.bar(places, shares, bottom=bottom, color=colour, alpha=1 - 0.4 * (k // len(ENGINE_COLOURS) % 2), label=str(kind))
            bottom = bottom + shares
        axes.set_ylabel(f"share of each {name}", fontsize=12, color=INK, parse_math=False)
        axes.set_ylim(0, 1)
        axes.legend(frameon=False, fontsize=10, loc="upper left", bbox_to_anchor=(1, 1), title=name)
    else:
        stats: list[dict[str, Any]] = []
        for w in shown:
            q = np.quantile(values[found.words == w].astype(float), [0.05, 0.25, 0.5, 0.75, 0.95])
            stats.append({"whislo": q[0], "q1": q[1], "med": q[2], "q3": q[3], "whishi": q[4], "fliers": []})
        axes.bxp(stats, positions=places, widths=0.6, showfliers=False, patch_artist=True,
                 boxprops={"facecolor": FAINT, "edgecolor": INK, "linewidth": 0.8}, medianprops={"color": ACCENT, "linewidth": 2},
                 whiskerprops={"color": INK, "linewidth": 0.8}, capprops={"color": INK, "linewidth": 0.8})
    axes.set_xticks(places, [found.names[w] for w in shown], rotation=90 if len(shown) > 10 else 0, parse_math=False)
    return figure
