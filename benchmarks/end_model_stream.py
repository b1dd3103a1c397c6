"""The end model trained in parts: records from Parquet shards, features in a temporary file, in bounded memory.

    python benchmarks/end_model_stream.py                      # 20,000, 200,000 and 2,000,000 rows, 1 epoch
    python benchmarks/end_model_stream.py --rows 20000000 --epochs 1

Texts of 12 words out of 20,000, whose frequencies fall as 1 / rank, with probabilities of 4 end labels; 100,000
rows a shard, simulated first, which is not timed. Each size runs in a process of its own; memory is the process's
highest resident size, the interpreter and its libraries included.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from end_model import SCHEMA

import metalwork as mw

_SHARD_ROWS, _N_WORDS, _LENGTH = 100_000, 20_000, 12
_COLUMNS = ("rows", "featurize and train s", "train epoch s", "rows/s an epoch", "predict s", "peak MB")


def make_shards(n_points: int, folder: Path) -> None:
    """Write records-00000.parquet and so on: a text, and the probabilities of the end labels."""
    names = np.array([f"word{i}" for i in range(_N_WORDS)])
    shares = 1.0 / np.arange(1, _N_WORDS + 1)
    for i, start in enumerate(range(0, n_points, _SHARD_ROWS)):
        n, rng = min(_SHARD_ROWS, n_points - start), np.random.default_rng(i)
        chosen = names[rng.choice(_N_WORDS, (n, _LENGTH), p=shares / shares.sum())]
        columns: dict[str, Any] = {"text": [" ".join(row) for row in chosen.tolist()]}
        shown = rng.dirichlet(np.ones(SCHEMA.n_end_labels), n)
        columns |= {f"P({name})": shown[:, code] for code, name in enumerate(SCHEMA.end_labels)}
        pl.DataFrame(columns).write_parquet(folder / f"records-{i:05d}.parquet")


class Parts:
    """The shards, each read when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._paths = sorted(folder.glob("records-*.parquet"))

    def __iter__(self) -> Iterator[tuple[pl.DataFrame, mw.TaskProbabilities]]:
        for path in self._paths:
            frame = pl.read_parquet(path)
            yield frame.select("text"), mw.TaskProbabilities(frame, SCHEMA)


def work(folder: Path, epochs: int) -> dict[str, float]:
    """Seconds and memory of training on the shards, and of predicting them one by one, in this process."""
    parts, start = Parts(folder), time.perf_counter()
    model = mw.EndModel(SCHEMA, featurizer=mw.WordCounts(field="text"), max_epochs=epochs, n_threads=1)
    model.fit_parts(parts)
    trained = time.perf_counter()
    for frame, _ in parts:
        model.predict_proba(frame)
    done = time.perf_counter()
    return {
        "train": trained - start,
        "epoch": float(np.mean([record["seconds"] for record in model.history_])),
        "predict": done - trained,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Print one Markdown row a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 200_000, 2_000_000])
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--folder", help="for the shards, for a while; the system's temporary folder if none")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(work(Path(options.worker), options.epochs)))
        return
    print("| " + " | ".join(_COLUMNS) + " |\n|" + "---|" * len(_COLUMNS))
    for n_points in options.rows:
        with tempfile.TemporaryDirectory(prefix="end-model-stream-", dir=options.folder) as folder:
            make_shards(n_points, Path(folder))
            command = [sys.executable, __file__, "--worker", folder, "--epochs", str(options.epochs)]
            found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        seconds = [f"{found[name]:.1f}" for name in ("train", "epoch")]
        cells = [*seconds, f"{n_points / found['epoch']:,.0f}", f"{found['predict']:.1f}", f"{found['mb']:,.0f}"]
        print(f"| {n_points:,} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
