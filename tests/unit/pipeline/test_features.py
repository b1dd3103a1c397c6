"""What a project's settings make of its records."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image
from pydantic import ValidationError

import metalwork as mw
from metalwork.errors import ConfigError
from metalwork.examples import load_example
from metalwork.features import NumericColumns, WordCounts
from metalwork.pipeline._features import build_featurizer, label_model_featurizer, near_featurizer
from metalwork.pipeline._settings import FeatureSettings


def test_text_is_counted() -> None:
    featurizer = build_featurizer(FeatureSettings(text="text", min_df=2, max_features=9))
    assert isinstance(featurizer, WordCounts)
    assert repr(featurizer) == "WordCounts(max_features=9, field='text')"
    counts = featurizer.fit_transform(pl.DataFrame({"id": [1, 2, 3], "text": ["red fox", "red hen", None]}))
    assert counts.toarray().tolist() == [[1], [1], [0]]


def test_columns_are_taken_as_they_are() -> None:
    featurizer = build_featurizer(FeatureSettings(columns=["b", "a"]))
    assert isinstance(featurizer, NumericColumns)
    assert featurizer.columns == ("b", "a")


def test_characters_and_runs_of_tokens() -> None:
    chars = build_featurizer(FeatureSettings(text="text", min_df=1, tokenizer="chars", ngrams=[2, 3]))
    assert repr(chars) == "WordCounts(min_df=1, tokenizer='chars', ngrams=(2, 3), field='text')"


def test_text_and_numbers_stand_side_by_side() -> None:
    both = build_featurizer(FeatureSettings(text="text", min_df=1, columns=["size"]))
    assert both.columns == ("text", "size")
    frame = pl.DataFrame({"text": ["red fox", "red"], "size": ["1.5", "2"]})
    assert both.fit_transform(frame).toarray().tolist() == [[1, 1, 1.5], [0, 1, 2]]


def test_words_by_weight_or_hash() -> None:
    assert repr(build_featurizer(FeatureSettings(text="t", words="tf-idf", ngrams=[1, 2]))) == (
        "TfIdf(ngrams=(1, 2), field='t')"
    )
    hashed = FeatureSettings(text="t", words="hashed", max_features=64)
    assert repr(build_featurizer(hashed)) == "HashedWords(n_columns=64, field='t')"
    assert repr(build_featurizer(FeatureSettings(text="t", words="hashed"))) == "HashedWords(field='t')"


def test_embeddings_name_their_encoder_and_table(tmp_path: Path) -> None:
    settings = FeatureSettings(embeddings="t", encoder="mine", static="u", vectors="glove.txt")
    (tmp_path / "mine").mkdir()
    both: Any = build_featurizer(settings.within(tmp_path))
    assert both.featurizers[0].encoder == str(tmp_path / "mine")
    assert both.featurizers[1].path == str(tmp_path / "glove.txt")
    named: Any = build_featurizer(settings.within(tmp_path / "no"))
    assert named.featurizers[0].encoder == "mine"


def test_label_models_count_words() -> None:
    settings = FeatureSettings(text="t", words="tf-idf", columns=["n"], dates=["d"])
    assert repr(label_model_featurizer(settings)) == "WordCounts(field='t')"
    numbers = label_model_featurizer(FeatureSettings(columns=["n"], dates=["d"], images="p"))
    assert numbers is not None
    assert numbers.columns == ("n", "d")
    assert repr(label_model_featurizer(FeatureSettings(fine_tuned="t", images="p"))) == "WordCounts(field='t')"
    assert label_model_featurizer(FeatureSettings(images="p")) is None
    assert near_featurizer(FeatureSettings(images="p")) is None
    assert repr(near_featurizer(FeatureSettings(fine_tuned="t"))) == "TfIdf(field='t')"


def test_networks_that_are_trained_with_the_end_model(tmp_path: Path) -> None:
    settings = FeatureSettings(fine_tuned="t", encoder="mine", max_tokens=64, images="p", weights="w.safetensors")
    (tmp_path / "mine").mkdir()
    both: Any = build_featurizer(settings.within(tmp_path))
    assert repr(both.featurizers[0]) == f"FineTuned(encoder={str(tmp_path / 'mine')!r}, field='t', max_tokens=64)"
    images = both.featurizers[1]
    assert (images.field, images.backbone, images.folder) == ("p", "small", str(tmp_path))
    assert images.weights == str(tmp_path / "w.safetensors")
    sized = FeatureSettings(images="p", image_size=[8, 6], image_folder="pictures", backbone="resnet18")
    assert repr(build_featurizer(sized.within(tmp_path))) == (
        f"Images(field='p', size=[8, 6], backbone='resnet18', folder={str(tmp_path / 'pictures')!r})"
    )


def test_a_run_of_pictures(tmp_path: Path) -> None:
    digits = load_example("digits").split("train").records[:200]
    names = [f"{row}.png" for row in range(digits.height)]
    pixels = digits.select(pl.col("^pixel_.*$") * 255).to_numpy().reshape(-1, 8, 8).astype(np.uint8)
    for name, picture in zip(names, pixels, strict=True):
        Image.fromarray(picture).save(tmp_path / name)
    records = digits.select("loops", "label").with_columns(file=pl.Series(names))
    lfs = [mw.threshold("loop", "some", field="loops", above=0), mw.equals("loop", "none", 0, field="loops")]
    run = mw.Run.of(
        mw.TaskSchema.flat(["none", "some"], task="loop"),
        lfs,
        train=records,
        features={"images": "file", "image_folder": str(tmp_path)},
        label_model={"name": "hard-vote"},
        end_model={"max_epochs": 25},
        folder=tmp_path / "run",
    ).run()
    predictor = mw.Predictor.load(tmp_path / "run")
    assert np.array_equal(predictor.predict_proba(records).end, run.end["train"].end)
    assert (predictor.predict_proba(records).predict() == run.labels["train"].predict()).mean() > 0.85
    predictor.export(tmp_path / "folder")
    assert "pipeline_tag: image-classification" in (tmp_path / "folder" / "README.md").read_text()
    with pytest.raises(
        ConfigError, match=r"label_model\.features must be false where the end model reads images alo"
    ):
        mw.Run.of(
            run.job.schema, lfs, train=records, features={"images": "file"}, label_model={"features": True}
        ).apply()


def table(n_points: int) -> pl.DataFrame:
    rows = [
        {"plan": "ab"[i % 2], "seats": None if i % 5 == 0 else i % 2 * 100 + i, "since": f"20{10 + i % 9}-01-01"}
        for i in range(n_points)
    ]
    return pl.DataFrame(rows).with_columns(label=pl.Series(["low", "high"] * (n_points // 2)))


def test_a_run_of_tabular_records(tmp_path: Path) -> None:
    features = {"columns": ["seats"], "missing": "median", "categories": ["plan"], "dates": ["since"]}
    lfs = [mw.equals("label", "high", "b", field="plan"), mw.equals("label", "low", "a", field="plan")]
    schema = mw.TaskSchema.flat(["low", "high"])
    run = mw.Run.of(
        schema,
        lfs,
        train=table(60),
        dev=table(20),
        features=features,
        end_model={"architecture": "linear"},
        folder=tmp_path,
    ).run()
    model = mw.EndModel.load(tmp_path / "end_model.safetensors")
    assert model.score(table(20), table(20)["label"]) == 1.0
    names = model.featurizer_.get_feature_names_out().tolist()
    assert names[:5] == ["plan=a", "plan=b", "seats", "seats missing", "since years"]
    assert run.steps[-1] == "report"


def test_faults_of_tabular_columns_are_found_before_anything_runs() -> None:
    features = {"columns": ["plan"], "categories": ["paln"], "dates": ["since"]}
    lfs = [mw.equals("label", "high", "b", field="plan")]
    schema = mw.TaskSchema.flat(["low", "high"])
    with pytest.raises(
        ConfigError, match=r"features\.categories\[0\] must be a column of the train records; got 'paln'"
    ):
        mw.Run.of(schema, lfs, train=table(4), features=features).apply()
    features = {"columns": ["seats"], "dates": ["plan"]}
    with pytest.raises(ConfigError) as caught:
        mw.Run.of(schema, lfs, train=table(6), features=features).apply()
    assert "the train records: column 'seats' must hold finite numbers; got None at row 0." in str(caught.value)
    assert "the train records: column 'plan' must hold dates as 2024-05-31" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, "must have the key text, columns, categories, dates, embeddings, static, fine_tuned, images, or sev"),
        ({"text": "a", "words": "hashed", "min_df": 1}, "may not have the key min_df beside words: hashed"),
        ({"text": "a", "missing": "median"}, "may have the key missing beside columns only"),
        ({"static": "a"}, "must have the key vectors beside static: the file with the vectors of words"),
        ({"text": "a", "encoder": "b"}, "may have the key encoder beside embeddings or fine_tuned only"),
        ({"text": "a", "max_tokens": 9}, "may have the key max_tokens beside fine_tuned only"),
        ({"text": "a", "backbone": "b"}, "may have the key backbone beside images only"),
        ({"dates": ["a"], "words": "tf-idf"}, "may have the key words beside text only"),
        ({"columns": ["a"], "min_df": 3}, "may have the key min_df beside text only"),
        ({"text": "a", "ngrams": [3, 1]}, "must have ngrams from the least to the most, e.g. [1, 2]; got [3, 1]"),
    ],
)
def test_what_settings_must_have(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(fault)):
        FeatureSettings(**settings)
