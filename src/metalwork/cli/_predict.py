"""The ``predict`` command."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metalwork.cli._progress import step
from metalwork.cli._show import out as console_out
from metalwork.cli._streams import plain, say
from metalwork.data import is_address
from metalwork.delivery import Predictor
from metalwork.errors import ConfigError
from metalwork.pipeline import Progress

_TITLES = {"end": "the end model", "label": "the label model", "both": "both models"}


def run_predict(run: Path, files: Sequence[str], out: Path, model: str | None, run_code: bool, **how: Any) -> None:
    """Predict the records of files into a table, and say how many labels were given."""
    if any(Path(name).resolve() == out.resolve() for name in files):
        raise ConfigError(f"out must be another file than the records; got {str(out)!r}. Name a new one.")
    if run_code:
        say(f"Running the labeling functions that {run} keeps", err=True)
    predictor = Predictor.load(run, model=model, run_code=run_code)  # type: ignore[arg-type]
    if how["min_precision"] is not None:
        say(f"Labels are given from {predictor.threshold_for(how['min_precision'])}.", err=True)
        for task in with_end_labels_alone(predictor, how["min_precision"]):
            say(f"Labels of task {task!r} come with end labels alone: dev does not show this precision.", err=True)
    done = Counter[str]()

    def note(n_done: int, n_points: int | None) -> None:
        done["records"] = n_done
        meter(Progress("predict", "records", n_done, n_points))

    with step(f"Predicting with {_TITLES[predictor.model]}") as meter:
        predictor.write(named(files), out, progress=note, **how)
    console_out().print(plain(f"{done['records']:,} records: {out}"), soft_wrap=True)


def named(files: Sequence[str]) -> list[Any]:
    """Files of records as they are opened: paths, that no name or glob may be taken for a text; or addresses."""
    return list(files) if any(map(is_address, files)) else [Path(name) for name in files]


def with_end_labels_alone(predictor: Predictor, precision: float) -> list[str]:
    """The tasks for which dev does not show a precision."""
    return [task for task, least in predictor.cut(min_precision=precision).tasks.items() if least > 1.0]
