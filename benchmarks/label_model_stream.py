"""Label model in streaming: votes from Parquet shards in, probabilities in Parquet shards out, in bounded memory.

    python benchmarks/label_model_stream.py                          # 1,000,000 and 10,000,000 rows, 20 LFs
    python benchmarks/label_model_stream.py --rows 1000000 10000000 100000000

20 LFs on 3 tasks with 4 end labels; an LF votes on half of the rows its task applies to and on a tenth of the
others. Shards of 1,000,000 rows are simulated first, which is not timed. Each size runs in a process of its own;
memory is the process's highest resident size, the interpreter and its libraries included.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from label_model import SCENARIOS, simulate

import metalwork as mw
from metalwork.label_models import VoteShards, label_shards

_SHARD_ROWS = 1_000_000
_TREE = SCENARIOS["tree"]._replace(n_lfs=20)
_COLUMNS = (
    "rows",
    "count s",
    "fit s",
    "predict and write s",
    "total s",
    "CPU s",
    "CPU s a million rows",
    "peak MB",
)


def make_shards(n_points: int, folder: Path) -> None:
    """Write votes-00000.parquet and so on, and tasks.json."""
    names = [f"lf_{j}" for j in range(_TREE.n_lfs)]
    for i, start in enumerate(range(0, n_points, _SHARD_ROWS)):
        simulate(_TREE.schema(), _TREE, min(_SHARD_ROWS, n_points - start), folder, seed=i)
        codes = np.load(folder / "votes.npy")
        pl.from_numpy(codes, schema=names).write_parquet(folder / f"votes-{i:05d}.parquet")
    (folder / "votes.npy").unlink()


def work(folder: Path) -> dict[str, float]:
    """Seconds and memory of counting, fitting and predicting in this process."""
    tasks = json.loads((folder / "tasks.json").read_text())
    schema = _TREE.schema()
    shards = VoteShards(sorted(folder.glob("votes-*.parquet")), schema, tasks)
    model = mw.HierarchicalLabelModel(schema)
    cpu, start = time.process_time(), time.perf_counter()
    for part in shards:
        model.partial_fit(part)
    counted = time.perf_counter()
    model.refit()
    fitted = time.perf_counter()
    label_shards(model, shards, folder / "labels")
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = {"count": counted - start, "fit": fitted - counted, "predict": done - fitted, "total": done - start}
    return {**seconds, "cpu": time.process_time() - cpu, "mb": peak}


def main() -> None:
    """Print one Markdown row a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument(
        "--folder", help="where shards are written for a while; the system's temporary folder if none"
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(work(Path(options.worker))))
        return
    print("| " + " | ".join(_COLUMNS) + " |\n|" + "---|" * len(_COLUMNS))
    for n_points in options.rows:
        with tempfile.TemporaryDirectory(prefix="label-model-stream-", dir=options.folder) as folder:
            make_shards(n_points, Path(folder))
            command = [sys.executable, __file__, "--worker", folder]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout)
        seconds = [f"{found[name]:.1f}" for name in ("count", "fit", "predict", "total", "cpu")]
        cells = [*seconds, f"{found['cpu'] / n_points * 1e6:.2f}", f"{found['mb']:,.0f}"]
        print(f"| {n_points:,} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
