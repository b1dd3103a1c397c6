"""Training in a run: what it tells, and how it goes on after a kill."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metalwork.errors import CheckpointError

if TYPE_CHECKING:
    from metalwork.end_models import EndModel, TrainingProgress
    from metalwork.pipeline._run import Run


class _Telling:
    """A callback of the end model that tells a run how far training is."""

    def __init__(self, run: "Run") -> None:
        self._run = run

    def __call__(self, record: dict[str, Any]) -> None:
        """Nothing: the end of an epoch is told as progress."""

    def on_progress(self, news: "TrainingProgress") -> None:
        dev = "" if news.dev_accuracy is None else f", dev {news.dev_accuracy:.1%}"
        note = f"epoch {news.epoch} of {news.max_epochs}, loss {news.loss:.3f}{dev}"
        self._run.progress("train", "steps", news.step, news.max_steps, note=note)


def train(model: "EndModel", parts: Iterable[Any], dev: Any, checkpoint: Path | None, run: "Run") -> None:
    """Fit a run's end model, from where an attempt at the same fit ended that was killed."""
    tell = [_Telling(run)]
    try:
        model.fit_parts(parts, dev=dev, callbacks=tell, checkpoint=checkpoint)
    except CheckpointError:  # records, labels or settings have changed since, or the disk failed
        if checkpoint is None:
            raise
        checkpoint.unlink()
        model.fit_parts(parts, dev=dev, callbacks=tell, checkpoint=checkpoint)
