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
    "crowd_ms auto": (0.804286, 0.354765, 0.806458),
    "crowd_ms prior": (0.605714, 0.523227, 0.701730),
    "crowd_ms dev": (0.810000, 0.328147, 0.791918),
    "crowd_ms independent": (0.497143, 0.988900, 0.979133),
    "crowd_rte auto": (0.928750, 0.109428, 0.942414),
    "crowd_rte prior": (0.851250, 0.214418, 0.853581),
    "crowd_rte dev": (0.926250, 0.112896, 0.899369),
    "crowd_rte independent": (0.902500, 0.188158, 0.993271),
    "crowd_product auto": (0.896667, 0.174125, 0.972233),
    "crowd_product prior": (0.347333, 0.691349, 0.694433),
    "crowd_product dev": (0.906000, 0.137634, 0.906208),
    "crowd_product independent": (0.890000, 0.198977, 0.976118),
    "finbank auto": (0.569200, 0.628594, 0.798836),
    "finbank prior": (0.478800, 0.541638, 0.530696),
    "finbank dev": (0.574000, 0.533349, 0.713155),
    "finbank independent": (0.560400, 0.878656, 0.999636),
    "agnews auto": (0.644000, 0.431700, 0.614816),
    "agnews prior": (0.667200, 0.520309, 0.683795),
    "agnews dev": (0.643200, 0.430046, 0.616195),
    "agnews independent": (0.632000, 0.442965, 0.717955),
    "norec auto": (0.554400, 0.622340, 0.740029),
    "norec prior": (0.505600, 0.686054, 0.716777),
    "norec dev": (0.554800, 0.613485, 0.729167),
    "norec independent": (0.526000, 0.797215, 0.881847),
    "massive_tree auto": (0.371733, 0.735567, 0.291674),
    "massive_tree prior": (0.337367, 0.782478, 0.264889),
    "massive_tree dev": (0.373185, 0.732702, 0.293753),
    "massive_tree independent": (0.270571, 1.038454, 0.680357),
}
"""By matrix and use of the model: accuracy, Brier score, and the mean of the highest probability."""
TOLERANCE = np.array([1e-3, 1.5e-6, 1.5e-6])
MOVED = {
    "DISCOUNT": "norec auto",
    "CONFUSION_STRENGTH": "crowd_rte dev",
    "UNIFORM": "massive_tree prior",
    "COPIED": "crowd_rte independent",
    "MISFIT": "norec auto",
    "LOADING": "norec auto",
    "LOADING_SPREAD": "norec auto",
    "FIRST_STRENGTH": "norec auto",
    "CORRELATION": "crowd_rte auto",
    "LEAST_LEFT": "massive_tree prior",
    "PRIOR_STRENGTH": "norec auto",
    "POOLED_ACCURACY": "agnews auto",
    "POOLED_VOTES": "crowd_rte independent",
    "POOLING": "crowd_rte independent",
    "TABLE_TOLERANCE": "crowd_ms auto",
}
"""Constants, and a figure that moves when one grows by a quarter (of a share near 1: what it lacks)."""
UNMOVED = {
    "PRECISION",
    "STRENGTH",
    "LEAST_MARGIN",
    "MOST_PRECISION",
    "LEAST_RATIO",
    "ONE_SIDED",
    "SOFTENED",
    "MOST_MISFIT",
    "NEAR_COPIES",
    "SURE_COPIES",
    "FALSE_REPETITIONS",
    "LEAST_TOLD_APART",
    "BALANCE_STRENGTH",
    "BALANCE_LEVEL",
    "MOST_DEPENDENCE",
    "SLACK",
    "LEAST_EVIDENCE",
    "HOPELESS",
    "ASKED_ALIKE",
    "BALANCE_RECORDS",
    "MANY_RATERS",
    "FALSE_CONTRADICTIONS",
    "TIE",
    "SOFT_STEPS",
}
"""Constants that move no figure here: arguments, warnings, choices of what to believe, bounds of extremes."""


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
    kind = {"auto": "auto", "independent": "independent"}.get(use, "rules")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MetalworkWarning)
        model = mw.HierarchicalLabelModel(votes.schema, kind=kind).fit(votes, **more)
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
