"""``features: {votes: true}``: the end model reads the votes beside the records, at training and at prediction."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, DataError, MetalworkError
from metalwork.pipeline import reads_votes, with_votes

SCHEMA = mw.TaskSchema.from_dict(
    {"task": "kind", "labels": ["ham", {"spam": {"task": "spam", "labels": ["ad", "scam"]}}]}
)
LFS = [
    mw.keywords("kind", "ham", ["hello"], name="greets"),
    mw.keywords("spam", "ad", ["buy"], name="sells"),
    mw.keywords("spam", "scam", ["prince"], name="prince"),
]
TEXTS = ["hello you", "buy now", "a prince writes", "hello, prince", "nothing at all"]


def records(n_points: int) -> pl.DataFrame:
    texts = [TEXTS[i % 4] for i in range(n_points)]
    return pl.DataFrame({"text": texts, "label": [["ham", "ad", "scam", "ham"][i % 4] for i in range(n_points)]})


@pytest.fixture
def run(tmp_path: Path) -> mw.Run:
    end_model = {"architecture": "linear"}
    features = {"text": "text", "votes": True}
    how: dict[str, Any] = {"features": features, "end_model": end_model, "folder": tmp_path / "run"}
    return mw.Run.of(SCHEMA, LFS, train=records(40), dev=records(8), **how).run()


def test_votes_are_features_beside_words(run: mw.Run, tmp_path: Path) -> None:
    model = mw.EndModel.load(tmp_path / "run" / "end_model.safetensors")
    names = model.featurizer_.get_feature_names_out().tolist()
    votes = ["vote of greets on kind=ham", "vote of sells on spam=ad", "vote of prince on spam=scam"]
    assert names[-3:] == votes
    assert reads_votes(model.featurizer_.columns)
    assert "buy" in names


def test_a_predictor_casts_the_votes_itself(run: mw.Run, tmp_path: Path) -> None:
    predictor = mw.Predictor.load(tmp_path / "run", lfs=LFS)
    new = pl.DataFrame({"text": TEXTS})
    seen = with_votes(new, mw.apply(LFS, new, SCHEMA))
    expected = mw.EndModel.load(tmp_path / "run" / "end_model.safetensors").predict_proba(seen)
    np.testing.assert_allclose(predictor.predict_proba(new).end, expected.end, atol=1e-9)
    assert predictor.predict(new)[:3] == ["ham", "ad", "scam"]
    np.testing.assert_allclose(predictor.predict_proba(records(8)).end, run.end["dev"].end, atol=1e-6)
    effects = [effect.feature for effect in predictor.explain({"text": "buy now"}).features]
    assert "vote of sells on spam=ad" in effects


def test_votes_need_their_functions_at_prediction(run: mw.Run, tmp_path: Path) -> None:
    with pytest.raises(MetalworkError, match=r"labeling functions"):
        mw.Predictor.load(tmp_path / "run")
    model = mw.EndModel.load(tmp_path / "run" / "end_model.safetensors")
    with pytest.raises(MetalworkError, match=r"vote of greets on kind"):
        model.predict([{"text": "hello"}])


def test_votes_go_beside_other_features_only() -> None:
    with pytest.raises(ConfigError, match=r"must have the key text, columns"):
        mw.Run.of(SCHEMA, LFS, train=records(4), features={"votes": True})


def test_columns_of_the_records_are_not_overwritten() -> None:
    frame = records(2).with_columns(pl.lit("x").alias("vote of greets on kind"))
    with pytest.raises(DataError) as caught:
        with_votes(frame, mw.apply(LFS, frame, SCHEMA))
    assert str(caught.value) == (
        "records must have no column 'vote of greets on kind' where the end model reads votes; they have one. "
        "Rename it."
    )


def test_soft_votes_are_told_apart_by_their_code() -> None:
    @mw.labeling_function(task="kind")
    def soft(text: str) -> Any:
        return {"ham": 0.9, "spam": 0.1} if "hello" in text else {"ham": 0.2, "spam": 0.8}

    frame = pl.DataFrame({"text": TEXTS})
    seen = with_votes(frame, mw.apply([soft], frame, SCHEMA))["vote of soft on kind"]
    assert seen[0] == seen[3] != seen[1] == seen[2]
    assert seen.null_count() == 0
