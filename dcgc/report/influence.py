"""An influence diagram as text for Graphviz or Mermaid, and laid out as a picture.

Chance nodes are ovals, deterministic ones double ovals, decisions boxes, utilities diamonds; arcs into decisions are information and dashed
(Howard and Matheson 1984). Players have colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from ..information.diagram import InfluenceDiagram, Node

COLOURS = ("#4477aa", "#cc6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb")  # Tol's bright scheme
WIDE, NARROW, HIGH, LETTER, GAP = 46.0, 8.0, 64.0, 7.2, 26.0
HALF = {"chance": 15.0, "deterministic": 15.0, "decision": 14.0, "utility": 20.0}  # half the height of a node
SWEEPS = 24


def dot(diagram: InfluenceDiagram, title: str = "") -> str:
    """In Graphviz's language."""
    shapes = {"chance": "ellipse", "deterministic": "ellipse, peripheries=2", "decision": "box", "utility": "diamond"}
    colour = colours(diagram)
    lines = ["digraph game {", f"  label={quoted(title)}; rankdir=TB;"]
    for k, node in enumerate(diagram.nodes):
        lines.append(f"  n{k} [label={quoted(text(node))}, shape={shapes[node.kind]}, color={quoted(colour.get(whose(node), '#555555'))}];")
    for k, above in enumerate(diagram.parents):
        style = " [style=dashed]" if diagram.nodes[k].kind == "decision" else ""
        lines += [f"  n{p} -> n{k}{style};" for p in above]
    return "\n".join([*lines, "}", ""])


def mermaid(diagram: InfluenceDiagram) -> str:
    """In Mermaid's language, for pages that draw it."""
    braces = {"chance": ("([", "])"), "deterministic": ("([", "])"), "decision": ("[", "]"), "utility": ("{{", "}}")}
    lines = ["flowchart TD"]
    for k, node in enumerate(diagram.nodes):
        left, right = braces[node.kind]
        label = text(node).replace('"', "'").replace("#", "&num;")
        lines.append(f'  n{k}{left}"{label}"{right}')
    for k, above in enumerate(diagram.parents):
        arrow = "-.->" if diagram.nodes[k].kind == "decision" else "-->"
        lines += [f"  n{p} {arrow} n{k}" for p in above]
    return "\n".join([*lines, ""])


def svg(diagram: InfluenceDiagram, title: str = "") -> str:
    """A picture of its own: layers by the longest way from a root, ordered to cross little; long arcs go round what lies between."""
    place, ways = layout(diagram)
    width = max([*(x + w / 2 for x, _, w in place), *(x for way in ways.values() for x, _ in way), LETTER * 1.2 * len(title)]) + GAP
    height = max((y for _, y, _ in place), default=0.0) + HIGH
    colour = colours(diagram)
    head = 34.0 if title else 10.0
    box = f"0 0 {width:.0f} {height + head + 26:.0f}"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" font-family="sans-serif" font-size="12">',
           '<defs><marker id="head" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
           '<path d="M0,0 L8,4 L0,8 z" fill="#555"/></marker></defs>',
           f'<rect width="{width:.0f}" height="{height + head + 26:.0f}" fill="white"/>']
    if title:
        out.append(f'<text x="{GAP:.0f}" y="20" font-size="14" font-weight="bold">{escape(title)}</text>')
    for (p, k), way in ways.items():
        dashed = ' stroke-dasharray="5 4"' if diagram.nodes[k].kind == "decision" else ""
        top = HALF[diagram.nodes[k].kind]
        points = [(place[p][0], place[p][1] + HALF[diagram.nodes[p].kind]), *way, (place[k][0], place[k][1] - top)]
        out.append(arc([(x, y + head) for x, y in points], dashed))
    for k, node in enumerate(diagram.nodes):
        x, y, w = place[k]
        out.append(shape(node, x, y + head, w, colour.get(whose(node), "#555555")))
        out.append(f'<text x="{x:.1f}" y="{y + head + 4:.1f}" text-anchor="middle">{escape(text(node))}</text>')
    at = GAP
    for player, c in colour.items():
        if player:
            out.append(f'<rect x="{at:.0f}" y="{height + head:.0f}" width="10" height="10" fill="none" stroke="{c}" stroke-width="2"/>'
                       f'<text x="{at + 15:.0f}" y="{height + head + 9:.0f}">{escape(player)}</text>')
            at += 28 + LETTER * len(player)
    return "\n".join([*out, "</svg>", ""])


def shape(node: Node, x: float, y: float, w: float, colour: str) -> str:
    """The outline of a node around (x, y)."""
    pen = f'fill="white" stroke="{colour}" stroke-width="1.6"'
    if node.kind == "decision":
        return f'<rect x="{x - w / 2:.1f}" y="{y - 14:.1f}" width="{w:.1f}" height="28" {pen}/>'
    if node.kind == "utility":
        return f'<path d="M{x - w / 2:.1f},{y:.1f} L{x:.1f},{y - 20:.1f} L{x + w / 2:.1f},{y:.1f} L{x:.1f},{y + 20:.1f} z" {pen}/>'
    oval = f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{w / 2:.1f}" ry="15" {pen}/>'
    if node.kind == "deterministic":
        oval += f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{w / 2 - 3:.1f}" ry="12" {pen}/>'
    return oval


def arc(points: Sequence[tuple[float, float]], style: str) -> str:
    """A smooth arrow through points, each below the one before."""
    (x, y), rest = points[0], points[1:]
    path = [f"M{x:.1f},{y:.1f}"]
    for to_x, to_y in rest:
        bend = (to_y - y) * 0.5
        path.append(f"C{x:.1f},{y + bend:.1f} {to_x:.1f},{to_y - bend:.1f} {to_x:.1f},{to_y:.1f}")
        x, y = to_x, to_y
    return f'<path d="{" ".join(path)}" fill="none" stroke="#555" stroke-width="1"{style} marker-end="url(#head)"/>'


Arc = tuple[int, int]


def layout(diagram: InfluenceDiagram) -> tuple[list[tuple[float, float, float]], dict[Arc, list[tuple[float, float]]]]:
    """(x, y, width) of every node, and the points that every arc (parent, child) passes between: layers by longest paths, roots next to
    what they move, orders by barycentres (Sugiyama, Tagawa and Toda 1981), with a place of its own for an arc in every layer that
    it crosses."""
    size = len(diagram.nodes)
    layer = layers(diagram)
    widths = [max(WIDE, 18 + LETTER * len(text(node)) * (1.45 if node.kind == "utility" else 1.0)) for node in diagram.nodes]
    links: list[Arc] = []
    passing: dict[Arc, list[int]] = {}
    for k, above in enumerate(diagram.parents):
        for p in above:
            before = p
            passing[p, k] = []
            for level in range(layer[p] + 1, layer[k]):
                layer.append(level)
                widths.append(NARROW)
                links.append((before, len(layer) - 1))
                before = len(layer) - 1
                passing[p, k].append(before)
            links.append((before, k))
    rows: dict[int, list[int]] = {}
    for k, level in enumerate(layer):
        rows.setdefault(level, []).append(k)
    above_of: list[list[int]] = [[] for _ in layer]
    below_of: list[list[int]] = [[] for _ in layer]
    for p, k in links:
        above_of[k].append(p)
        below_of[p].append(k)
    x = [0.0] * len(layer)
    for row in rows.values():
        spread(row, x, widths, {k: float(i) for i, k in enumerate(row)})
    for sweep in range(SWEEPS):
        for r in sorted(rows, reverse=bool(sweep % 2)):
            near = {k: [*above_of[k], *below_of[k]] if sweep > SWEEPS // 2 else (below_of if sweep % 2 else above_of)[k] for k in rows[r]}
            wish = {k: sum(x[n] for n in near[k]) / len(near[k]) if near[k] else x[k] for k in rows[r]}
            rows[r].sort(key=lambda k: wish[k])
            spread(rows[r], x, widths, wish)
    left = min((x[k] - widths[k] / 2 for k in range(len(layer))), default=0.0)
    at = [(x[k] - left + GAP, layer[k] * HIGH + 28) for k in range(len(layer))]
    return [(*at[k], widths[k]) for k in range(size)], {link: [at[k] for k in middle] for link, middle in passing.items()}


def layers(diagram: InfluenceDiagram) -> list[int]:
    """The layer of every node, from 0: below all its parents; one without parents just above the first that it moves."""
    layer: list[int] = []
    for above in diagram.parents:
        layer.append(max((layer[p] + 1 for p in above), default=0))
    for k in reversed(range(len(layer))):
        if not diagram.parents[k] and diagram.children[k]:
            layer[k] = min(layer[c] for c in diagram.children[k]) - 1
    lowest = min(layer, default=0)
    return [level - lowest for level in layer]


def spread(row: list[int], x: list[float], widths: list[float], wish: Mapping[int, float]) -> None:
    """Nodes of a layer, in their order, as near to where they wish to be as their widths allow: pushed right, then the whole back."""
    at = -float("inf")
    for k in row:
        x[k] = max(wish[k], at + widths[k] / 2)
        at = x[k] + widths[k] / 2 + (GAP if widths[k] > NARROW else NARROW)
    shift = sum(wish[k] - x[k] for k in row) / len(row)
    for k in row:
        x[k] += shift


def text(node: Node) -> str:
    """A short name."""
    if node.kind == "utility":
        return ", ".join(sorted(node.owners))
    return node.name if len(node.name) <= 28 else node.name[:26] + ".."


def whose(node: Node) -> str:
    """The player whose colour a node has; empty of nature's."""
    return node.player or (sorted(node.owners)[0] if node.kind == "utility" and node.owners else "")


def colours(diagram: InfluenceDiagram) -> dict[str, str]:
    """A colour for each player, and for each account that is nobody's alone."""
    names = dict.fromkeys(w for node in diagram.nodes if node.kind in ("decision", "utility") and (w := whose(node)))
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}


def quoted(words: str) -> str:
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'
