"""Raters: ours beside crowd-kit's models on crowd workers' answers.

    python benchmarks/label_model_raters.py FOLDER             # every crowd_*.npz of the folder
    python benchmarks/label_model_raters.py FOLDER --only crowd_ms crowd_web --contenders raters Dawid-Skene
    python benchmarks/label_model_raters.py --simulated        # 4,000 workers, 20,000 records, 5 answers each

A file has ``codes`` (n_points, n_workers), -1 where a worker was not asked, ``gold`` (n_points,), -1 where the
label is not known, and ``meta``, JSON bytes with ``labels``. A folder with ``votes.npz`` and ``gold.npy``, as
``python -m _matrices`` writes them, will do as well. Accuracy in % on records with an answer and a known label, a
tie counting as a share of a hit, and after it the seconds of fit and predict. Nobody sees gold. "auto" is the
default model; the kind that it chose is named.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from _peers import PEERS, quiet

import metalwork as mw

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
_PEERS = ("Dawid-Skene", "GLAD", "MACE")


class Crowd(NamedTuple):
    """Answers and gold labels, -1 where they are not known."""

    name: str
    votes: mw.LabelMatrix
    gold: Codes


def read(folder: Path, only: list[str]) -> Iterator[Crowd]:
    """The crowds of a folder, by name."""
    for path in sorted(folder.glob("*crowd_*")):
        name = path.stem
        if only and name not in only:
            continue
        if path.is_dir():
            yield Crowd(name, mw.LabelMatrix.load(path / "votes.npz"), np.load(path / "gold.npy"))
        elif path.suffix == ".npz":
            with np.load(path) as found:
                labels = json.loads(bytes(found["meta"]))["labels"]
                schema = mw.TaskSchema.flat([str(label) for label in labels])
                yield Crowd(name, mw.LabelMatrix(found["codes"], schema), found["gold"].astype(np.int64))


def simulated(n_workers: int = 4_000, n_points: int = 20_000, n_answers: int = 5) -> Crowd:
    """Workers of unlike accuracy, 75 % on average, on two labels."""
    rng = np.random.default_rng(0)
    gold = rng.integers(2, size=n_points)
    skill = rng.beta(6, 2, n_workers)
    codes = np.full((n_points, n_workers), -1, np.int8)
    for row in codes:
        row[rng.choice(n_workers, n_answers, replace=False)] = 0
    point, worker = np.nonzero(codes >= 0)
    codes[point, worker] = np.where(rng.random(len(point)) < skill[worker], gold[point], 1 - gold[point])
    return Crowd("simulated", mw.LabelMatrix(codes, mw.TaskSchema.flat(["no", "yes"])), gold)


def ours(kind: str) -> Callable[[mw.LabelMatrix], tuple[Floats, str]]:
    """Our model of one kind: probabilities, and the kind that it took."""

    def run(votes: mw.LabelMatrix) -> tuple[Floats, str]:
        model = mw.HierarchicalLabelModel(votes.schema, kind=kind).fit(votes)
        return model.predict_proba(votes).end, f" {model.kind_}" if kind == "auto" else ""

    return run


def hard(votes: mw.LabelMatrix) -> tuple[Floats, str]:
    """Shares of votes, whose highest are the hard vote's, a tie shared."""
    return mw.MajorityVote(votes.schema, mode="soft").fit(votes).predict_proba(votes).end, ""


def theirs(name: str) -> Callable[[mw.LabelMatrix], tuple[Floats, str]]:
    """A model of crowd-kit."""
    peer = next(peer for peer in PEERS if peer.name == name)
    return lambda votes: (peer.run(votes, 0), "")


def accuracy(end: Floats, crowd: Crowd) -> float:
    """In % of the records with an answer and a known label; a tie is a share of a hit."""
    rows = np.flatnonzero((crowd.gold >= 0) & (crowd.votes.codes >= 0).any(axis=1))
    top = end[rows] >= end[rows].max(axis=1, keepdims=True) - 1e-9
    return 100 * float((top[np.arange(len(rows)), crowd.gold[rows]] / top.sum(axis=1)).mean())


def main() -> None:
    """Print a Markdown table, a row a crowd."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--contenders", nargs="*", default=["hard vote", "auto", "raters", *_PEERS])
    parser.add_argument("--simulated", action="store_true")
    options = parser.parse_args()
    if options.folder is None and not options.simulated:
        parser.error("a folder, or --simulated")
    quiet(0)
    warnings.simplefilter("ignore")
    runs = {"hard vote": hard, "auto": ours("auto"), "raters": ours("raters"), **{n: theirs(n) for n in _PEERS}}
    contenders = [name for name in runs if name in options.contenders]
    print("| | " + " | ".join(contenders) + " |\n|---" + "|---" * len(contenders) + "|")
    crowds = [simulated()] if options.simulated else read(options.folder, options.only)
    found: list[list[float]] = []
    for crowd in crowds:
        cells, figures = [], []
        for name in contenders:
            start = time.perf_counter()
            end, chosen = runs[name](crowd.votes)
            seconds = time.perf_counter() - start
            figures.append(accuracy(end, crowd))
            cells.append(f"{figures[-1]:.1f} ({seconds:.1f} s{chosen})")
        found.append(figures)
        print(f"| {crowd.name} | " + " | ".join(cells) + " |", flush=True)
    print("| mean | " + " | ".join(f"{mean:.1f}" for mean in np.mean(found, axis=0)) + " |")


if __name__ == "__main__":
    main()
