"""Dev labels orient a model that votes alone cannot, and move the balance to where they have it."""

import warnings
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

import metalwork as mw
from metalwork.errors import MetalworkWarning
from metalwork.label_models._calibration import contradiction

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


def test_chance_in_dev_labels_moves_nothing() -> None:
    """Dev labels whose balance is within what chance explains leave that of the votes as it is."""
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 3_000)
    codes = np.where(rng.random((3_000, 5)) < 0.8, y[:, None], 1 - y[:, None])
    codes[rng.random(codes.shape) < 0.5] = mw.ABSTAIN
    votes, order = mw.LabelMatrix(codes, SCHEMA), np.argsort(y, kind="stable")
    shares = []
    for n_of_b in (25, 28, 45):  # of 50 dev records
        rows = np.concatenate([order[: 50 - n_of_b], order[len(y) - n_of_b :]])
        model = mw.HierarchicalLabelModel(SCHEMA, kind="rules").fit(votes, dev=(votes.rows(rows), y[rows]))
        shares.append(model.class_prior_[1])
    assert shares[0] == pytest.approx(shares[1], abs=0.01)
    assert shares[2] > shares[0] + 0.05


def test_contradiction_is_the_chi_square_test_with_rare_labels_taken_together() -> None:
    assert contradiction(np.array([0.5, 0.5]), np.array([25.0, 25.0])) == 1.0
    expected, found = np.array([30.0, 15.0, 5.0]), np.array([20.0, 15.0, 15.0])
    chance = chi2.sf(((found - expected) ** 2 / expected).sum(), 2)
    assert contradiction(expected / 50, found) == pytest.approx(chance)
    split = contradiction(np.array([0.6, 0.3, 0.05, 0.05]), np.array([20.0, 15.0, 15.0, 0.0]))
    assert split == pytest.approx(chance)
    assert contradiction(np.array([0.999, 0.001]), np.array([3.0, 0.0])) == 1.0
