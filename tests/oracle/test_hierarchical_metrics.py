"""The metrics of the tree against sets of ancestors, counted record by record."""

from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.analysis import _hierarchical
from tests.unit.schemas import FIVE_LEVELS, SECTORS

UNEVEN = {
    "task": "a",
    "labels": [
        "a0",
        {"a1": {"task": "b", "labels": [{"b0": {"task": "c", "labels": ["c0", "c1", "c2"]}}, "b1"]}},
        {"a2": {"task": "d", "labels": ["d0", "d1"]}},
    ],
}
Node = tuple[str, str]


class Paths:
    """A tree as nodes (task, label), with nothing of the code under test but the schema's parents."""

    def __init__(self, schema: mw.TaskSchema) -> None:
        self.schema = schema
        self.nodes = [(task, label) for task in schema.tasks for label in schema.labels(task)]
        self.leaves = [node for node in self.nodes if schema.child(*node) is None]

    def path(self, node: Node | None) -> list[Node]:
        """From the root's label down to the node."""
        found: list[Node] = []
        while node is not None:
            found.append(node)
            node = self.schema.parent(node[0])
        return found[::-1]

    def height(self, node: Node | None) -> int:
        """Edges down to the farthest leaf; None is the root above all labels."""
        depth = len(self.path(node))
        below = [len(self.path(leaf)) for leaf in self.leaves if node is None or node in self.path(leaf)]
        return max(below) - depth


def expected(paths: Paths, truth: list[Node], guess: list[Node | None]) -> dict[str, Any]:
    """All figures, by sets. A predicted path is cut to the length of a true path that is known in part."""
    said = right = true = height = distance = covered = agree = 0
    depths: dict[int, list[bool]] = {}
    for node, other in zip(truth, guess, strict=True):
        known, path = paths.path(node), paths.path(other)
        if node in path:  # below a true node nothing is known, or there is nothing
            path = known
        a, b = set(path), set(known)
        said, true, right = said + len(a), true + len(b), right + len(a & b)
        agree += a == b
        for d, label in enumerate(known):
            depths.setdefault(d, []).append(label in a)
        if other is not None:
            covered += 1
            shared = [label for label in known if label in a]
            height += 0 if a == b else paths.height(shared[-1] if shared else None)
            distance += len(a ^ b)
    return {
        "accuracy": agree / len(truth),
        "hierarchical_precision": right / said,
        "hierarchical_recall": right / true,
        "hierarchical_f1": 2 * (right / said) * (right / true) / (right / said + right / true),
        "lca_error": height / covered,
        "tree_distance": distance / covered,
        "depths": [(d, len(hits), sum(hits) / len(hits)) for d, hits in depths.items()],
    }


@pytest.mark.parametrize("tree", [SECTORS, UNEVEN, FIVE_LEVELS], ids=["sectors", "uneven", "five levels"])
@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_metrics_of_the_tree_equal_sets_of_ancestors(
    tree: dict[str, Any], coarse: bool, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_hierarchical, "_CELLS", 50)
    schema, rng = mw.TaskSchema.from_dict(tree), np.random.default_rng(seed)
    paths = Paths(schema)
    truth = [(paths.nodes if coarse else paths.leaves)[i] for i in rng.integers(0, len(paths.leaves), 40)]
    codes = np.where(rng.random(40) < 0.2, -1, rng.integers(0, schema.n_end_labels, 40))
    by_code = dict(
        enumerate(sorted(paths.leaves, key=lambda leaf: schema.end_labels.index(leaf_name(paths, leaf))))
    )
    result = mw.evaluate(codes, ["/".join(label for _, label in paths.path(node)) for node in truth], schema)
    figures = expected(paths, truth, [by_code.get(code) for code in codes.tolist()])
    depths = figures.pop("depths")
    assert {name: getattr(result, name) for name in figures} == pytest.approx(figures)
    found = [(row.depth, row.n_points, row.accuracy) for row in result.depths if row.n_points]
    assert found == sorted(depths)


def leaf_name(paths: Paths, leaf: Node) -> str:
    """An end label's name: its own where no other end label has it, else its path."""
    twice = sum(label == leaf[1] for _, label in paths.leaves) > 1
    return "/".join(label for _, label in paths.path(leaf)) if twice else leaf[1]


def test_in_a_flat_task_they_are_the_micro_averages() -> None:
    rng, schema = np.random.default_rng(0), mw.TaskSchema.flat(["a", "b", "c"])
    result = mw.evaluate(rng.integers(-1, 3, 50), rng.integers(0, 3, 50), schema)
    assert result.hierarchical_precision == result.micro_precision
    assert result.hierarchical_recall == result.micro_recall
    assert result.hierarchical_f1 == pytest.approx(result.micro_f1)
    assert result.covered_accuracy is not None
    assert result.lca_error == pytest.approx(1 - result.covered_accuracy)
