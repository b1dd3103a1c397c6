"""Accuracy and calibration of label models on real label matrices.

    python benchmarks/label_model_accuracy.py                 # every matrix that can be made here, every model
    python benchmarks/label_model_accuracy.py --only trec sms --contenders hierarchical HyperLM
    python benchmarks/label_model_accuracy.py --rows test     # final figures; the default scores train + dev rows

Every model is fitted on all rows of a matrix without a gold label or a class balance, at its default settings, and
scored on the rows asked for. Accuracy counts a tie for the highest probability as a share of a hit, so that the
order of the labels favours nobody. Brier score: mean over rows of the squared distance to the gold label's
indicator (0..2). ECE: expected calibration error of the highest probability in 15 bins of equal width. Each fit
runs in a process of its own under a time and a memory limit; one that fails counts as the hard majority vote in
the means, and its cell says why.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from _peers import PEERS, quiet

import metalwork as mw

HARD = "hard vote"
OURS = {HARD: 10, "soft vote": 1, "log-linear": 1, "hierarchical": 1}
METRICS = ("accuracy", "brier", "ece")
ROWS = {"dev": (0, 1), "test": (2,), "all": (0, 1, 2)}
Floats = npt.NDArray[np.float64]
Results = dict[str, dict[str, dict[str, Any]]]


def score(proba: Floats, gold: npt.NDArray[np.int64]) -> dict[str, float]:
    """Accuracy, Brier score and calibration error of ``proba`` (n_points, n_labels)."""
    best = proba.max(axis=1)
    top = proba >= best[:, None] - 1e-12
    hit = top[np.arange(len(gold)), gold] / top.sum(axis=1)
    right = proba[np.arange(len(gold)), gold]
    brier = (proba**2).sum(axis=1) - 2 * right + 1
    bins = np.minimum((best * 15).astype(np.int64), 14)
    gap = np.bincount(bins, hit - best, minlength=15)
    return {
        "accuracy": float(hit.mean()),
        "brier": float(brier.mean()),
        "ece": float(np.abs(gap).sum() / len(gold)),
    }


def _predict(name: str, votes: mw.LabelMatrix, seed: int) -> Floats:
    """End-label probabilities of one contender, fitted on the same votes."""
    models = {
        HARD: lambda: mw.MajorityVote(votes.schema, random_state=seed),
        "soft vote": lambda: mw.MajorityVote(votes.schema, mode="soft"),
        "log-linear": lambda: mw.LogLinearLabelModel(votes.schema),
        "hierarchical": lambda: mw.HierarchicalLabelModel(votes.schema),
    }
    if name in models:
        return np.asarray(models[name]().fit(votes).predict_proba(votes).end, dtype=np.float64)
    quiet(seed)
    return next(peer.run(votes, seed) for peer in PEERS if peer.name == name)


def work(name: str, folder: Path, seeds: int) -> dict[str, Any]:
    """Means over seeds of the scores by split, and the seconds of one fit and prediction."""
    votes = mw.LabelMatrix.load(folder / "votes.npz")
    gold, split = np.load(folder / "gold.npy"), np.load(folder / "split.npy")
    runs, seconds = [], []
    for seed in range(seeds):
        start = time.perf_counter()
        proba = _predict(name, votes, seed)
        seconds.append(time.perf_counter() - start)
        keep = {rows: np.isin(split, parts) & (gold >= 0) for rows, parts in ROWS.items()}
        runs.append({rows: score(proba[k], gold[k]) for rows, k in keep.items() if k.any()})
    means: dict[str, Any] = {
        rows: {m: float(np.mean([run[rows][m] for run in runs])) for m in METRICS} for rows in runs[0]
    }
    for rows in runs[0]:
        means[rows]["spread"] = float(np.std([run[rows]["accuracy"] for run in runs]))
    return {**means, "seconds": float(np.median(seconds))}


def in_a_process(name: str, folder: Path, limit_s: float, limit_gb: float) -> dict[str, Any]:
    """``work`` in a process of its own; {"skipped": why} where it does not come back."""
    command = [sys.executable, __file__, "--worker", name, str(folder)]
    cap = int(limit_gb * 2**30)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit_s, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (cap, cap)),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"skipped": f"over {limit_s:.0f} s"}
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["killed"])[-1]
        memory = any(word in done.stderr for word in ("MemoryError", "allocate memory")) or done.returncode < 0
        return {"skipped": "memory" if memory else last[:100]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def contenders(asked: list[str] | None) -> list[str]:
    """Names of those asked for that are installed; says which are not."""
    names = []
    for name in asked or [*OURS, *(peer.name for peer in PEERS)]:
        peer = next((peer for peer in PEERS if peer.name == name), None)
        if peer is not None and find_spec(peer.module) is None:
            print(f"{name}: skipped, {peer.module} is not installed", file=sys.stderr)
        else:
            names.append(name)
    return names


def _cells(results: Results, matrix: str, names: list[str], rows: str, metric: str) -> list[float]:
    """One figure a contender; the hard vote's where it has none."""
    base = results[matrix][HARD][rows][metric]
    return [results[matrix].get(n, {}).get(rows, {}).get(metric, base) for n in names]


def table(results: Results, names: list[str], rows: str, metric: str, scale: float = 100.0) -> str:
    """Markdown: matrices down, contenders across, means and the gap to the hard vote below."""
    shown = [m for m in results if rows in results[m].get(HARD, {})]
    lines = [f"| {metric} ({rows} rows) | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    block = []
    for matrix in shown:
        figures = _cells(results, matrix, names, rows, metric)
        block.append(figures)
        text = [
            f"{scale * v:.1f}"
            if rows in results[matrix].get(n, {})
            else f"({results[matrix].get(n, {}).get('skipped', 'not run')})"
            for n, v in zip(names, figures, strict=True)
        ]
        lines.append(f"| {matrix} | " + " | ".join(text) + " |")
    means = np.array(block).mean(axis=0)
    lines.append("| **mean** | " + " | ".join(f"**{scale * v:.1f}**" for v in means) + " |")
    gap = np.array(block) - np.array(block)[:, [names.index(HARD)]]
    lines.append(
        "| mean gap to the hard vote | " + " | ".join(f"{scale * v:+.1f}" for v in gap.mean(axis=0)) + " |"
    )
    lines.append(
        "| worst gap to the hard vote | " + " | ".join(f"{scale * v:+.1f}" for v in gap.min(axis=0)) + " |"
    )
    return "\n".join(lines)


def seconds_table(results: Results, names: list[str]) -> str:
    """Markdown: median seconds of fit and prediction, summed over the matrices a contender finished."""
    lines = ["| contender | matrices | seconds in all | slowest |", "|---|---|---|---|"]
    for name in names:
        taken = [r[name]["seconds"] for r in results.values() if "seconds" in r.get(name, {})]
        lines.append(f"| {name} | {len(taken)} | {sum(taken):.1f} | {max(taken, default=0):.1f} |")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--matrices", type=Path, help="folder that `python -m _matrices FOLDER` wrote; made anew if left out"
    )
    parser.add_argument("--only", nargs="+", help="names of matrices")
    parser.add_argument("--contenders", nargs="+", help="names of label models")
    parser.add_argument("--rows", choices=list(ROWS), default="dev")
    parser.add_argument(
        "--cache", type=Path, help="JSON file whose peer results are reused, and to which all are written"
    )
    parser.add_argument("--limit-s", type=float, default=300.0, help="seconds a fit may take, all seeds together")
    parser.add_argument("--limit-gb", type=float, default=8.0)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def _matrix_folders(root: Path | None, only: list[str] | None) -> list[Path]:
    if root is None:
        root = Path(tempfile.mkdtemp(prefix="label-matrices-"))
        subprocess.run(
            [sys.executable, "-m", "_matrices", str(root), *(only or [])], cwd=Path(__file__).parent, check=True
        )
    found = sorted(path.parent for path in root.glob("*/votes.npz"))
    return [path for path in found if only is None or path.name in only]


def main() -> None:
    """Run, print the tables, keep the results."""
    options = _arguments()
    if options.worker:
        name, folder = options.worker
        seeds = {**OURS, **{peer.name: peer.seeds for peer in PEERS}}[name]
        print(json.dumps(work(name, Path(folder), seeds)))
        return
    results: Results = json.loads(options.cache.read_text()) if options.cache and options.cache.exists() else {}
    names = contenders(options.contenders)
    names = names if HARD in names else [HARD, *names]
    folders = _matrix_folders(options.matrices, options.only)
    for name in names:
        for folder in folders:
            row = results.setdefault(folder.name, {})
            if name in row and name not in OURS:
                continue
            row[name] = in_a_process(name, folder, options.limit_s, options.limit_gb)
            print(folder.name, name, row[name], file=sys.stderr, flush=True)
            if options.cache:
                options.cache.write_text(json.dumps(results, indent=1, sort_keys=True))
    wanted = {folder.name: results[folder.name] for folder in folders}
    for metric in METRICS:
        print(table(wanted, names, options.rows, metric), end="\n\n")
    print(seconds_table(wanted, names))


if __name__ == "__main__":
    main()
