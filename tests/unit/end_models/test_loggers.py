"""Callbacks that write for other tools."""

import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from metalwork import EndModel
from metalwork.end_models import MLflowLogger, TensorBoardLogger
from metalwork.errors import MissingExtraError
from tests.unit.end_models.samples import TRIAGE, words

DATA, DEV = words(TRIAGE), words(TRIAGE, 40, seed=3)


def fit(logger: Any) -> EndModel:
    model = EndModel(TRIAGE, hidden_sizes=(8, 4), max_epochs=3)
    return model.fit(DATA.counts, DATA.probs, (DEV.counts, DEV.labels), callbacks=[logger])


def _events(path: Path) -> list[Any]:
    """The events of a TensorBoard file: each after its length and the length's checksum."""
    from tensorboardX.proto.event_pb2 import Event

    content, place, found = path.read_bytes(), 0, []
    while place < len(content):
        (size,) = struct.unpack_from("<Q", content, place)
        found.append(Event.FromString(content[place + 12 : place + 12 + size]))
        place += size + 16
    return found


def test_tensorboard_gets_every_epoch(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    logger = TensorBoardLogger(tmp_path / "a")
    model = fit(logger)
    logger.close()
    (path,) = (tmp_path / "a").iterdir()
    found = {(e.step, v.tag): v.simple_value for e in _events(path) for v in e.summary.value}
    assert set(found) == {
        (epoch, name) for epoch in (1, 2, 3) for name in ("loss", "dev_loss", "dev_accuracy", "seconds")
    }
    for record in model.history_:
        assert found[record["epoch"], "dev_loss"] == pytest.approx(record["dev_loss"], rel=1e-6)


def test_mlflow_gets_every_epoch(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    uri = f"sqlite:///{tmp_path / 'a.db'}"
    logger = MLflowLogger("ours", uri, "first", {"lr": 0.1})
    model = fit(logger)
    logger.close()
    MLflowLogger("ours", uri)  # the experiment is there
    client = mlflow.MlflowClient(tracking_uri=uri)
    run = client.get_run(logger.run_id)
    assert (run.info.status, run.info.run_name, run.data.params) == ("FINISHED", "first", {"lr": "0.1"})
    told = client.get_metric_history(logger.run_id, "dev_accuracy")
    assert [(point.step, point.value) for point in told] == [
        (record["epoch"], record["dev_accuracy"]) for record in model.history_
    ]


class FakeClient:
    """Of MLflow, as far as the logger calls it."""

    def __init__(self, tracking_uri: str) -> None:
        self.calls: list[tuple[Any, ...]] = [(tracking_uri,)]
        CLIENTS.append(self)

    def get_experiment_by_name(self, name: str) -> None:
        return None

    def create_experiment(self, name: str) -> str:
        return "7"

    def create_run(self, number: str, run_name: str | None) -> Any:
        run = type("Run", (), {})()
        run.info = type("Info", (), {"run_id": f"run {number}"})
        return run

    def log_metric(self, run: str, name: str, value: float, step: int) -> None:
        self.calls.append((run, name, step))


CLIENTS: list[FakeClient] = []


def test_mlflow_is_told_of_a_database_and_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("mlflow")
    module.MlflowClient = FakeClient  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", module)
    fit(MLflowLogger())
    assert CLIENTS[-1].calls[:3] == [("sqlite:///mlflow.db",), ("run 7", "loss", 1), ("run 7", "dev_loss", 1)]


@pytest.mark.parametrize(
    ("package", "extra", "make"),
    [("tensorboardX", "tensorboard", lambda: TensorBoardLogger("a")), ("mlflow", "mlflow", MLflowLogger)],
)
def test_a_missing_package_is_named(package: str, extra: str, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError) as caught:
        make()
    assert str(caught.value) == (
        f"Logging to it needs the package {package!r}, which is not installed. "
        f"Install it with: pip install 'metalwork[{extra}]'."
    )
