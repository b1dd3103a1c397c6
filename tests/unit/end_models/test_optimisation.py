"""Optimisers, schedules, clipping, precision; progress between epochs."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from metalwork import EndModel
from metalwork.end_models import TrainingProgress, _watching
from metalwork.end_models._optimisation import Schedule
from metalwork.errors import ConfigError
from metalwork.features import Images
from tests.unit.end_models.samples import TRIAGE, words

DATA = words(TRIAGE, 400)


def small(**arguments: Any) -> EndModel:
    options: dict[str, Any] = {"hidden_sizes": (32, 16), "max_epochs": 12, "lr": 0.01}
    return EndModel(TRIAGE, **(options | arguments))


def top(model: EndModel) -> torch.Tensor:
    found: torch.Tensor = model.network_.state_dict()["heads.0.weight"]
    return found


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (Schedule(1.0), [0.5 * (1 + math.cos(math.pi * i / 4)) for i in range(4)]),
        (Schedule(1.0, "linear"), [1.0, 0.75, 0.5, 0.25]),
        (Schedule(2.0, "constant"), [2.0, 2.0, 2.0, 2.0]),
        (Schedule(1.0, "linear", 0.5), [1 / 3, 2 / 3, 1.0, 0.5]),
        (Schedule(3.0, "constant", 0.5), [1.0, 2.0, 3.0, 3.0]),
    ],
)
def test_rates(schedule: Schedule, rates: list[float]) -> None:
    assert [schedule.at(step, 4) for step in range(4)] == pytest.approx(rates)


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adam", "schedule": "linear"},
        {"optimizer": "sgd", "lr": 0.3},
        {"schedule": "constant", "warmup": 0.2, "max_grad_norm": 1.0},
        {"precision": "bf16"},
    ],
)
def test_each_learns_and_is_the_same_each_time(options: dict[str, Any]) -> None:
    models = [small(**options).fit(DATA.counts, DATA.probs) for _ in range(2)]
    assert models[0].score(DATA.counts, DATA.labels) > 0.9
    for name, tensor in models[0].network_.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, models[1].network_.state_dict()[name])
    usual = small().fit(DATA.counts, DATA.probs)
    assert not torch.equal(top(models[0]), top(usual))


@pytest.mark.parametrize("inputs", ["counts", "pictures"])
def test_bf16_learns_nearly_the_same(inputs: str, tmp_path: Path) -> None:
    X: Any = DATA.counts if inputs == "counts" else DATA.counts.toarray()[:, :49].reshape(-1, 7, 7)
    options: dict[str, Any] = {"max_epochs": 10, "featurizer": None if inputs == "counts" else Images()}
    exact = EndModel(TRIAGE, **options).fit(X, DATA.probs)
    half = EndModel(TRIAGE, precision="bf16", **options).fit(X, DATA.probs)
    assert all(weights.dtype == torch.float32 for weights in half.network_.state_dict().values())
    difference = np.abs(half.predict_proba(X).end - exact.predict_proba(X).end).max()
    assert 0.0 < difference < 0.1  # other bits, the same network
    assert half.score(X, DATA.labels) > 0.9
    half.save(tmp_path / "m")
    assert np.array_equal(EndModel.load(tmp_path / "m").predict_proba(X).end, half.predict_proba(X).end)


def test_precision_auto_is_float32_without_a_gpu_that_has_bf16() -> None:
    found = [small(max_epochs=2, precision=name).fit(DATA.counts, DATA.probs) for name in ("float32", "auto")]
    assert torch.equal(top(found[0]), top(found[1]))


def test_gradients_are_scaled_down_together(monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []
    step = torch.optim.AdamW.step

    def noting(self: Any, *args: Any, **kwargs: Any) -> Any:
        parts = [p.grad.flatten() for group in self.param_groups for p in group["params"]]
        norms.append(float(torch.cat(parts).norm()))
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", noting)
    small(max_epochs=2).fit(DATA.counts, DATA.probs)
    free, norms[:] = norms.copy(), []
    most = float(np.median(free))
    small(max_epochs=2, max_grad_norm=most).fit(DATA.counts, DATA.probs)
    assert norms[0] == pytest.approx(min(free[0], most), rel=1e-5)
    assert max(norms) <= most * (1 + 1e-6)
    assert max(free) > most * 1.05


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "lion"}, "optimizer must be one of 'adamw', 'adam', 'sgd'; got 'lion'."),
        ({"schedule": "step"}, "schedule must be one of 'cosine', 'linear', 'constant'; got 'step'."),
        ({"precision": "fp16"}, "precision must be one of 'float32', 'bf16', 'auto'; got 'fp16'."),
        ({"warmup": 1.0}, "warmup must be a number in [0, 1); got 1.0."),
        ({"max_grad_norm": 0}, "max_grad_norm must be a finite number above 0; got 0."),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        small(**arguments).fit(DATA.counts, DATA.probs)
    assert str(caught.value) == message


class Listener:
    def __init__(self) -> None:
        self.news: list[TrainingProgress] = []
        self.records: list[dict[str, Any]] = []

    def __call__(self, record: dict[str, Any]) -> None:
        self.records.append(record)

    def on_progress(self, news: TrainingProgress) -> None:
        self.news.append(news)


def test_progress_is_told_from_the_first_step_on(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener()
    dev = words(TRIAGE, 40, seed=3)
    small(max_epochs=2).fit(DATA.counts, DATA.probs, (dev.counts, dev.labels), callbacks=[listener])
    first = listener.news[0]
    assert (first.epoch, first.max_epochs, first.step, first.max_steps) == (1, 2, 1, 14)
    assert first.dev_accuracy is None
    assert first.seconds_left > 0
    monkeypatch.setattr(_watching, "_EVERY", 0.0)
    listener = Listener()
    small(max_epochs=2).fit(DATA.counts, DATA.probs, (dev.counts, dev.labels), callbacks=[listener])
    assert [news.step for news in listener.news] == [*range(1, 8), 7, *range(8, 15), 14]
    scores = [record["dev_accuracy"] for record in listener.records]
    assert [news.dev_accuracy for news in listener.news] == [None] * 7 + [scores[0]] * 8 + [scores[1]]
    assert listener.news[6].loss == pytest.approx(listener.records[0]["loss"])
    assert listener.news[0].loss == pytest.approx(first.loss)
    assert listener.news[-1].seconds_left == 0
