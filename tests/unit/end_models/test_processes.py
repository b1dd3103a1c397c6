"""Two processes that train one network: the result of one, whatever the batches."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from metalwork import EndModel, MetalworkError
from metalwork.end_models import _checkpoint, _touched
from metalwork.end_models._processes import Processes
from tests.unit.end_models.samples import TRIAGE, words

ROOT = Path(__file__).parents[3]
DATA, DEV = words(TRIAGE, 121), words(TRIAGE, 40, seed=3)


def normalised(n_in: int, n_out: int) -> nn.Module:
    return nn.Sequential(nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU())


def fit(kind: str, **options: Any) -> EndModel:
    """24 records a step, and a last step of one where that cannot join the one before."""
    arguments: dict[str, Any] = {"hidden_sizes": (8, 4), "max_epochs": 3, "batch_size": 24, "input_dropout": 0.0}
    if kind == "normalised":
        arguments |= {"intermediate_module": normalised}
    model = EndModel(TRIAGE, **(arguments | options))
    weights = np.linspace(0.5, 1.5, len(DATA.labels)) if kind == "weighted" else None
    return model.fit(DATA.counts, DATA.probs, (DEV.counts, DEV.labels), sample_weight=weights)


def found(kind: str, **options: Any) -> dict[str, Any]:
    model = fit(kind, **options)
    return {
        "weights": {name: tensor.tolist() for name, tensor in model.network_.state_dict().items()},
        "losses": [record["loss"] for record in model.history_],
        "best": model.best_epoch_,
    }


def work(folder: Path) -> None:
    """What each of several processes does."""
    torch.distributed.init_process_group("gloo")
    rank = torch.distributed.get_rank()
    told: dict[str, Any] = {kind: found(kind) for kind in ("plain", "weighted", "normalised")}
    told["no seed"] = found("plain", random_state=None)
    told["steps of one"] = found("plain", batch_size=1, max_epochs=1)
    _touched._LEAST_WEIGHTS = 0  # type: ignore[misc]
    told["rows"] = found("plain")
    _checkpoint._SOON, _checkpoint._SHARE = 0.0, 1e9  # type: ignore[misc]
    told["resumed"] = _resumed(folder / "a.checkpoint")
    torch.distributed.barrier()
    try:
        fit("plain", lr=0.01 + rank)
    except MetalworkError as error:
        told["refused"] = str(error)
    (folder / f"{rank}.json").write_text(json.dumps(told))


def _resumed(path: Path) -> dict[str, Any]:
    """The same fit with dropout, whole, and ended after an epoch and taken up again."""

    def model() -> EndModel:
        return EndModel(TRIAGE, hidden_sizes=(8, 4), max_epochs=3, batch_size=24)

    def stop(record: dict[str, Any]) -> None:
        if record["epoch"] == 3:
            raise KeyboardInterrupt

    whole = model().fit(DATA.counts, DATA.probs)
    try:
        model().fit(DATA.counts, DATA.probs, callbacks=[stop], checkpoint=path)
    except KeyboardInterrupt:
        torch.distributed.barrier()
    resumed = model().fit(DATA.counts, DATA.probs, checkpoint=path)
    pairs = zip(whole.network_.state_dict().values(), resumed.network_.state_dict().values(), strict=True)
    return {"same": all(torch.equal(a, b) for a, b in pairs), "epochs": len(resumed.history_)}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("processes")
    code = f"from tests.unit.end_models.test_processes import *; work(Path({str(folder)!r}))"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    (folder / "work.py").write_text(code)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    done = subprocess.run(
        [*launcher, str(folder / "work.py")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.parametrize("kind", ["plain", "weighted"])
def test_two_find_what_one_does(kind: str, told: list[dict[str, Any]]) -> None:
    alone = found(kind)
    assert told[0][kind] == told[1][kind]
    assert told[0][kind]["best"] == alone["best"]
    np.testing.assert_allclose(told[0][kind]["losses"], alone["losses"], rtol=1e-5)
    for name, weights in alone["weights"].items():
        np.testing.assert_allclose(told[0][kind]["weights"][name], weights, atol=2e-5)


def test_a_first_layer_by_rows_is_no_exception(told: list[dict[str, Any]]) -> None:
    assert told[0]["rows"] == told[1]["rows"]
    for name, weights in told[0]["plain"]["weights"].items():
        np.testing.assert_allclose(told[0]["rows"]["weights"][name], weights, atol=1e-3)


@pytest.mark.parametrize("kind", ["normalised", "no seed", "steps of one"])
def test_all_end_with_one_network(kind: str, told: list[dict[str, Any]]) -> None:
    assert told[0][kind] == told[1][kind]


def test_several_go_on_from_the_end_of_an_epoch(told: list[dict[str, Any]]) -> None:
    assert [part["resumed"] for part in told] == [{"same": True, "epochs": 3}] * 2


def test_other_arguments_are_refused_in_all(told: list[dict[str, Any]]) -> None:
    assert [part["refused"] for part in told] == [
        "Processes that train one network must be given the same records and arguments; got others in process 1. "
        "Each takes its share of every mini-batch itself."
    ] * 2


@pytest.mark.parametrize("n_rows", range(1, 20))
@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_shares_are_of_two_records_or_more(n_rows: int, number: int) -> None:
    processes = Processes()
    processes.number = number
    seen, counted = list[int](), 0.0
    for processes.rank in range(number):
        rows, part = processes.share(n_rows)
        size = len(range(n_rows)[rows])
        assert size >= min(2, n_rows)
        counted += part
        seen += list(range(n_rows)[rows]) if part else []
        assert part == (size / n_rows if part else 0.0)
    assert seen == list(range(n_rows))
    assert counted == pytest.approx(1.0)
