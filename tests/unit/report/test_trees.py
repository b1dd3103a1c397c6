"""Where things stand in the drawings of trees and networks."""

from itertools import combinations
from typing import Any

import pytest

import metalwork as mw
from metalwork.end_models import compile_plan
from metalwork.report._trees import BOX_HEIGHT, draw_network, draw_schema
from tests.unit.report.samples import TRIAGE, wide_tree

UNEVEN: dict[str, Any] = {
    "task": "a",
    "labels": ["x", {"y": {"task": "b", "labels": [{"z": {"task": "c", "labels": ["p", "q"]}}, "r"]}}],
}
TREES = [TRIAGE, UNEVEN, wide_tree(5, 10, long_names=True), {"task": "spam", "labels": ["ham", "spam"]}]


@pytest.mark.parametrize("tree", TREES)
def test_the_tree_shows_every_label_once_and_on_its_canvas(tree: dict[str, Any]) -> None:
    schema = mw.TaskSchema.from_dict(tree)
    drawing = draw_schema(schema, dict.fromkeys(schema.tasks, 3))
    labels = [label for task in schema.tasks for label in schema.labels(task)]
    assert sorted(node.full_name for node in drawing.nodes) == sorted([schema.root, *labels])
    assert len(drawing.edges) == len(labels)
    assert all(0 <= node.x < drawing.width and 0 < node.y < drawing.height for node in drawing.nodes)


@pytest.mark.parametrize("tree", TREES)
def test_no_two_names_of_the_tree_overlap(tree: dict[str, Any]) -> None:
    nodes = draw_schema(mw.TaskSchema.from_dict(tree), {}).nodes
    for one, other in combinations(nodes, 2):
        left, right = sorted((one, other), key=lambda node: node.x)
        assert abs(one.y - other.y) >= 15 or left.x + 7.4 * len(left.name) < right.x


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("architecture", ["hier", "flat", "single", "linear"])
def test_the_network_shows_every_layer_head_and_feed(tree: dict[str, Any], architecture: str) -> None:
    plan = compile_plan(mw.TaskSchema.from_dict(tree), architecture, n_features=100)
    drawing = draw_network(plan)
    kinds = [node.kind for node in drawing.nodes]
    assert (kinds.count("layer"), kinds.count("head")) == (len(plan.layers), len(plan.heads))
    feeds = [edge for edge in drawing.edges if edge.kind == "feeds"]
    assert len(feeds) == sum(len(head.children) for head in plan.heads)
    for node in drawing.nodes:
        assert 0 < node.x < node.x + node.width < drawing.width
        assert 0 < node.y < node.y + BOX_HEIGHT < drawing.height
    corners = [(node.x // 200, node.y) for node in drawing.nodes]
    assert len(set(corners)) == len(corners)
