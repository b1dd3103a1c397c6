"""Stored end models: damage and malice end in one clear error, and a crash leaves the old file."""

import contextlib
import json
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from metalwork import EndModel
from metalwork.end_models._sealed import digest
from metalwork.errors import DataError
from tests.unit.end_models.samples import TRIAGE, words

DATA = words(TRIAGE, 40)


@pytest.fixture(scope="module")
def model() -> EndModel:
    return EndModel(TRIAGE, hidden_sizes=(4, 3), max_epochs=1).fit(DATA.counts, DATA.probs)


@pytest.fixture
def path(model: EndModel, tmp_path: Path) -> Path:
    model.save(tmp_path / "end.safetensors")
    return tmp_path / "end.safetensors"


def parts(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as stored:
        return json.loads(stored.metadata()["metalwork"]), {n: stored.get_tensor(n) for n in stored.keys()}  # noqa: SIM118


def rewrite(path: Path, header: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    """Another file of the same kind, whose digest is right: what is wrong with it is in what it says."""
    told = {key: value for key, value in header.items() if key != "sha256"}
    with contextlib.suppress(ValueError):  # not finite numbers have no digest
        told["sha256"] = digest(told, tensors)
    path.write_bytes(save(tensors, metadata={"metalwork": json.dumps(told)}))


def refusal(path: Path) -> str | None:
    """The error that loading ends in, or None."""
    try:
        EndModel.load(path).predict_proba(DATA.counts)
    except DataError as error:
        return str(error)
    return None


def test_mutated_files_give_one_clear_error_or_a_model(path: Path) -> None:
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refusals = []
    for _ in range(400):
        data = bytearray(whole[: rng.integers(len(whole))] if rng.random() < 0.2 else whole)
        span = len(data) if rng.random() < 0.5 else min(len(data), 1500)  # the header is where it hurts
        for place in rng.integers(0, max(span, 1), rng.integers(1, 5)):
            if place < len(data):
                data[place] = rng.integers(256)
        path.write_bytes(data)
        refusals.append(refusal(path))
    found = [message for message in refusals if message is not None]
    assert len(found) > 200
    assert [message for message in found if "\n" in message] == []


def test_every_flipped_bit_is_found(path: Path) -> None:
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for place, bit in zip(rng.integers(0, len(whole), 200), rng.integers(0, 8, 200), strict=True):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << bit
        path.write_bytes(flipped)
        assert refusal(path) is not None, (place, bit)


def test_a_changed_weight_is_said_to_be_one(path: Path) -> None:
    header, tensors = parts(path)
    changed = tensors | {"network.heads.0.bias": tensors["network.heads.0.bias"] + 1}
    path.write_bytes(save(changed, metadata={"metalwork": json.dumps(header)}))
    with pytest.raises(DataError) as caught:
        EndModel.load(path)
    assert (
        str(caught.value)
        == f"{path}: must be as it was saved; it has changed since. Copy it again, or train again."
    )


def test_what_rewriting_leaves_alone_is_read(path: Path) -> None:
    rewrite(path, *parts(path))
    assert refusal(path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"arguments": {"hidden_sizes": [10**9, 10**9]}},
        {"arguments": {"hidden_sizes": [4, 3], "nothing": 1}},
        {"arguments": {"hidden_sizes": [4, 3], "schema": {}}},
        {"arguments": {"hidden_sizes": [4, 3], "input_module": "os.system"}},
        {"arguments": {"hidden_sizes": "43"}},
        {"arguments": {"hidden_sizes": [4, 3], "lr": "1"}},
        {"arguments": []},
        {"schema": {"task": "a", "labels": ["b", "b"]}},
        {"schema": {"task": "a", "labels": ["b", "c"]}},
        {"schema": None},
        {"n_features": -1},
        {"n_features": 10**12},
        {"n_features": "52"},
        {"scaling": "standard"},
        {"scaling": "auto"},
        {"scaling": ["counts"]},
        {"modules": None},
        {"modules": ["os"]},
        {"modules": [["input_module"]]},
        {"history": 3},
        {"best_epoch": None},
        {"n_features_in": "52"},
        {"format": "metalwork end model 9"},
        {"history": [{"epoch": 1}]},
        {"history": [{"epoch": 1, "loss": float("nan")}]},
        {"history": [{"epoch": 2, "loss": 1.0}]},
        {"best_epoch": 2},
        {"best_epoch": 1e400},
        {"feature_names": ["a"] * 52},
        {"feature_names": ["a"]},
        {"n_features_in": 7},
        {"anything": 1},
    ],
    ids=str,
)
def test_a_header_that_lies_is_refused(path: Path, change: dict[str, Any]) -> None:
    header, tensors = parts(path)
    rewrite(path, header | change, tensors)
    with pytest.raises(DataError, match=rf"^{path}: "):
        EndModel.load(path)


def test_weights_that_do_not_fit_are_refused(path: Path) -> None:
    header, tensors = parts(path)
    name = "network.heads.0.bias"
    cases: list[dict[str, torch.Tensor]] = [
        {n: t for n, t in tensors.items() if n != name},
        tensors | {name: torch.zeros(99)},
        tensors | {name: torch.full((2,), torch.nan)},
        tensors | {"network.extra": torch.zeros(1)},
        tensors | {"scaling.mean": torch.zeros(1)},
        tensors | {"else": torch.zeros(1)},
        tensors | {name: tensors[name].double()},
        tensors | {name: tensors[name].to(torch.bfloat16)},
        tensors | {name: tensors[name][None]},
        tensors | {name: tensors[name].int()},
        {n: tensors[m] for n, m in zip(tensors, [*list(tensors)[1:], next(iter(tensors))], strict=True)},
    ]
    for case in cases:
        rewrite(path, header, case)
        with pytest.raises(DataError, match=rf"^{path}: "):
            EndModel.load(path)


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("deviation", torch.zeros(3)),
        ("deviation", torch.full((3,), -1.0)),
        ("mean", torch.full((3,), torch.inf)),
        ("mean", torch.zeros(4)),
        ("mean", torch.zeros(3, 1)),
        ("mean", torch.zeros(3, dtype=torch.float64)),
        ("mean", torch.tensor(0.0)),
    ],
)
def test_scaling_that_does_not_fit_is_refused(tmp_path: Path, name: str, tensor: torch.Tensor) -> None:
    path = tmp_path / "end"
    EndModel(TRIAGE, hidden_sizes=(2,), max_epochs=1).fit(np.eye(3), [0, 1, 2]).save(path)
    header, tensors = parts(path)
    rewrite(path, header, tensors | {f"scaling.{name}": tensor})
    with pytest.raises(DataError, match=rf"^{path}: "):
        EndModel.load(path)


def test_equal_fits_give_equal_files(model: EndModel, tmp_path: Path) -> None:
    for name in ("one", "two"):
        EndModel(TRIAGE, hidden_sizes=(4, 3), max_epochs=1).fit(DATA.counts, DATA.probs).save(tmp_path / name)
    EndModel.load(tmp_path / "two").save(tmp_path / "three")
    files = [(tmp_path / name).read_bytes() for name in ("one", "two", "three")]
    assert files[0] == files[1] == files[2]
    assert "seconds" in model.history_[0]


class _Trap:
    """Leaves a mark when unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (Path.touch, (self.mark,))


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    mark, path = tmp_path / "executed", tmp_path / "end"
    trap = pickle.dumps(_Trap(mark))
    torch.save({"weights": _Trap(mark)}, tmp_path / "torch")
    header = json.dumps({"__metadata__": {"metalwork": trap.decode("latin-1")}}).encode()
    for data in (trap, (tmp_path / "torch").read_bytes(), struct.pack("<Q", len(header)) + header + trap):
        path.write_bytes(data)
        with pytest.raises(DataError, match=rf"^{path}: must be a 'metalwork end model 1' file; it is damaged"):
            EndModel.load(path)
    assert not mark.exists()
    pickle.loads(trap)
    assert mark.exists()  # the trap does work where something unpickles it


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"^{tmp_path / 'none'}: there is no such file\.$"):
        EndModel.load(tmp_path / "none")
    with pytest.raises(DataError, match=rf"^{tmp_path}: must be a 'metalwork end model 1' file; "):
        EndModel.load(tmp_path)


def test_a_crash_while_saving_leaves_the_old_file(
    path: Path, model: EndModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("metalwork._files.os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        model.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
