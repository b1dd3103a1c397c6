"""The campaign on stored models, a short one: the full one is ``python -m tests.campaigns models``."""

import os
from pathlib import Path

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, DataError
from metalwork.label_models import _base
from tests.campaigns import models


def test_damaged_and_forged_files_are_refused_or_answer_soundly(capsys: pytest.CaptureFixture[str]) -> None:
    assert models.run(trials=150, seed=11) == 0, capsys.readouterr().out


def test_the_campaign_finds_what_is_not_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_base, "check_stored", lambda *given: None)
    monkeypatch.setattr(models, "KINDS", {"default label model": models.KINDS["default label model"]})
    assert models.run(trials=60) == 1
    assert "FAULT" in capsys.readouterr().out


def test_what_a_file_unpacks_to_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "probs.npz"
    mw.TaskProbabilities(np.full((1_000, 2), 0.5), mw.TaskSchema.flat(["a", "b"])).save(path)
    assert mw.TaskProbabilities.load(path).n_points == 1_000
    monkeypatch.setenv("METALWORK_MAX_UNPACKED", "9999")
    with pytest.raises(DataError) as caught:
        mw.TaskProbabilities.load(path)
    start, _, rest = str(caught.value).partition("it says that it does to ")
    assert start == f"{path}: must unpack to at most 9,999 bytes; "
    assert rest.endswith(". Where you trust it, set METALWORK_MAX_UNPACKED to that.")
    monkeypatch.setenv("METALWORK_MAX_UNPACKED", "much")
    with pytest.raises(ConfigError, match=r"^METALWORK_MAX_UNPACKED must be a number of bytes; got 'much'\.$"):
        mw.TaskProbabilities.load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for load in (mw.load_label_model, mw.LabelMatrix.load, mw.TaskProbabilities.load, mw.EndModel.load):
        with pytest.raises(DataError, match=r"\(it is no ordinary file\)\.$"):
            load(tmp_path / "pipe")


def test_threads_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    votes = mw.LabelMatrix([[0], [1]], mw.TaskSchema.flat(["a", "b"]))
    model = mw.EndModel(votes.schema, n_threads=1_000_000)
    with pytest.raises(ConfigError, match=r"^n_threads must be a whole number from 1 to 1,024; got 1000000\.$"):
        model.fit(np.ones((2, 2)), [0, 1])
    monkeypatch.setenv("METALWORK_THREADS", "1000000")
    with pytest.raises(
        ConfigError, match=r"^METALWORK_THREADS must be a whole number from 1 to 1,024; got '1000000'"
    ):
        mw.HierarchicalLabelModel(votes.schema).fit(votes)
