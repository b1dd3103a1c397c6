"""The one file format of matrices, probabilities and label models: whole, or one ``DataError``."""

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metalwork as mw
from metalwork._arrays import load_arrays, save_arrays
from metalwork.errors import ConfigError, DataError
from tests.unit.schemas import SECTORS

SCHEMA = mw.TaskSchema.from_dict(SECTORS)
KIND = "metalwork label matrix 1"


class Trap:
    """What a pickle of it would run leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def test_what_json_cannot_hold_is_named(tmp_path: Path) -> None:
    save_arrays(tmp_path / "a.npz", KIND, {"n": np.int64(3), "x": np.float32(0.5)}, {})
    assert load_arrays(tmp_path / "a.npz", KIND, [])[0] == {"format": KIND, "n": 3, "x": 0.5}
    with pytest.raises(ConfigError) as caught:
        save_arrays(tmp_path / "b.npz", KIND, {"n": {1}}, {})
    assert str(caught.value) == "What is saved must be what JSON can hold; got {1}. Keep arrays apart."
    assert not (tmp_path / "b.npz").exists()


def fault(path: Path, load: Callable[[Path], object] = mw.LabelMatrix.load) -> str:
    """The whole text of the ``DataError`` that loading the file raises."""
    with pytest.raises(DataError) as caught:
        load(path)
    return str(caught.value).replace(str(path), "FILE")


def saved(folder: Path, **header: Any) -> Path:
    """A label matrix file whose header has been changed."""
    path = folder / "votes.npz"
    whole = {"schema": SCHEMA.to_dict(), "tasks": ["sector"], "names": ["a"], **header}
    arrays = {"codes": np.array([[0], [1]]), "errors": np.array([0])}
    save_arrays(path, KIND, {key: value for key, value in whole.items() if value is not None}, arrays)
    return path


def test_a_sound_file_loads(tmp_path: Path) -> None:
    assert mw.LabelMatrix.load(saved(tmp_path)).codes.tolist() == [[0], [1]]
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        fault(saved(tmp_path))


def test_header_and_arrays_come_back(tmp_path: Path) -> None:
    arrays = {"x": np.arange(3), "y": np.array([[1.5, np.nan]])}
    save_arrays(tmp_path / "a.npz", "thing", {"text": "naïve", "list": [1, None]}, arrays)
    header, found = load_arrays(tmp_path / "a.npz", "thing", ["y", "x"])
    assert header == {"format": "thing", "text": "naïve", "list": [1, None]}
    np.testing.assert_array_equal(found["x"], arrays["x"])
    np.testing.assert_array_equal(found["y"], arrays["y"])


def test_missing_files_and_folders(tmp_path: Path) -> None:
    assert fault(tmp_path / "none.npz") == "FILE: there is no such file."
    assert fault(tmp_path).startswith(f"FILE: must be a '{KIND}' file; it is damaged or something else (")


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", b"hello\n", b"\x93NUMPY\x01\x00v\x00{'descr': '<i8'}", b"\x80\x04."],
    ids=range(5),
)
def test_what_is_no_such_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "votes.npz").write_bytes(content)
    assert fault(tmp_path / "votes.npz").startswith(f"FILE: must be a '{KIND}' file; it is damaged")


def test_one_bare_array_is_no_such_file(tmp_path: Path) -> None:
    np.save(tmp_path / "votes.npy", np.arange(3))
    assert fault(tmp_path / "votes.npy").startswith(f"FILE: must be a '{KIND}' file; it is damaged")


@pytest.mark.parametrize(
    "header",
    [
        {"schema": None},
        {"schema": 3},
        {"schema": {"task": "x", "labels": ["a"]}},
        {"tasks": None},
        {"tasks": 7},
        {"tasks": ["nowhere"]},
        {"tasks": [["sector"]]},
        {"names": ["a", "b"]},
        {"names": [{}]},
        {"format": "something else"},
    ],
    ids=range(10),
)
def test_headers_that_do_not_fit(tmp_path: Path, header: dict[str, Any]) -> None:
    assert fault(saved(tmp_path, **header)).startswith(f"FILE: must be a '{KIND}' file; it is")


def test_a_header_that_is_no_json(tmp_path: Path) -> None:
    for name, header in [("a", b"\xff\xfe"), ("b", b"[1]"), ("c", b"{"), ("d", b"[" * 100_000)]:
        np.savez(tmp_path / f"{name}.npz", header=np.frombuffer(header, np.uint8), codes=[[0]], errors=[0])
        assert fault(tmp_path / f"{name}.npz").startswith(f"FILE: must be a '{KIND}' file; it is")


def test_a_pickle_is_never_run(tmp_path: Path) -> None:
    trap = np.array([Trap(tmp_path / "sprung")], dtype=object)
    header = np.frombuffer(json.dumps({"format": KIND}).encode(), np.uint8)
    np.savez(tmp_path / "header.npz", header=trap)
    np.savez(tmp_path / "codes.npz", header=header, codes=trap, errors=np.array([0]))
    (tmp_path / "bare.npz").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    np.save(tmp_path / "bare.npy", trap)
    for name in ("header.npz", "codes.npz", "bare.npz", "bare.npy"):
        assert "it is damaged" in fault(tmp_path / name)
    assert not (tmp_path / "sprung").exists()
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))
    assert (tmp_path / "sprung").exists()  # the trap is a real one


def test_any_damage_is_one_error_or_none(tmp_path: Path) -> None:
    """A byte flipped or the end cut off, anywhere: a ``DataError`` or the very matrix, nothing else."""
    whole = saved(tmp_path).read_bytes()
    rng = np.random.default_rng(0)
    path, refused = tmp_path / "damaged.npz", 0
    for trial in range(300):
        data = bytearray(whole)
        if trial % 3 == 0:
            del data[int(rng.integers(len(data))) :]
        else:
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
        path.write_bytes(data)
        try:
            assert mw.LabelMatrix.load(path).codes.tolist() == [[0], [1]]
        except DataError:
            refused += 1
    assert refused > 150


def test_a_number_too_large_for_the_memory(tmp_path: Path) -> None:
    """An array header may claim any shape; the file is damaged, the memory is not asked for."""
    path = saved(tmp_path)
    claim = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<i8', 'fortran_order': False, 'shape': (9999999999999, 1), }"
    with zipfile.ZipFile(path) as stored:
        parts = {name: stored.read(name) for name in stored.namelist()}
    with zipfile.ZipFile(path, "w") as stored:
        for name, content in parts.items():
            stored.writestr(name, claim.ljust(127) + b"\n" if name == "codes.npy" else content)
    assert fault(path).startswith(f"FILE: must be a '{KIND}' file; it is damaged")
