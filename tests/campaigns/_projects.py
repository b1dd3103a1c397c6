"""A project for campaigns on runs: many small shards, sets and soft votes, a failing LF, three splits."""

import hashlib
import shutil
from pathlib import Path

import numpy as np

_SCHEMA = """
task: kind
labels:
  - Mammal: {task: mammal, labels: [Cat, Dog]}
  - Bird: {task: bird, labels: [Owl, Duck]}
"""
_PROJECT = """
name: kills
schema: schema.yaml
data: {{train: train.csv, dev: dev.csv, test: test.csv, id: key}}
lfs:
  python: lfs.py
  max_error_rate: 0.2
  rules:
    - {{keywords: [feather, beak], task: kind, label: Bird, name: feathered}}
    - {{keywords: [fur, paw], task: kind, label: Mammal, name: furry}}
    - {{regex: 'quack\\w*', task: bird, label: Duck, name: quacks}}
    - {{keywords: [hoot], task: bird, label: Owl, name: hoots}}
features: {{text: text, min_df: 1}}
end_model: {{hidden_sizes: [8], max_epochs: 3, batch_size: 64}}
output: {{shard_rows: {rows}, format: {format}}}
"""
_LFS = """
from pathlib import Path

import metalwork as mw

@mw.labeling_function(task="mammal")
def meows(text):
    return "Cat" if any(word in text for word in _meows()) else None

def _meows():
    return Path(__file__).with_name("meows.txt").read_text().split()

@mw.labeling_function(task="mammal")
def barks(text):
    return {"Dog": 0.8, "Cat": 0.2} if "bark" in text else None

@mw.labeling_function(task="kind")
def sets(text):
    return {"Mammal", "Bird"} if "number7" in text else None

@mw.labeling_function(task="bird")
def fails(text):
    if len(text) % 9 == 0:
        raise ValueError(text)
    return "Duck" if "beak" in text else None
"""
_TEXTS = {"Cat": "fur and a meow", "Dog": "paw and a bark", "Owl": "feather and a hoot", "Duck": "beak and quack"}


def write_project(folder: Path, n_points: int = 400, rows: int = 50, format: str = "csv") -> Path:
    """Write the project into a new folder; returns the project file."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for split, size in (("train", n_points), ("dev", 2 * rows), ("test", 2 * rows)):
        lines = ["key,text" + ("" if split == "train" else ",label")]
        for i in range(size):
            name = list(_TEXTS)[int(rng.integers(4))]
            words = " ".join(f"number{n}" for n in rng.integers(0, 200, 3))
            lines.append(f"{split}-{i},{_TEXTS[name]} {words}" + ("" if split == "train" else f",{name}"))
        (folder / f"{split}.csv").write_text("\n".join(lines) + "\n")
    (folder / "schema.yaml").write_text(_SCHEMA)
    (folder / "lfs.py").write_text(_LFS)
    (folder / "meows.txt").write_text("meow\npurr\n")
    path = folder / "project.yaml"
    path.write_text(_PROJECT.format(rows=rows, format=format))
    return path


def results_of(run: Path) -> dict[str, str]:
    """Digest of each result of a run; not of the manifest, which has the times."""
    return {
        path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in (".lock", "manifest.json")
    }


def copy_of(project: Path, folder: Path) -> Path:
    """A copy of the project without its runs."""
    shutil.copytree(project.parent, folder, ignore=shutil.ignore_patterns("runs", "__pycache__"))
    return folder / project.name
