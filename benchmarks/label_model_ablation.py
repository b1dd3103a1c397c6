"""What each mechanism of the default label model earns: switched off one by one, on real and on simulated votes.

    python benchmarks/label_model_ablation.py                     # matrices of the data folder, simulated votes
    python benchmarks/label_model_ablation.py --matrices FOLDER   # and those that _matrices wrote
    python benchmarks/label_model_ablation.py --only DISCOUNT dev

Rows with a vote are scored. A row of the table is the change against the model as it is: accuracy in points, Brier
score and calibration error times 100, by kind of matrix, and the worst and best matrix by accuracy. "class prior"
and "50 dev labels" say what giving the truth changes: there, gold labels are used as a user would give them. "best
temperature" raises probabilities to the power that gold labels choose: what a calibration by matrix could reach.
"""

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from label_model_accuracy import score
from label_model_recovery import SCHEMAS, sample
from scipy.optimize import minimize_scalar
from scipy.special import softmax

import metalwork as mw
from metalwork.errors import MetalworkWarning

Floats = npt.NDArray[np.float64]
Patches = dict[str, Any]
METRICS = ("accuracy", "brier", "ece")
DATA = Path(os.environ.get("METALWORK_DATA") or Path(__file__).parents[2] / "shared" / "data") / "matrices"


class Matrix(NamedTuple):
    """Votes with gold end labels (-1: not known), and which group of the table they belong to."""

    name: str
    group: str
    votes: mw.LabelMatrix
    gold: npt.NDArray[np.int64]


def given(folder: Path) -> Iterator[Matrix]:
    """The matrices of the data folder."""
    for file in sorted(folder.glob("*.npz")):
        with np.load(file) as stored:
            meta = json.loads(bytes(stored["meta"]))
            tree = meta["schema"]
            schema = mw.TaskSchema.from_dict(tree) if tree else mw.TaskSchema.flat(meta["labels"])
            votes = mw.LabelMatrix(stored["codes"], schema, meta["tasks"])
            group = "raters" if file.stem.startswith("crowd") else "LFs"
            yield Matrix(file.stem, group, votes, stored["gold"].astype(np.int64))


def written(folder: Path) -> Iterator[Matrix]:
    """Those that ``python -m _matrices FOLDER`` wrote."""
    for part in sorted(folder.iterdir()):
        if (part / "votes.npz").exists() and (part / "row.md").exists():
            votes = mw.LabelMatrix.load(part / "votes.npz")
            yield Matrix(part.name, "more", votes, np.load(part / "gold.npy").astype(np.int64))


def simulated() -> Iterator[Matrix]:
    """Independent LFs, a tree each and two sizes."""
    for name, schema in SCHEMAS.items():
        for n_points in (1_000, 10_000):
            found = sample(schema, n_points, 0)
            yield Matrix(f"{name}, {n_points:,}", "simulated", found.votes, found.y)


@contextmanager
def patched(patches: Patches) -> Iterator[None]:
    """Names of the label models' modules set to other values."""
    kept = []
    for name, module in list(sys.modules.items()):
        if name.startswith("metalwork.label_models"):
            for what, value in patches.items():
                if hasattr(module, what):
                    kept.append((module, what, getattr(module, what)))
                    setattr(module, what, value)
    try:
        yield
    finally:
        for module, what, value in kept:
            setattr(module, what, value)


def switches() -> dict[str, tuple[Patches, dict[str, Any]]]:
    """By name: what is patched, and the arguments of the model."""
    return {
        "as it is": ({}, {}),
        "kind: rules": ({}, {"kind": "rules"}),
        "uniform balance": ({"_balance": lambda stats, priors: list(priors.log_share)}, {}),
        "UNIFORM 0": ({"UNIFORM": 0.0}, {}),
        "DISCOUNT 0": ({"DISCOUNT": 0.0}, {}),
        "strength 50": ({}, {"strength": 50.0}),
        "no confusions": ({"ONE_SIDED": 0.0}, {}),
        "CORRELATION 0": ({"CORRELATION": 0.0}, {}),
        "POOLING 10": ({"POOLING": 10.0}, {}),
        "class prior": ({}, {}),
        "50 dev labels": ({}, {}),
        "best temperature": ({}, {}),
    }


def known(name: str, matrix: Matrix) -> dict[str, Any]:
    """What ``fit`` is told beside the votes."""
    rows = np.flatnonzero(matrix.gold >= 0)
    if name == "class prior":
        counts = np.bincount(matrix.gold[rows], minlength=matrix.votes.schema.n_end_labels)
        return {"class_prior": counts / counts.sum()}
    if name == "50 dev labels":
        few = np.sort(np.random.default_rng(0).choice(rows, min(50, len(rows)), replace=False))
        return {"dev": (matrix.votes.rows(few), matrix.gold[few])}
    return {}


def best_power(proba: Floats, gold: npt.NDArray[np.int64]) -> Floats:
    """Probabilities raised to the power that makes their Brier score least, and normalised."""

    def raised(log_power: float) -> Floats:
        powered: Floats = softmax(np.exp(log_power) * np.log(np.maximum(proba, 1e-12)), axis=1)
        return powered

    def brier(log_power: float) -> float:
        return float(score(raised(log_power), gold)["brier"])

    return raised(minimize_scalar(brier, bounds=(-2.0, 2.0), method="bounded").x)


def figures(matrix: Matrix, name: str) -> Floats:
    """Accuracy, Brier score and calibration error, times 100, on rows with a vote."""
    patches, arguments = switches()[name]
    rows = np.flatnonzero((matrix.votes.codes >= 0).any(axis=1) & (matrix.gold >= 0))
    with patched(patches), warnings.catch_warnings():
        warnings.simplefilter("ignore", MetalworkWarning)
        model = mw.HierarchicalLabelModel(matrix.votes.schema, **arguments)
        model.fit(matrix.votes, **known(name, matrix))
        proba = model.predict_proba(matrix.votes).end[rows]
    if name == "best temperature":
        proba = best_power(proba, matrix.gold[rows])
    found = score(proba, matrix.gold[rows])
    return 100.0 * np.array([found[metric] for metric in METRICS])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--matrices", type=Path, help="folder that python -m _matrices wrote")
    parser.add_argument("--only", nargs="+", metavar="SWITCH", help="parts of the names of switches")
    asked = parser.parse_args()
    sources: list[Callable[[], Iterator[Matrix]]] = [lambda: given(DATA), simulated]
    if asked.matrices is not None:
        sources.append(lambda: written(asked.matrices))
    matrices = [matrix for source in sources for matrix in source()]
    groups = list(dict.fromkeys(matrix.group for matrix in matrices))
    wanted = [name for name in switches() if not asked.only or any(part in name for part in asked.only)]
    print(f"| | {' | '.join(f'{group}: accuracy, Brier, ECE' for group in groups)} | worst | best |")
    print("|---" * (len(groups) + 3) + "|")
    base = np.array([figures(matrix, "as it is") for matrix in matrices])
    for name in ["as it is", *(name for name in wanted if name != "as it is")]:
        found = base if name == "as it is" else np.array([figures(matrix, name) for matrix in matrices]) - base
        cells = []
        for group in groups:
            mean = found[[matrix.group == group for matrix in matrices]].mean(axis=0)
            cells.append(", ".join(f"{value:.1f}" if name == "as it is" else f"{value:+.2f}" for value in mean))
        order = np.argsort(found[:, 0])
        ends = [
            f"{matrices[i].name} {found[i, 0]:+.1f}" if name != "as it is" else "" for i in (order[0], order[-1])
        ]
        print(f"| {name} | {' | '.join(cells)} | {' | '.join(ends)} |", flush=True)


if __name__ == "__main__":
    main()
