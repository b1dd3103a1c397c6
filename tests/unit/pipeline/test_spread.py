import hashlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import metalwork as mw

WITH_TIME = ("manifest.json", "report.html")


def digests(folder: Path) -> dict[str, str]:
    """Of all files of a run but for what holds the time: the manifest and the report."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    known = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return {name: digest for name, digest in known.items() if name not in (*WITH_TIME, ".lock")}


def write_project(folder: Path, backend: str) -> Path:
    words = ["win a prize", "hello you", "see you tomorrow", "win at last", "nothing here"]
    texts = [f"{words[i % 5]} {words[i * 7 % 5]} {i % 13}" for i in range(1000)]
    folder.mkdir()
    pl.DataFrame({"text": texts}).write_parquet(folder / "train.parquet")
    path = folder / "project.yaml"
    path.write_text(
        f"""
schema: {{task: label, labels: [ham, spam]}}
data: {{train: train.parquet}}
lfs:
  backend: {backend}
  n_jobs: 2
  rules:
    - {{task: label, label: spam, keywords: [win, prize]}}
    - {{task: label, label: ham, keywords: [hello]}}
    - {{task: label, label: ham, regex: tomorrow}}
features: {{text: text}}
end_model: {{max_epochs: 1, hidden_sizes: [4, 3]}}
output: {{shard_rows: 300}}
"""
    )
    return path


@pytest.mark.parametrize("backend", ["processes", "ray"])
def test_every_backend_writes_the_same_files(tmp_path: Path, backend: str, request: Any) -> None:
    if backend == "ray":
        request.getfixturevalue("ray_cluster")
    found = {}
    for name in ("serial", backend):
        run = mw.Run.open(write_project(tmp_path / name, name), run="one").run()
        assert run.folder is not None
        assert run.sizes("train") == (300, 300, 300, 100)
        found[name] = digests(Path(run.folder.path))
        found[name] = {file: digest for file, digest in found[name].items() if not file.startswith("project/")}
    assert len(found["serial"]) > 12
    assert found["serial"] == found[backend]
