"""Memory of a whole run: the highest resident size of each step, each in a process of its own.

    python benchmarks/memory.py                                   # 20,000, 200,000 and 2,000,000 rows of CSV
    python benchmarks/memory.py --rows 20000 200000 --format parquet
    python benchmarks/memory.py --rows 2000000 --output parquet   # the tables of the run as Parquet shards, too

Made-up short texts (about 80 bytes) with an id and four end labels in two levels; 20 keyword LFs; 500 dev and 500
test records; one epoch of a small network. "+ MB" is what ten times as many rows cost a step.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

STEPS = ("apply", "fit", "train", "evaluate", "report")
_CHUNK = 100_000
_WORDS = 5_000
_LABELS = ("Cat", "Dog", "Owl", "Duck")
_SCHEMA = """
task: kind
labels:
  - Mammal: {task: mammal, labels: [Cat, Dog]}
  - Bird: {task: bird, labels: [Owl, Duck]}
"""
_PROJECT = """
name: memory
schema: schema.yaml
data: {{train: train.{suffix}, dev: dev.csv, test: test.csv, id: key}}
lfs:
  rules:
{rules}
features: {{text: text, min_df: 2}}
end_model: {{hidden_sizes: [16], max_epochs: 1, batch_size: 1024}}
output: {{format: {output}}}
"""


def records(n_points: int, start: int, seed: int) -> pl.DataFrame:
    """Records whose texts hold two words of their label among ten of any."""
    rng = np.random.default_rng([seed, start])
    labels = rng.integers(0, len(_LABELS), n_points)
    words = rng.integers(0, _WORDS, (n_points, 10))
    own = labels[:, None] * 5 + rng.integers(0, 5, (n_points, 2))
    texts = [
        " ".join([*(f"word{w}" for w in others), *(f"sign{s}" for s in signs)])
        for others, signs in zip(words.tolist(), own.tolist(), strict=True)
    ]
    keys = [f"r{start + i}" for i in range(n_points)]
    return pl.DataFrame({"key": keys, "text": texts, "label": [_LABELS[label] for label in labels]})


def make_project(folder: Path, n_points: int, suffix: str, output: str) -> Path:
    """Write records and a project; returns the project file."""
    for name in ("dev", "test"):
        records(500, 0, seed=1 + (name == "test")).write_csv(folder / f"{name}.csv")
    parts = []
    with (folder / "train.csv").open("wb") as stream:
        for start in range(0, n_points, _CHUNK):
            part = records(min(_CHUNK, n_points - start), start, seed=0).drop("label")
            if suffix == "parquet":
                parts.append(folder / f"part-{start}.parquet")
                part.write_parquet(parts[-1])
            else:
                part.write_csv(stream, include_header=start == 0)
    if suffix == "parquet":
        pl.scan_parquet(parts).sink_parquet(folder / "train.parquet")
    rules = []
    for i in range(20):
        task, label = "mammal" if i < 10 else "bird", _LABELS[i // 5]
        rules.append(f"    - {{keywords: [sign{i}], task: {task}, label: {label}, name: lf{i}}}")
    (folder / "schema.yaml").write_text(_SCHEMA)
    path = folder / "project.yaml"
    path.write_text(_PROJECT.format(suffix=suffix, rules="\n".join(rules), output=output))
    return path


def measure(command: list[str]) -> tuple[float, float]:
    """Highest resident size (MB) and seconds of a command."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{errors.decode()}")
    return usage.ru_maxrss / 1024, time.perf_counter() - start


def main() -> None:
    """Print a table: a row a step, two columns a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 200_000, 2_000_000])
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv", help="of the training records")
    parser.add_argument("--output", choices=["csv", "parquet"], default="csv", help="of the tables of the run")
    given = parser.parse_args()
    found: list[dict[str, tuple[float, float]]] = []
    for n_points in given.rows:
        with tempfile.TemporaryDirectory() as folder:
            project = str(make_project(Path(folder), n_points, given.format, given.output))
            command = [sys.executable, "-m", "metalwork"]
            found.append({step: measure([*command, step, project, "--run", "r"]) for step in STEPS})
    print(f"\n{given.format} records, {given.output} tables")
    print("| step | " + " | ".join(f"{n:,} rows: MB | s" for n in given.rows) + " | + MB, last ten times |")
    print("|---" * (2 + 2 * len(given.rows)) + "|")
    for step in STEPS:
        cells = [f"{own[step][0]:.0f} | {own[step][1]:.1f}" for own in found]
        more = f"{found[-1][step][0] - found[-2][step][0]:+.0f}" if len(found) > 1 else "-"
        print(f"| {step} | " + " | ".join(cells) + f" | {more} |")


if __name__ == "__main__":
    main()
