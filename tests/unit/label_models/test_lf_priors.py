"""What the user knows of single labeling functions: priors and fixed precisions."""

import math
from pathlib import Path

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, VotesError

SCHEMA = mw.TaskSchema.flat(["a", "b"])
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, 600)
CODES = np.where(RNG.random((600, 4)) < 0.75, Y[:, None], 1 - Y[:, None])
VOTES = mw.LabelMatrix(np.where(RNG.random(CODES.shape) < 0.7, CODES, -1), SCHEMA, names=["w", "x", "y", "z"])


def proba_of_one_vote(model: mw.HierarchicalLabelModel) -> float:
    """P(a) of a record on which LF w alone votes, for a."""
    one = mw.LabelMatrix([[0, -1, -1, -1]], SCHEMA, names=VOTES.names)
    return float(model.predict_proba(one).end[0, 0])


@pytest.mark.parametrize("precision", [0.6, 0.95])
def test_a_fixed_precision_is_kept(precision: float) -> None:
    model = mw.HierarchicalLabelModel(SCHEMA, kind="rules", precision={"w": precision}, strength={"w": math.inf})
    assert proba_of_one_vote(model.fit(VOTES)) == pytest.approx(precision)


@pytest.mark.parametrize("kind", ["rules", "independent"])
def test_a_prior_moves_what_its_vote_means(kind: str) -> None:
    low, high = (
        mw.HierarchicalLabelModel(SCHEMA, kind=kind, precision={"w": p}, strength={"w": 1e4}).fit(VOTES)
        for p in (0.55, 0.95)
    )
    assert proba_of_one_vote(low) < 0.65 < 0.85 < proba_of_one_vote(high)


def test_the_others_stay_at_the_default() -> None:
    plain = mw.HierarchicalLabelModel(SCHEMA).fit(VOTES).predict_proba(VOTES).end
    stated = mw.HierarchicalLabelModel(SCHEMA, precision={}, strength={}).fit(VOTES).predict_proba(VOTES).end
    np.testing.assert_array_equal(plain, stated)


def test_priors_survive_saving(tmp_path: Path) -> None:
    model = mw.HierarchicalLabelModel(SCHEMA, precision={"w": 0.9}, strength={"w": math.inf}).fit(VOTES)
    model.save(tmp_path / "model.npz")
    loaded = mw.load_label_model(tmp_path / "model.npz")
    assert loaded.get_params()["strength"] == {"w": math.inf}
    np.testing.assert_array_equal(loaded.predict_proba(VOTES).end, model.predict_proba(VOTES).end)


def test_mistakes_are_named() -> None:
    with pytest.raises(VotesError, match=r"^precision: 'ww' is no LF\. Did you mean 'w'\?$"):
        mw.HierarchicalLabelModel(SCHEMA, precision={"ww": 0.9}).fit(VOTES)
    with pytest.raises(ConfigError, match=r"^strength must be above 0; got 0 for LF 'w'\.$"):
        mw.HierarchicalLabelModel(SCHEMA, strength={"w": 0}).fit(VOTES)
    with pytest.raises(ConfigError, match=r"^precision must be below 1; got 1\.0\.$"):
        mw.HierarchicalLabelModel(SCHEMA, precision=1.0).fit(VOTES)
