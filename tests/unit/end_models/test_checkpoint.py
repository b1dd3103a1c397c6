"""Training that goes on after its process was killed, to the bit; checkpoints of other fits."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from metalwork import EndModel, TaskProbabilities
from metalwork.end_models import _checkpoint, _touched
from metalwork.end_models._digest import Digest
from metalwork.end_models._training import Trainer
from metalwork.errors import CheckpointError
from tests.unit.end_models.samples import TRIAGE, UNEVEN, words

DATA, DEV = words(TRIAGE), words(TRIAGE, 40, seed=3)
KINDS = ("rows", "dense", "sgd", "adam in parts", "bf16")


def normalised(n_in: int, n_out: int) -> nn.Module:
    return nn.Sequential(nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU(), nn.Dropout(0.3))


def fit(kind: str, path: Path | None, **options: Any) -> EndModel:
    arguments: dict[str, Any] = {"hidden_sizes": (8, 4), "max_epochs": 4, "batch_size": 25, "dropout": 0.2}
    if kind == "dense":
        arguments |= {"intermediate_module": normalised}
    elif kind != "rows":
        arguments |= {"optimizer": "sgd" if kind == "sgd" else "adam", "max_grad_norm": 0.5, "warmup": 0.3}
    if kind == "bf16":
        arguments |= {"precision": "bf16"}
    model = EndModel(TRIAGE, **(arguments | options))
    X, X_dev = (part.toarray() if kind == "dense" else part for part in (DATA.counts, DEV.counts))
    dev = (X_dev, DEV.labels)
    if kind != "adam in parts":
        return model.fit(X, DATA.probs, dev=dev, checkpoint=path)
    halves = [(X[:70], DATA.probs.rows(slice(0, 70))), (X[70:], DATA.probs.rows(slice(70, 120)))]
    return model.fit_parts(halves, dev=dev, checkpoint=path)


def said(model: EndModel) -> str:
    """All that a fit found but its seconds."""
    history = [{k: v for k, v in record.items() if k != "seconds"} for record in model.history_]
    return Digest().add(model.network_.state_dict(), history, model.best_epoch_).hex()


def attempt(kind: str, path: Path, steps: int) -> int:
    """Fit in a child, which is killed after so many steps; how it ended."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    train_step, left = Trainer.train_step, [steps]

    def counting(self: Trainer, index: Any) -> Any:
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return train_step(self, index)

    Trainer.train_step = counting  # type: ignore[method-assign]
    model = fit(kind, path)
    path.with_suffix(".said").write_text(said(model))
    os._exit(0)


def campaign(folder: Path) -> None:
    """Kill fits of every kind at random steps until they are done; what whole and killed ones found."""
    torch.set_num_threads(1)
    _checkpoint._SOON, _checkpoint._SHARE = 0.0, 1e9  # type: ignore[misc]  # after every step
    _touched._LEAST_WEIGHTS = 0  # type: ignore[misc]
    chance, found = random.Random(0), {}
    for kind in KINDS:
        path, kills = folder / f"{kind}.checkpoint", 0
        while (code := attempt(kind, path, chance.randrange(1, 9))) == -signal.SIGKILL:
            kills += 1
        assert code == 0
        found[kind] = [kills, path.exists(), path.with_suffix(".said").read_text(), said(fit(kind, None))]
    print(json.dumps(found))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_fit_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    code = f"from tests.unit.end_models.test_checkpoint import *; campaign(Path({str(tmp_path)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert tuple(found) == KINDS
    for kills, left, killed, whole in found.values():
        assert kills >= 2
        assert not left
        assert killed == whole
    assert len({killed for _, _, killed, _ in found.values()}) == len(KINDS)


ROOT = Path(__file__).parents[3]


class _Stop(Exception):
    pass


def stopped(path: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    """Leave a checkpoint of a fit that ended after its second epoch."""

    def stop(record: dict[str, Any]) -> None:
        if record["epoch"] == 2:
            raise _Stop

    with monkeypatch.context() as patch:
        patch.setattr(_checkpoint, "_SOON", 0.0)
        patch.setattr(_checkpoint, "_SHARE", 1e9)
        with pytest.raises(_Stop):
            model(**options).fit(
                DATA.counts, DATA.probs, (DEV.counts, DEV.labels), callbacks=[stop], checkpoint=path
            )


def model(**options: Any) -> EndModel:
    usual: dict[str, Any] = {"hidden_sizes": (8, 4), "max_epochs": 4, "batch_size": 25}
    return EndModel(TRIAGE, **(usual | options))


def test_callbacks_see_the_epochs_that_were_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "a.checkpoint", list[int]()
    stopped(path, monkeypatch)
    dev = (DEV.counts, DEV.labels)
    found = model().fit(
        DATA.counts, DATA.probs, dev, callbacks=[lambda record: seen.append(record["epoch"])], checkpoint=path
    )
    assert seen == [2, 3, 4]  # the second was not finished
    assert [record["epoch"] for record in found.history_] == [1, 2, 3, 4]
    assert not path.exists()


OTHER_PROBS = TaskProbabilities.from_labels(DATA.labels, TRIAGE)


@pytest.mark.parametrize(
    ("options", "given", "what"),
    [
        ({"lr": 0.01}, {}, "lr None in place of 0.01"),
        ({"optimizer": "sgd"}, {}, "optimizer 'adamw' in place of 'sgd'"),
        ({}, {"probs": OTHER_PROBS}, "other records, labels or weights"),
        ({}, {"X": DATA.counts * 2}, "other records, labels or weights"),
        ({}, {"dev": (DEV.counts[:9], DEV.labels[:9])}, "other dev records"),
        ({}, {"dev": None}, "other dev records"),
        ({"intermediate_module": normalised}, {}, "modules [] in place of ['intermediate_module']"),
        ({"schema": UNEVEN}, {}, "another task schema"),
    ],
)
def test_a_checkpoint_of_another_fit_is_refused(
    options: dict[str, Any], given: dict[str, Any], what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.checkpoint"
    stopped(path, monkeypatch)
    arguments: dict[str, Any] = {"X": DATA.counts, "probs": DATA.probs, "dev": (DEV.counts, DEV.labels)} | given
    if "schema" in options:
        other = words(UNEVEN)
        arguments |= {"X": other.counts, "probs": other.probs, "dev": None}
    with pytest.raises(CheckpointError) as caught:
        model().set_params(**options).fit(**arguments, checkpoint=path)
    assert str(caught.value) == (
        f"{path}: must be a checkpoint of this fit; it is of one with {what}. "
        "Give what was given then, or another path, or delete the file to start anew."
    )
    assert path.exists()


def test_a_damaged_checkpoint_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.checkpoint"
    stopped(path, monkeypatch)
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    dev = (DEV.counts, DEV.labels)
    with pytest.raises(CheckpointError, match=r"must be as it was saved; .* Delete it to start anew\."):
        model().fit(DATA.counts, DATA.probs, dev, checkpoint=path)
    path.write_bytes(content[:100])
    with pytest.raises(CheckpointError, match="must be a 'metalwork checkpoint 1' file; it is damaged"):
        model().fit(DATA.counts, DATA.probs, dev, checkpoint=path)
    model().fit(DATA.counts, DATA.probs).save(path)
    with pytest.raises(CheckpointError, match="must be a 'metalwork checkpoint 1' file"):
        model().fit(DATA.counts, DATA.probs, dev, checkpoint=path)


def test_a_checkpoint_is_written_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.checkpoint"
    kept, due = _checkpoint.Checkpoint(path, {}), list[bool]()
    due.append(kept.is_due)
    monkeypatch.setattr(_checkpoint, "_SOON", 0.0)
    due.append(kept.is_due)
    kept.write({}, {"a": torch.ones(2)})
    monkeypatch.setattr(_checkpoint, "_SHARE", 1e-9)  # writing took longer than that
    due.append(kept.is_due)
    assert due == [False, True, False]


def test_a_digest_is_of_content() -> None:
    rows = np.arange(6.0).reshape(2, 3)
    same = [
        Digest().add(value).hex()
        for value in (rows, rows.astype(np.float32), rows.T, {"a": rows}, [rows], ["a", b"a"], "ab", None, 1)
    ]
    assert len(set(same)) == len(same)
    assert Digest().add({"a": [rows.copy(), "b"]}).hex() == Digest().add({"a": [rows, "b"]}).hex()
