"""Real label matrices, scored: a constant of the label model that changes moves a figure that is pinned here.

Gold labels only judge. Rows are cut by position, for speed. The matrices lie beside the project, in the folder
``matrices`` of the data folder.
"""

import json
import os
import sys
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import metalwork as mw
from metalwork.errors import MetalworkWarning
from metalwork.label_models import _constants

_BESIDE = Path(__file__).parents[3] / "shared" / "data"
FOLDER = Path(os.environ.get("METALWORK_DATA") or _BESIDE) / "matrices"
needs_matrices = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"there are no matrices in {FOLDER}")
ROWS = {
    "crowd_ms": slice(None),
    "crowd_rte": slice(None),
    "crowd_product": slice(0, 1500),
    "finbank": slice(0, 2500),
    "agnews": slice(0, 2500),
    "norec": slice(0, 2500),
    "massive_tree": slice(0, None, 8),
}
PINNED = {
    "crowd_ms auto": (0.802857, 0.346094, 0.856494),
    "crowd_ms prior": (0.575714, 0.590646, 0.743690),
    "crowd_ms dev": (0.822857, 0.295500, 0.845261),
    "crowd_ms informative": (0.501429, 0.982962, 0.979103),
    "crowd_rte auto": (0.926250, 0.118364, 0.880850),
    "crowd_rte prior": (0.755000, 0.320472, 0.831967),
    "crowd_rte dev": (0.932500, 0.114082, 0.887612),
    "crowd_rte informative": (0.893750, 0.186358, 0.974045),
    "crowd_product auto": (0.904667, 0.153800, 0.876287),
    "crowd_product prior": (0.346667, 0.744921, 0.716668),
    "crowd_product dev": (0.916000, 0.138091, 0.925894),
    "crowd_product informative": (0.870667, 0.230337, 0.969964),
    "finbank auto": (0.572800, 0.596067, 0.493326),
    "finbank prior": (0.488000, 0.529539, 0.534514),
    "finbank dev": (0.569600, 0.508071, 0.590318),
    "finbank informative": (0.579200, 0.841586, 0.999989),
    "agnews auto": (0.636800, 0.428026, 0.618401),
    "agnews prior": (0.574000, 0.566031, 0.571153),
    "agnews dev": (0.630800, 0.437816, 0.621067),
    "agnews informative": (0.640000, 0.441939, 0.705739),
    "norec auto": (0.550000, 0.701109, 0.839134),
    "norec prior": (0.491600, 0.763704, 0.785480),
    "norec dev": (0.552800, 0.684627, 0.824974),
    "norec informative": (0.531600, 0.799599, 0.887167),
    "massive_tree auto": (0.314618, 0.744378, 0.253078),
    "massive_tree prior": (0.336399, 0.786687, 0.235974),
    "massive_tree dev": (0.315102, 0.742432, 0.256690),
    "massive_tree informative": (0.182962, 1.055544, 0.460905),
}
"""By matrix and use of the model: accuracy, Brier score, and the mean of the highest probability."""
TOLERANCE = np.array([1e-3, 1.5e-6, 1.5e-6])
MOVED = {
    "DISCOUNT": "crowd_ms auto",
    "LEAST_MARGIN": "crowd_product auto",
    "LEAST_RATIO": "massive_tree auto",
    "CONFUSION_STRENGTH": "crowd_rte auto",
    "ONE_SIDED": "crowd_product auto",
    "COPIED": "crowd_rte auto",
    "SOFTENED": "crowd_rte auto",
    "OVERLAP": "crowd_rte auto",
    "FIRST_STRENGTH": "crowd_rte auto",
    "BALANCE_BAND": "crowd_rte prior",
    "BALANCE_BAND_OF_TREES": "massive_tree prior",
    "BALANCE_STRENGTH": "crowd_rte dev",
    "POOLED_VOTES": "crowd_rte informative",
    "LEAST_POOLING": "crowd_rte informative",
    "MORE_POOLING": "crowd_rte informative",
    "LEAST_LEFT": "massive_tree prior",
    "PRIOR_STRENGTH": "crowd_rte informative",
    "POOLED_ACCURACY": "crowd_rte informative",
    "PARAMETER_TOLERANCE": "crowd_rte auto",
}
"""Constants, and a figure that moves when one grows by a quarter (of a share near 1: what it lacks)."""
UNMOVED = {
    "PRECISION",
    "STRENGTH",
    "MOST_PRECISION",
    "LEAST_TOLD_APART",
    "MOST_HALVED",
    "MOST_DEPENDENCE",
    "SLACK",
    "LEAST_EVIDENCE",
    "HOPELESS",
    "FALSE_CONTRADICTIONS",
    "TIE",
    "SOFT_STEPS",
}
"""Constants that move no figure here: arguments, warnings, choices between readings, bounds of extremes."""


@lru_cache
def matrix(name: str) -> tuple[mw.LabelMatrix, npt.NDArray[np.int64]]:
    """The votes of one matrix, and its gold end labels (-1: not known)."""
    with np.load(FOLDER / f"{name}.npz") as stored:
        meta = json.loads(bytes(stored["meta"]))
        tree = meta["schema"]
        schema = mw.TaskSchema.from_dict(tree) if tree else mw.TaskSchema.flat(meta["labels"])
        votes = mw.LabelMatrix(stored["codes"][ROWS[name]], schema, meta["tasks"])
        return votes, stored["gold"][ROWS[name]].astype(np.int64)


def scored(end: npt.NDArray[Any], gold: npt.NDArray[np.int64]) -> tuple[float, float, float]:
    """Accuracy and Brier score where gold is known, and the mean of the highest probability."""
    known = np.flatnonzero(gold >= 0)
    truth = np.eye(end.shape[1])[gold[known]]
    accuracy = float((end[known].argmax(axis=1) == gold[known]).mean())
    return accuracy, float(((end[known] - truth) ** 2).sum(axis=1).mean()), float(end.max(axis=1).mean())


def figures(of: str) -> tuple[float, float, float]:
    """Those of one matrix and one use: by default, with a class prior, with dev labels, or by full tables."""
    name, use = of.split()
    votes, gold = matrix(name)
    known = np.flatnonzero(gold >= 0)[:: max(1, len(gold) // 60)]
    prior = np.arange(1, votes.schema.n_end_labels + 1)
    more: dict[str, Any] = {
        "prior": {"class_prior": prior / prior.sum()},
        "dev": {"dev": (votes.rows(known), gold[known])},
    }.get(use, {})
    abstains = {"auto": "auto", "informative": "informative"}.get(use, "ignored")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MetalworkWarning)
        model = mw.HierarchicalLabelModel(votes.schema, abstains=abstains).fit(votes, **more)
    return scored(model.predict_proba(votes).end, gold)


def is_pinned(of: str) -> bool:
    """Whether a figure is what is pinned."""
    return bool((np.abs(np.subtract(figures(of), PINNED[of])) <= TOLERANCE).all())


@needs_matrices
@pytest.mark.parametrize("of", PINNED)
def test_real_matrices_give_what_they_gave(of: str) -> None:
    assert is_pinned(of), figures(of)


@needs_matrices
@pytest.mark.parametrize("name", MOVED)
def test_a_constant_that_changes_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = getattr(_constants, name)
    changed = 1 - 1.25 * (1 - value) if name == "ONE_SIDED" else type(value)(1.25 * value)
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("metalwork.label_models") and hasattr(module, name):
            monkeypatch.setattr(module, name, changed)
    assert not is_pinned(MOVED[name])


def test_every_constant_is_looked_at() -> None:
    assert set(MOVED) | set(UNMOVED) == {name for name in vars(_constants) if name.isupper()}
    assert not set(MOVED) & set(UNMOVED)
