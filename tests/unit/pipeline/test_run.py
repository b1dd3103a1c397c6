"""A run in memory: results without a folder, each computed once, and events for whoever watches."""

import re
from pathlib import Path

import pytest

import metalwork as mw
from metalwork.errors import ConfigError
from metalwork.pipeline import STEPS, Event, Job, Progress, Run, StepFinished, StepStarted, load_project
from tests.unit.pipeline.projects import write_project


def test_a_notebook_needs_three_lines_and_no_folder(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    before = sorted(tmp_path.iterdir())
    run = mw.Run.open(path).fit()
    assert run.steps == ("apply", "fit")
    assert run.labels["train"].n_points == 24
    assert run.labels is run.labels
    assert run.metrics["End model"]["test"].accuracy == 1.0
    assert "pets" in run.html
    assert sorted(path for path in tmp_path.iterdir() if path.name != "__pycache__") == before
    assert repr(run) == "Run('pets', in memory, steps done: apply, fit, train, evaluate, report)"


def test_a_named_run_is_kept_and_taken_up_again(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    first = mw.Run.open(path, run="first").fit()
    again = mw.Run.open(path, run="first")
    assert again.steps == ("apply", "fit")
    assert (again.labels["dev"].end == first.labels["dev"].end).all()
    assert (tmp_path / "runs" / "first" / "labels.csv").is_file()


def test_events_tell_what_a_run_does(tmp_path: Path) -> None:
    events: list[Event] = []
    Run(Job.of_project(load_project(write_project(tmp_path))), on_event=events.append).run()
    assert [event.step for event in events if isinstance(event, StepStarted)] == list(STEPS)
    assert [event.step for event in events if isinstance(event, StepFinished)] == list(STEPS)
    applied = [event for event in events if isinstance(event, Progress) and event.step == "apply"]
    assert (applied[0].unit, applied[0].done, applied[0].total) == ("train records", 24, 24)
    assert [lf.coverage for lf in applied[0].lfs][-1] == 0.5
    trained = [event for event in events if isinstance(event, Progress) and event.step == "train"]
    assert (trained[0].unit, trained[0].done, trained[0].total) == ("records read", 24, 24)
    assert (trained[-1].unit, trained[-1].done) == ("steps", trained[-1].total)
    assert re.fullmatch(r"epoch 20 of 20, loss \d\.\d{3}, dev \d+\.\d%", trained[-1].note)


def test_redoing_a_step_withdraws_what_later_steps_found(tmp_path: Path) -> None:
    run = mw.Run.open(write_project(tmp_path)).evaluate()
    run.fit()
    assert run.steps == ("apply", "fit")


@pytest.mark.parametrize(
    "name", ["", " ", ".", "..", ".hidden", "a/b", "/a", "..\\a", "c:a", "a\n", "a\0", "x" * 201]
)
def test_a_run_has_a_plain_name(tmp_path: Path, name: str) -> None:
    path = write_project(tmp_path)
    with pytest.raises(ConfigError) as caught:
        mw.Run.open(path, run=name)
    assert str(caught.value) == (
        f"A run's name must be a plain folder name; got {name!r}. It lies below {tmp_path / 'runs'}."
    )
