"""Where things stand in the drawings of the task tree and of the compiled network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from metalwork.end_models import Plan
from metalwork.report._text import plural, shorten
from metalwork.schema import TaskSchema

_CHARACTER: Final = 7.4
"""Width of a character at the drawings' type size, on the safe side."""


@dataclass(frozen=True)
class Node:
    """A name in a drawing, with a line of small print; ``kind`` picks its look."""

    x: float
    y: float
    name: str
    full_name: str
    note: str
    kind: str
    width: float = 0.0


@dataclass(frozen=True)
class Edge:
    """A line from one node to another, as an SVG path; ``kind`` picks its look."""

    path: str
    kind: str


@dataclass(frozen=True)
class Drawing:
    """Nodes and edges on a canvas of ``width`` by ``height``."""

    width: float
    height: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


_ROW: Final = 30
_TOP: Final = 22
_LONGEST: Final = 32


def draw_schema(schema: TaskSchema, n_lfs: Mapping[str, int]) -> Drawing:
    """The task tree from left to right, an end label a row; ``n_lfs`` counts the LFs of each task."""
    columns = _columns(schema)
    nodes = [
        _node(columns[0], _middle(0, schema.n_end_labels), schema.root, _lfs_note(n_lfs, schema.root), "root")
    ]
    place = {schema.root: (columns[0], nodes[0].y, min(len(schema.root), _LONGEST))}
    edges = []
    for task in schema.tasks:
        x, y, length = place[task]
        right = columns[schema.depth(task) + 1]
        for label, (start, stop) in zip(schema.labels(task), schema.spans(task).tolist(), strict=True):
            child = schema.child(task, label)
            note = "" if child is None else f"{shorten(child, _LONGEST)}{_lfs_note(n_lfs, child, ', ')}"
            node = _node(right, _middle(start, stop), label, note, "leaf" if child is None else "inner")
            edges.append(Edge(_curve(x + 14 + _CHARACTER * length, y, right - 4, node.y), "branch"))
            nodes.append(node)
            if child is not None:
                place[child] = (right, node.y, max(len(node.name), round(len(note) * 0.84)))
    width = columns[-1] + _CHARACTER * max(len(node.name) for node in nodes if node.kind == "leaf") + 24
    return Drawing(width, 2 * _TOP + _ROW * (schema.n_end_labels - 1), tuple(nodes), tuple(edges))


def _columns(schema: TaskSchema) -> list[float]:
    """The left edge of each depth's names: the root task, then the labels of each level."""
    longest = [len(schema.root)] + [0] * schema.n_levels
    for task in schema.tasks:
        depth = schema.depth(task)
        longest[depth + 1] = max(longest[depth + 1], *(len(label) for label in schema.labels(task)))
        longest[depth] = max(longest[depth], round(0.84 * (len(task) + 8)))
    left = [6.0]
    for length in longest[:-1]:
        left.append(left[-1] + 74 + _CHARACTER * min(length, _LONGEST + 6))
    return left


def _middle(start: int, stop: int) -> float:
    return _TOP + _ROW * (start + stop - 1) / 2


def _lfs_note(n_lfs: Mapping[str, int], task: str, before: str = "") -> str:
    return before + plural(n_lfs[task], "LF") if task in n_lfs else ""


def _node(x: float, y: float, name: str, note: str, kind: str) -> Node:
    return Node(x, y, shorten(name, _LONGEST), name, note, kind)


def _curve(x1: float, y1: float, x2: float, y2: float) -> str:
    middle = (x1 + x2) / 2
    return f"M{x1:.0f} {y1:.1f}C{middle:.0f} {y1:.1f} {middle:.0f} {y2:.1f} {x2:.0f} {y2:.1f}"


_WIDTH: Final = 156
_INDENT: Final = 24
BOX_HEIGHT: Final = 44
_ACROSS: Final = 232
_DOWN: Final = 56
_MARGIN: Final = 6


def draw_network(plan: Plan) -> Drawing:
    """The network from left to right: input, layers, below each layer its heads, and which head feeds which."""
    nodes = [_box(0, 0, "input", f"{plan.n_features:,} features", "input")]
    edges, place = [], {}
    for column, layer in enumerate(plan.layers, start=1):
        nodes.append(_box(column, 0, f"layer {column}", plural(layer.size, "unit"), "layer"))
        edges.append(Edge(_flow(column), "flow"))
    for column in range(len(plan.layers) + 1):
        for row, head in enumerate(plan.heads_on(column - 1), start=1):
            nodes.append(_box(column, row, head.name, plural(head.size, "label"), "head"))
            edges.append(Edge(_rail(column, row), "reads"))
            place[head.name] = (column, row)
    for head in plan.heads:
        edges += [Edge(_feed(place[child], place[head.name]), "feeds") for child in head.children]
    rows = max(row for _, row in place.values())
    width = len(plan.layers) * _ACROSS + _WIDTH + 2 * _MARGIN
    return Drawing(width, rows * _DOWN + BOX_HEIGHT + 2 * _MARGIN, tuple(nodes), tuple(edges))


def _box(column: int, row: int, name: str, note: str, kind: str) -> Node:
    indent = _INDENT if row else 0
    x, y = _MARGIN + column * _ACROSS + indent, _MARGIN + row * _DOWN
    return Node(x, y, shorten(name, 17), name, note, kind, _WIDTH - indent)


def _flow(column: int) -> str:
    """From the box before to a layer."""
    x, y = _MARGIN + column * _ACROSS, _MARGIN + BOX_HEIGHT / 2
    return f"M{x - _ACROSS + _WIDTH} {y:.0f}H{x - 2}"


def _rail(column: int, row: int) -> str:
    """From a layer down its left side and into a head."""
    x, y = _MARGIN + column * _ACROSS, _MARGIN + row * _DOWN + BOX_HEIGHT / 2 - 8
    return f"M{x + 10} {_MARGIN + BOX_HEIGHT}V{y:.0f}H{x + _INDENT - 2}"


def _feed(child: tuple[int, int], parent: tuple[int, int]) -> str:
    """From a head to the head that reads it."""
    x1, x2 = (_MARGIN + column * _ACROSS for column in (child[0], parent[0]))
    y1, y2 = (_MARGIN + row * _DOWN + BOX_HEIGHT / 2 for row in (child[1], parent[1]))
    return _curve(x1 + _WIDTH, y1, x2 + _INDENT - 2, y2 + 8)
