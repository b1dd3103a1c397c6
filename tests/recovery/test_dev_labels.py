"""Dev labels orient a model that votes alone cannot, and move the balance to where they have it."""

import warnings
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import MetalworkWarning

SCHEMA = mw.TaskSchema.flat(["a", "b"])


@pytest.mark.parametrize("n_dev", [20, 50, 1_000])
def test_dev_labels_turn_adversarial_lfs_round(n_dev: int) -> None:
    """Eight LFs that are right in a fifth of cases agree as eight that are right in four fifths do."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 3_000)
    codes = np.where(rng.random((3_000, 8)) < 0.2, y[:, None], 1 - y[:, None])
    votes = mw.LabelMatrix(codes, SCHEMA)
    assert mw.HierarchicalLabelModel(SCHEMA).fit(votes).score(votes, y) < 0.1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MetalworkWarning)
        model = mw.HierarchicalLabelModel(SCHEMA).fit(votes, dev=(votes.rows(slice(n_dev)), y[:n_dev]))
    assert model.score(votes, y) > 0.95
    assert "of 8 LFs are worse than chance" in str(caught[0].message)


def test_a_class_prior_moves_the_balance_and_dev_labels_do_so_in_part() -> None:
    """Rules for a rare label that fire far too often."""
    rng = np.random.default_rng(1)
    y = (rng.random(4_000) < 0.1).astype(int)
    fires = rng.random((4_000, 4)) < np.where(y[:, None] == 1, 0.6, 0.3)
    codes = np.where(fires, 1, mw.ABSTAIN)
    codes[:, 3] = np.where(rng.random(4_000) < 0.9, 0, mw.ABSTAIN)
    votes = mw.LabelMatrix(codes, SCHEMA)
    dev = votes.rows(slice(100)), y[:100]
    makes: dict[str, dict[str, Any]] = {"nothing": {}, "dev": {"dev": dev}, "prior": {"class_prior": [0.9, 0.1]}}
    shares, right = {}, {}
    for name, more in makes.items():
        model = mw.HierarchicalLabelModel(SCHEMA, kind="rules").fit(votes, **more)
        shares[name], right[name] = model.class_prior_[1], model.score(votes, y)
    assert shares["nothing"] > shares["dev"] > shares["prior"] == pytest.approx(0.1, abs=0.02)
    assert right["nothing"] < right["dev"] <= right["prior"] + 0.02
