"""Speed and memory of label models: fit and predict on simulated votes, beside Snorkel and Snorkel MeTaL.

    python benchmarks/label_model.py                          # 1,000,000 rows, every scenario
    python benchmarks/label_model.py --rows 100000 --scenarios tree flat
    python benchmarks/label_model.py --contenders ours        # nothing but ours

Scenarios (an LF fires on half of the rows its task applies to and on a tenth of the others, where not said else):

- ``tree``: 30 LFs, 3 tasks, 4 end labels. Snorkel knows no tree: it is fitted once a task.
- ``mixed``: the same, but an LF fires on 5 to 50 % of the rows its task applies to and a fifth as often elsewhere.
- ``flat``: 30 LFs, one task of 4 labels.
- ``dense``: 24 LFs that always vote, so that rows do not repeat; one task of 4 labels.
- ``wide``: 1,000 LFs of 1 % coverage, 5,000 end labels in 4 levels; a tenth of the rows, predicted in chunks
  (some 15 s for 100,000 rows; the other scenarios take a minute with all contenders but snorkel-metal).

Each contender runs in a process of its own, which loads the int8 matrix and its libraries before the clock starts.
Memory is the highest resident size during fit and predict, less the size just before: what a model needs above the
matrix, its output included. CPU seconds (of all threads) stay meaningful on a busy machine. Threads are those that
OMP_NUM_THREADS allows every contender; METALWORK_THREADS sets ours alone.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import metalwork as mw

_CHUNK = 2_000
_COLUMNS = (
    "scenario", "rows", "label model", "fit s", "predict s", "total s", "CPU s", "times ours", "MB above matrix",
    "accuracy %",
)  # fmt: skip
Predict = Callable[[mw.LabelMatrix], npt.NDArray[Any]]


class Scenario(NamedTuple):
    """A matrix to simulate, and who can take it.

    ``on`` is the least and the largest share of the rows its task applies to on which an LF fires, ``off`` how
    often it fires elsewhere, as a multiple of that.
    """

    schema: Callable[[], mw.TaskSchema]
    n_lfs: int
    on: tuple[float, float]
    off: float
    contenders: tuple[str, ...]
    share_of_rows: float = 1.0


def _tree() -> mw.TaskSchema:
    labels = [{a: {"task": a, "labels": [f"{a}1", f"{a}2"]}} for a in ("left", "right")]
    return mw.TaskSchema.from_dict({"task": "root", "labels": labels})


def _flat() -> mw.TaskSchema:
    return mw.TaskSchema.flat(["a", "b", "c", "d"])


def _wide() -> mw.TaskSchema:
    """10 x 10 x 10 x 5 end labels."""

    def task(name: str, sizes: tuple[int, ...]) -> dict[str, Any]:
        names = [f"{name}.{i}" for i in range(sizes[0])]
        below = names if len(sizes) == 1 else [{n: task(f"t{n}", sizes[1:])} for n in names]
        return {"task": name, "labels": below}

    return mw.TaskSchema.from_dict(task("r", (10, 10, 10, 5)))


SCENARIOS = {
    "tree": Scenario(_tree, 30, (0.5, 0.5), 0.2, ("ours", "snorkel", "snorkel-metal")),
    "mixed": Scenario(_tree, 30, (0.05, 0.5), 0.2, ("ours", "snorkel")),
    "flat": Scenario(_flat, 30, (0.5, 0.5), 0.2, ("ours", "snorkel", "snorkel-metal")),
    "dense": Scenario(_flat, 24, (1.0, 1.0), 1.0, ("ours", "snorkel")),
    "wide": Scenario(_wide, 1000, (0.1, 0.1), 0.09, ("ours",), 0.1),
}
_MODULES = {"ours": "metalwork", "snorkel": "snorkel", "snorkel-metal": "metal"}


def simulate(schema: mw.TaskSchema, scenario: Scenario, n_points: int, folder: Path, seed: int = 0) -> None:
    """Write votes.npy (int8), tasks.json and gold.npy.

    LFs take the tasks in turn. Where its task applies an LF knows the label in 30 to 70 % of its votes; the others
    are drawn at random.
    """
    rng = np.random.default_rng(seed)
    gold = rng.integers(schema.n_end_labels, size=n_points)
    codes = np.full((n_points, scenario.n_lfs), mw.ABSTAIN, np.int8)
    turns = rng.permutation(np.arange(scenario.n_lfs) % schema.n_tasks)
    for j, t in enumerate(turns):
        truth, size = schema.task_codes[gold, t], schema.n_labels[t]
        applies = truth >= 0
        on = rng.uniform(*scenario.on)
        fires = rng.random(n_points) < np.where(applies, on, on * scenario.off)
        right = applies & (rng.random(n_points) < rng.uniform(0.3, 0.7))
        codes[fires, j] = np.where(right, truth, rng.integers(size, size=n_points))[fires]
    np.save(folder / "votes.npy", codes)
    np.save(folder / "gold.npy", gold)
    (folder / "tasks.json").write_text(json.dumps([schema.tasks[t] for t in turns]))


def _ours(votes: mw.LabelMatrix) -> Predict:
    model = mw.HierarchicalLabelModel(votes.schema).fit(votes)
    return lambda part: model.predict_proba(part).end


def _snorkel(votes: mw.LabelMatrix) -> Predict:
    from snorkel.labeling.model import LabelModel

    schema, models = votes.schema, {}
    for task in schema.tasks:
        models[task] = LabelModel(cardinality=len(schema.labels(task)), verbose=False)
        models[task].fit(votes.to_snorkel(task), seed=0, progress_bar=False)

    def predict(part: mw.LabelMatrix) -> npt.NDArray[Any]:
        end = np.ones((part.n_points, schema.n_end_labels))
        for t, task in enumerate(schema.tasks):
            below = schema.task_codes[:, t]
            proba = models[task].predict_proba(part.to_snorkel(task))
            end *= np.where(below >= 0, proba[:, below], 1.0)
        return end

    return predict


def _metal(votes: mw.LabelMatrix) -> Predict:
    from _peers import metal_graph, metal_matrices
    from metal.label_model import LabelModel
    from metal.multitask import MTLabelModel

    if votes.schema.n_tasks == 1:
        flat = LabelModel(k=votes.schema.n_end_labels, seed=0, verbose=False)
        flat.train_model(metal_matrices(votes)[0])
        return lambda part: np.asarray(flat.predict_proba(metal_matrices(part)[0]))
    model = MTLabelModel(task_graph=metal_graph(votes.schema), seed=0, verbose=False)
    model.train_model(metal_matrices(votes))
    return lambda part: np.asarray(LabelModel.predict_proba(model, metal_matrices(part)))


_FITS: dict[str, Callable[[mw.LabelMatrix], Predict]] = {
    "ours": _ours,
    "snorkel": _snorkel,
    "snorkel-metal": _metal,
}


def _warm_up(name: str) -> None:
    """Import what a contender needs, and fit it once on a handful of rows."""
    if name != "ours":
        from _peers import quiet

        quiet(0)
    few = mw.LabelMatrix(np.random.default_rng(1).integers(-1, 2, size=(50, 6)), mw.TaskSchema.flat(["a", "b"]))
    _FITS[name](few)(few)


def _resident(field: str) -> float:
    """VmRSS or VmHWM of this process in MB."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(field))) / 1024


def work(name: str, scenario: str, folder: Path) -> dict[str, float]:
    """Seconds, memory and accuracy of one contender."""
    schema, codes = SCENARIOS[scenario].schema(), np.load(folder / "votes.npy")
    votes = mw.LabelMatrix(codes, schema, json.loads((folder / "tasks.json").read_text()))
    gold = np.load(folder / "gold.npy")
    _warm_up(name)
    chunk = _CHUNK if scenario == "wide" else votes.n_points
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    before, cpu, start = _resident("VmRSS"), time.process_time(), time.perf_counter()
    predict = _FITS[name](votes)
    fitted, hits, finite = time.perf_counter(), 0, True
    for first in range(0, votes.n_points, chunk):
        part = votes if chunk == votes.n_points else votes.rows(slice(first, first + chunk))
        proba = predict(part)
        finite = finite and bool(np.isfinite(proba).all())
        hits += int((proba.argmax(axis=1) == gold[first : first + chunk]).sum())
    done = time.perf_counter()
    return {
        "fit": fitted - start,
        "predict": done - fitted,
        "cpu": time.process_time() - cpu,
        "mb": _resident("VmHWM") - before,
        "accuracy": hits / votes.n_points,
        "finite": float(finite),
    }


def in_a_process(name: str, scenario: str, folder: Path, limit_s: float) -> dict[str, Any]:
    """``work`` in a process of its own; {"skipped": why} where it does not come back."""
    if find_spec(_MODULES[name]) is None:
        return {"skipped": f"{_MODULES[name]} is not installed"}
    command = [sys.executable, __file__, "--worker", name, scenario, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        return {"skipped": f"over {limit_s:.0f} s"}
    if done.returncode != 0:
        return {"skipped": (done.stderr.strip().splitlines() or ["killed"])[-1][:100]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _line(scenario: str, n_points: int, name: str, result: dict[str, Any], ours: dict[str, Any] | None) -> str:
    if "skipped" in result:
        return f"| {scenario} | {n_points:,} | {name} | skipped: {result['skipped']} | | | | | | |"
    total = result["fit"] + result["predict"]
    ratio = "" if not ours or "skipped" in ours else f"{total / (ours['fit'] + ours['predict']):.1f}x"
    accuracy = f"{100 * result['accuracy']:.1f}" + ("" if result["finite"] else " (not finite)")
    seconds = [f"{value:.2f}" for value in (result["fit"], result["predict"], total, result["cpu"])]
    cells = [*seconds, ratio, f"{result['mb']:,.0f}", accuracy]
    return f"| {scenario} | {n_points:,} | {name} | " + " | ".join(cells) + " |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--scenarios", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--contenders", nargs="+", choices=list(_FITS), default=list(_FITS))
    parser.add_argument("--limit-s", type=float, default=1800.0, help="seconds a contender may take")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Print one Markdown row a scenario and contender."""
    options = _arguments()
    if options.worker:
        name, scenario, folder = options.worker
        print(json.dumps(work(name, scenario, Path(folder))))
        return
    print("| " + " | ".join(_COLUMNS) + " |\n|" + "---|" * len(_COLUMNS))
    for scenario in options.scenarios:
        chosen = SCENARIOS[scenario]
        n_points = int(options.rows * chosen.share_of_rows)
        with tempfile.TemporaryDirectory(prefix="label-model-benchmark-") as folder:
            simulate(chosen.schema(), chosen, n_points, Path(folder))
            ours = None
            for name in (n for n in chosen.contenders if n in options.contenders):
                result = in_a_process(name, scenario, Path(folder), options.limit_s)
                ours = result if name == "ours" else ours
                print(_line(scenario, n_points, name, result, ours), flush=True)


if __name__ == "__main__":
    main()
