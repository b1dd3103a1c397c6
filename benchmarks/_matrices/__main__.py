"""Write the matrices, and a table of what they are, to a folder."""

import json
import sys
from pathlib import Path

import numpy as np

import metalwork as mw
from _matrices import DEV, SOURCES, TEST, UNKNOWN, Unavailable, WeakMatrix, load_all

_ABOUT = """# Label matrices for developing label models

`votes.npz` is read by `metalwork.LabelMatrix.load`; `gold.npy` holds end-label codes of `votes.schema` (-1: not
known); `split.npy` holds 0 train, 1 dev, 2 test; `texts.json` or `numbers.npy` the records. Gold serves scoring
only. For development score on split != 2; test rows of the data sets with a published test split are for final
figures. MV: accuracy of the hard majority vote (mean of ten tie-breaking seeds); F1 is the rarer label's.

kind: real = LFs that others wrote, or human annotators; written = real data, LFs written from names, domain rules
and general knowledge without a look at gold labels; committee = weak classifiers trained on a few records that are
left out here.
"""
_COLUMNS = (
    "name", "kind", "n", "LFs", "end labels", "tasks", "coverage %", "votes a covered row", "labels an LF",
    "one-label LFs %", "largest class %", "MV train", "MV dev", "MV test", "F1 test", "note",
)  # fmt: skip


def _scores(matrix: WeakMatrix) -> dict[str, float]:
    """Accuracy of the hard majority vote by split, the mean of ten tie-breaking seeds."""
    seeds = range(10)
    predicted = [
        mw.MajorityVote(matrix.votes.schema, random_state=s).fit(matrix.votes).predict(matrix.votes) for s in seeds
    ]
    scores = {}
    for name, part in (("train", 0), ("dev", DEV), ("test", TEST)):
        rows = (matrix.split == part) & (matrix.gold != UNKNOWN)
        if rows.any():
            scores[name] = float(np.mean([np.mean(p[rows] == matrix.gold[rows]) for p in predicted]))
    rows = (matrix.split == TEST) & (matrix.gold != UNKNOWN)
    if matrix.votes.schema.n_end_labels == 2 and rows.any():
        scores["f1"] = float(np.mean([_f1(p[rows], matrix.gold[rows]) for p in predicted]))
    return scores


def _f1(predicted: np.ndarray, gold: np.ndarray) -> float:
    """F1 of the rarer of two labels."""
    rare = int(np.bincount(gold, minlength=2).argmin())
    hit = np.sum((predicted == rare) & (gold == rare))
    return float(2 * hit / max(np.sum(predicted == rare) + np.sum(gold == rare), 1))


def _row(matrix: WeakMatrix) -> str:
    votes, codes = matrix.votes, matrix.votes.codes
    voted = codes >= 0
    covered = voted.any(axis=1)
    n_labels = np.array([len(np.unique(column[column >= 0])) for column in codes.T])
    known = matrix.gold[matrix.gold != UNKNOWN]
    scores = {key: f"{100 * value:.1f}" for key, value in _scores(matrix).items()}
    cells = [
        matrix.name, matrix.kind, votes.n_points, votes.n_lfs, votes.schema.n_end_labels, votes.schema.n_tasks,
        f"{100 * covered.mean():.0f}", f"{voted.sum(1)[covered].mean():.1f}", f"{n_labels.mean():.1f}",
        f"{100 * (n_labels == 1).mean():.0f}", f"{100 * np.bincount(known).max() / len(known):.0f}",
        *(scores.get(key, "") for key in ("train", "dev", "test", "f1")), matrix.note,
    ]  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def main(folder: str, *names: str) -> None:
    """Write every matrix that can be had; a README.md lists them."""
    root = Path(folder)
    for name, matrix in load_all(list(names) or None):
        if isinstance(matrix, Unavailable):
            print(f"{name}: skipped, {matrix}")
            continue
        target = root / name
        target.mkdir(parents=True, exist_ok=True)
        matrix.votes.save(target / "votes.npz")
        np.save(target / "gold.npy", matrix.gold.astype(np.int64))
        np.save(target / "split.npy", matrix.split.astype(np.int64))
        if matrix.texts is not None:
            (target / "texts.json").write_text(json.dumps(list(matrix.texts)), encoding="utf-8")
        if matrix.numbers is not None:
            np.save(target / "numbers.npy", matrix.numbers)
        (target / "row.md").write_text(_row(matrix) + "\n", encoding="utf-8")
        print((target / "row.md").read_text(), end="", flush=True)
    rows = "".join((root / name / "row.md").read_text() for name in SOURCES if (root / name / "row.md").exists())
    head = "| " + " | ".join(_COLUMNS) + " |\n|" + "---|" * len(_COLUMNS) + "\n"
    (root / "README.md").write_text(_ABOUT + "\n" + head + rows, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
