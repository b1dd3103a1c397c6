"""Many short records from Parquet: the time and the peak of memory of each step.

``python benchmarks/scale.py --rows 100_000_000 --lfs 20`` writes records of some 35 bytes, runs the
labeling functions and the label model on them, each step in its own process, and prints a row a step. ``--steps
apply fit train evaluate`` adds the others. Timed is what ``metalwork apply`` and the others do, from start to end.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

ROWS_A_FILE = 5_000_000
LABELS = {
    "sport": ("Sport", "match goal coach league striker"),
    "money": ("Money", "bank shares profit loan market"),
}
FILLERS = "the a of on in for with from after new old big small early late says man city week plan"

PROJECT = """\
name: scale
schema: {{task: topic, labels: [Sport, Money]}}
data: {{train: records/*.parquet}}
lfs:
  backend: {backend}
  n_jobs: {n_jobs}
  cache: false
  rules:
{rules}
features: {{text: text, min_df: 2}}
end_model: {{max_epochs: 1, hidden_sizes: [16, 8]}}
output: {{format: parquet, shard_rows: {shard_rows}}}
"""


def main() -> None:
    """Write the records, then run and print each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--lfs", type=int, default=20)
    parser.add_argument("--backend", default="processes", choices=["serial", "processes", "ray"])
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--shard-rows", type=int, default=1_000_000)
    parser.add_argument("--steps", nargs="+", default=["apply", "fit"])
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder by default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        size = write_records(folder / "records", given.rows)
        (folder / "project.yaml").write_text(project(given))
        where = f"{given.backend}, {given.n_jobs} jobs"
        print(f"{given.rows:,} records, {size / 1e9:.2f} GB of text, {given.lfs} LFs, {where}")
        print(f"{'step':<10}{'seconds':>10}{'rows/s':>14}{'peak MB':>10}{'workers MB':>12}")
        for step in given.steps:
            run_step(folder, step, given.rows)
        results = sum(path.stat().st_size for path in (folder / "runs").rglob("*") if path.is_file())
        print(f"results on disk: {results / 1e9:.2f} GB")


def write_records(folder: Path, n_rows: int) -> int:
    """Records of six words, one or two of which tell the topic; returns the bytes of their texts."""
    folder.mkdir()
    rng, size = np.random.default_rng(0), 0
    words = [*FILLERS.split() * 4, *(word for _, own in LABELS.values() for word in own.split())]
    for number, start in enumerate(range(0, n_rows, ROWS_A_FILE)):
        count = min(ROWS_A_FILE, n_rows - start)
        columns = [pl.Series(f"w{i}", words).gather(rng.integers(0, len(words), count)) for i in range(6)]
        ids = pl.Series("id", np.arange(start, start + count)).cast(pl.String)
        text = pl.DataFrame([*columns, ids]).select(pl.concat_str(pl.all(), separator=" ").alias("text"))
        size += int(text["text"].str.len_bytes().sum())
        text.write_parquet(folder / f"{number:04d}.parquet", row_group_size=250_000)
    return size


def project(given: argparse.Namespace) -> str:
    """A project of keyword rules, each of two words."""
    rules = []
    for i in range(given.lfs):
        label, own = [*LABELS.values()][i % 2]
        words = own.split()
        pair = [words[i // 2 % 5], words[(i // 2 + 1 + i // 10) % 5]]
        rules.append(
            f"    - {{task: topic, label: {label}, name: lf{i}, keywords: [{', '.join(dict.fromkeys(pair))}]}}"
        )
    return PROJECT.format(
        backend=given.backend, n_jobs=given.n_jobs, shard_rows=given.shard_rows, rules="\n".join(rules)
    )


def run_step(folder: Path, step: str, n_rows: int) -> None:
    """One command, in a process of its own that says how much memory it and its workers took."""
    code = (  # VmHWM, since ru_maxrss counts what stood there before this program was loaded
        "import re, resource, sys; from metalwork.cli import main\n"
        "try:\n    main()\nfinally:\n"
        "    own = re.search('VmHWM:[^0-9]*([0-9]+)', open('/proc/self/status').read())[1]\n"
        "    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "    print('PEAK', int(own) // 1024, others // 1024, file=sys.stderr)"
    )
    start = time.perf_counter()
    command = [sys.executable, "-c", code, step, str(folder / "project.yaml"), "--run", "one"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    peaks = [line.split()[1:] for line in done.stderr.splitlines() if line.startswith("PEAK")]
    if done.returncode or not peaks:
        sys.exit(done.stderr)
    own, others = peaks[-1]
    print(f"{step:<10}{seconds:>10.1f}{n_rows / seconds:>14,.0f}{own:>10}{others:>12}", flush=True)


if __name__ == "__main__":
    main()
