"""``model="both"``: the mean of network and label model where there are votes."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import metalwork as mw
from metalwork.cli import app
from metalwork.errors import ConfigError

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")  # few LFs, few records

RECORDS = [{"text": "fur and a meow", "guess": "d"}, {"text": "nothing that anybody looks for", "guess": ""}]


def test_it_is_the_mean_where_there_are_votes(pets: Path) -> None:
    both = mw.Predictor.load(pets, model="both", run_code=True)
    end = mw.Predictor.load(pets).predict_proba(RECORDS).end
    label = mw.Predictor.load(pets, model="label", run_code=True).predict_proba(RECORDS).end
    assert both.model == "both"
    voted = (both.votes(RECORDS).codes >= 0).any(axis=1)
    assert voted.tolist() == [True, False]
    found = both.predict_proba(RECORDS).end
    np.testing.assert_allclose(found[0], (end[0] + label[0]) / 2, rtol=1e-6)
    np.testing.assert_allclose(found[1], end[1], rtol=1e-6)
    assert np.abs(found[0] - end[0]).max() > 1e-3


def test_dev_shows_a_confidence_for_both(pets: Path, pets_project: Path) -> None:
    predictor = mw.Predictor.load(pets, model="both", run_code=True)
    dev = pets_project.parent / "dev.csv"
    kept = np.concatenate([part.end for part in predictor.kept_predictions("dev")])
    np.testing.assert_allclose(kept, predictor.predict_proba(dev).end, rtol=1e-6)
    assert predictor.threshold_for(0.5).n_known == 4
    record = {"text": "fur and a meow", "guess": "c"}
    why = predictor.explain(record)
    assert why.confidence == pytest.approx(predictor.predict_proba([record]).end.max())
    assert {"fur"} <= {effect.feature for effect in why.features}
    assert {"meows"} <= {vote.lf for vote in why.votes}


def test_records_in_memory_need_their_functions(tmp_path: Path) -> None:
    lfs = [mw.keywords("label", "spam", ["win"]), mw.keywords("label", "ham", ["hello"])]
    schema = mw.TaskSchema.flat(["ham", "spam"])
    mw.Run.of(schema, lfs, train=["win a car", "hello you"] * 5, folder=tmp_path / "run").run()
    with pytest.raises(ConfigError, match=r"Pass them: Predictor.load\(run, lfs=\[...\]\)"):
        mw.Predictor.load(tmp_path / "run", model="both")
    predictor = mw.Predictor.load(tmp_path / "run", model="both", lfs=lfs)
    assert predictor.predict(["win it", "hello"]) == ["spam", "ham"]


def test_the_command_takes_it(pets: Path, pets_project: Path, tmp_path: Path) -> None:
    arguments = ["predict", pets, pets_project.parent / "test.csv", "--out", tmp_path / "out.csv"]
    done = CliRunner().invoke(app, [*map(str, arguments), "--model", "both", "--run-code"])
    assert (done.exit_code, "Predicting with both models" in done.output) == (0, True)
    done = CliRunner().invoke(app, [*map(str, arguments), "--model", "all"])
    assert (done.exit_code, "model must be one of" in done.output) == (1, True)
