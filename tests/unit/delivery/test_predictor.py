"""A run's models on new records."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, DataError, LabelingError, VotesError
from tests.unit.pipeline.projects import records, write_project

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")  # few LFs, few records

CAT, DUCK = {"text": "fur and a meow", "guess": "c"}, {"text": "beak and quack", "guess": ""}


def test_it_predicts_what_the_run_predicted(pets: Path, pets_project: Path) -> None:
    predictor = mw.Predictor.load(pets)
    run = mw.Run.open(pets_project, "first")
    assert (predictor.model, predictor.columns, predictor.name) == ("end", ("text",), "pets")
    found = predictor.predict_proba(pets_project.parent / "test.csv")
    assert np.array_equal(found.end, run.end["test"].end)
    assert np.array_equal(found["mammal"], run.end["test"]["mammal"])


@pytest.mark.parametrize(
    "form", ["dicts", "texts", "polars", "pandas", "csv", "glob", "iterator", "list of paths"]
)
def test_records_of_any_form(form: str, pets: Path, tmp_path: Path) -> None:
    texts = [CAT["text"], DUCK["text"]]
    frame = pl.DataFrame({"text": texts})
    frame.write_csv(tmp_path / "new.csv")
    given = {
        "dicts": [CAT, DUCK],
        "texts": texts,
        "polars": frame,
        "pandas": frame.to_pandas(),
        "csv": str(tmp_path / "new.csv"),
        "glob": str(tmp_path / "*.csv"),
        "iterator": iter([CAT, DUCK]),
        "list of paths": [tmp_path / "new.csv"],
    }[form]
    assert mw.Predictor.load(pets).predict(given) == ["Cat", "Duck"]


def test_it_abstains_below_a_confidence(pets: Path) -> None:
    predictor = mw.Predictor.load(pets)
    sure = predictor.predict_proba([CAT, DUCK]).end.max(axis=1)
    least = float(sure.mean())
    assert predictor.predict([CAT, DUCK], min_confidence=least) == [
        name if own >= least else None for name, own in zip(["Cat", "Duck"], sure, strict=True)
    ]
    with pytest.raises(ConfigError, match=r"^min_confidence must be a number in \[0, 1\]; got 2\.$"):
        predictor.predict([CAT], min_confidence=2)
    with pytest.raises(ConfigError, match=r"^min_confidence and min_precision must not both be given;"):
        predictor.predict([CAT], min_confidence=0.5, min_precision=0.9)


def test_a_missing_column_and_no_record_are_one_clear_error(pets: Path) -> None:
    predictor = mw.Predictor.load(pets)
    with pytest.raises(
        DataError, match=r"^records must have the column 'text', which the model reads; they have: 't'"
    ):
        predictor.predict([{"t": "a"}])
    with pytest.raises(DataError, match=r"^records must hold at least one record; got none\.$"):
        predictor.predict([])


def test_the_label_model_predicts_what_the_run_labeled(pets: Path, pets_project: Path) -> None:
    predictor = mw.Predictor.load(pets, model="label", run_code=True)
    run = mw.Run.open(pets_project, "first")
    found = predictor.predict_proba(pets_project.parent / "test.csv")
    assert np.array_equal(found.end, run.labels["test"].end)
    assert np.array_equal(predictor.votes(pets_project.parent / "test.csv").codes, run.votes["test"].codes)


def test_code_of_a_run_is_run_only_where_one_says_so(pets: Path) -> None:
    refusal = (
        r"^The labeling functions of .* are Python code \(project/lfs\.py\), which is run only where you say so\."
    )
    assert not mw.Predictor.load(pets).has_votes
    with pytest.raises(ConfigError, match=refusal):
        mw.Predictor.load(pets, model="label")
    with pytest.raises(ConfigError, match=refusal):
        mw.Predictor.load(pets).votes([CAT])


def test_a_changed_copy_of_the_code_is_refused(pets: Path, tmp_path: Path) -> None:
    copy = tmp_path / "first"
    shutil.copytree(pets, copy)
    (copy / "project/lfs.py").write_text("raise SystemExit\n")
    with pytest.raises(DataError, match=r"lfs\.py: must be as the step 'apply' wrote it; it has changed since\."):
        mw.Predictor.load(copy, model="label", run_code=True)


def test_without_an_end_model_the_label_model_predicts(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    mw.Run.open(path, "labels").fit()
    predictor = mw.Predictor.load(tmp_path / "runs/labels", run_code=True)
    assert predictor.model == "label"
    assert predictor.predict([CAT, DUCK]) == ["Cat", "Duck"]
    with pytest.raises(ConfigError, match=r"must hold the results of the step 'train'; it does not\."):
        mw.Predictor.load(tmp_path / "runs/labels", model="end")


def test_a_run_of_records_in_memory_takes_its_lfs(tmp_path: Path) -> None:
    schema = mw.TaskSchema.flat(["ham", "spam"])
    lfs = [mw.keywords("label", "spam", ["win"], name="win"), mw.keywords("label", "ham", ["hello"], name="hello")]
    mw.Run.of(schema, lfs, train=["win a car", "hello you"] * 4, folder=tmp_path / "run").fit()
    with pytest.raises(ConfigError, match=r"it is a run of records in memory, which keeps none\. Pass them:"):
        mw.Predictor.load(tmp_path / "run")
    predictor = mw.Predictor.load(tmp_path / "run", lfs=lfs)
    assert predictor.predict(["win", "hello"]) == ["spam", "ham"]
    with pytest.raises(ConfigError, match=r"must be those of .*, in their order; got 'hello', 'win'"):
        mw.Predictor.load(tmp_path / "run", lfs=lfs[::-1])


def test_an_lf_that_fails_too_often_stops_the_label_model(tmp_path: Path) -> None:
    schema = mw.TaskSchema.flat(["ham", "spam"])

    @mw.labeling_function(task="label")
    def picky(text: str) -> str:
        if "bad" in text:
            raise ValueError("bad")
        return "spam" if "win" in text else "ham"

    mw.Run.of(schema, [picky], train=["win a car", "hello you"] * 4, folder=tmp_path / "run").fit()
    predictor = mw.Predictor.load(tmp_path / "run", lfs=[picky])
    with pytest.raises(LabelingError, match=r"of 2 records failed 'picky' on 1\."):
        predictor.predict(["bad", "win"])


def test_it_explains_by_words_and_by_votes(pets: Path) -> None:
    predictor = mw.Predictor.load(pets, run_code=True)
    found = predictor.explain(CAT)
    assert found.end_label == "Cat"
    strongest = {task: next(e.feature for e in found.features if e.task == task) for task in ("kind", "mammal")}
    assert strongest["kind"] in ("fur", "meow")
    assert strongest["mammal"] in ("fur", "meow")
    assert {vote.lf for vote in found.votes} == {"furry", "meows", "other tool"}
    other = predictor.explain(CAT, "Duck")
    assert {effect.task for effect in other.features} == {"kind", "bird"}
    with pytest.raises(VotesError, match=r"'Duc'"):
        predictor.explain(CAT, "Duc")
    with pytest.raises(DataError, match=r"^record must be one; got 2\."):
        predictor.explain([CAT, DUCK])


def test_without_the_code_it_explains_by_words_alone(pets: Path) -> None:
    assert mw.Predictor.load(pets).explain("fur and a meow").votes == ()


def test_votes_explain_where_their_columns_are_there(pets: Path) -> None:
    assert mw.Predictor.load(pets, run_code=True).explain({"text": CAT["text"]}).votes == ()


def test_thresholds_are_of_dev_records(pets: Path, pets_project: Path) -> None:
    predictor = mw.Predictor.load(pets)
    found = predictor.threshold_for(0.5)
    assert (found.n_known, found.n_given, found.n_right) == (4, 4, 4)
    assert found.confidence == predictor.predict_proba(pets_project.parent / "dev.csv").end.max(axis=1).min()
    with pytest.raises(
        ConfigError, match=r"got 4 dev records with a known end label, of which 22 would have to be"
    ):
        predictor.threshold_for(0.9)
    more = pets_project.parent / "more.csv"
    more.write_text(records("more", 10))
    labels = pl.read_csv(more)["label"]
    assert predictor.threshold_for(0.9, dev=(more, labels)).n_known == 40
    with pytest.raises(DataError, match=r"^labels must hold one label a record \(40\); got 3\.$"):
        predictor.threshold_for(0.9, dev=(more, labels[:3]))


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^The run must be a folder; there is none at "):
        mw.Predictor.load(tmp_path / "none")
    with pytest.raises(ConfigError, match=r"must be the folder of a finished run; it holds no results\."):
        mw.Predictor.load(tmp_path)
