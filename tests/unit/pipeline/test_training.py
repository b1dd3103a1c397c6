"""The train step of a run that was killed in mid-epoch: the next attempt goes on from its checkpoint."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

import metalwork as mw
from metalwork.end_models import _checkpoint
from metalwork.end_models._training import Trainer
from metalwork.pipeline import Event, Job, Progress, Run, load_project
from tests.unit.pipeline.projects import write_project


class PowerCutError(BaseException):
    """In the place of a kill, in this process."""


def _end_in_training(project: Path, steps: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run, and end after so many steps of training; the run's folder."""
    train_step, left = Trainer.train_step, [steps]

    def counting(self: Trainer, index: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise PowerCutError
        return train_step(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(_checkpoint, "_SOON", 0.0)
        patch.setattr(_checkpoint, "_SHARE", 1e9)
        patch.setattr(Trainer, "train_step", counting)
        run = mw.Run.open(project, run="r")
        with pytest.raises(PowerCutError):
            run.run()
    assert run.folder is not None
    assert (run.folder.path / "training.checkpoint").is_file()
    return run.folder.path


def _trained(folder: Path) -> str:
    return hashlib.sha256((folder / "end_model.safetensors").read_bytes()).hexdigest()


def _first_step(project: Path) -> int:
    """Run the rest; the first step of training that it told of."""
    events: list[Event] = []
    folder = mw.Run.open(project, run="r").folder
    Run(Job.of_project(load_project(project)), folder, on_event=events.append).run()
    return next(event.done for event in events if isinstance(event, Progress) and event.unit == "steps")


def test_training_goes_on_to_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mw.Run.open(write_project(tmp_path / "a"), run="r").run()
    assert whole.folder is not None
    project = write_project(tmp_path / "b")
    folder = _end_in_training(project, 17, monkeypatch)
    assert _first_step(project) == 18
    assert not (folder / "training.checkpoint").exists()
    assert _trained(folder) == _trained(whole.folder.path)


def test_other_settings_or_a_damaged_file_begin_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = write_project(tmp_path)
    folder = _end_in_training(project, 17, monkeypatch)
    project.write_text(project.read_text().replace("max_epochs: 20", "max_epochs: 10"))
    assert _first_step(project) == 1
    assert not (folder / "training.checkpoint").exists()
    (folder / "training.checkpoint").write_bytes(b"x")
    project.write_text(project.read_text().replace("max_epochs: 10", "max_epochs: 5"))
    assert _first_step(project) == 1
    assert not (folder / "training.checkpoint").exists()


def test_what_is_done_anew_takes_the_checkpoint_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = write_project(tmp_path)
    folder = _end_in_training(project, 17, monkeypatch)
    mw.Run.open(project, run="r").clear()
    assert not (folder / "training.checkpoint").exists()
