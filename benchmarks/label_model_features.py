"""What reading the records adds to the default label model, on real label matrices whose records are known.

    python benchmarks/label_model_features.py                              # every matrix that can be made here
    python benchmarks/label_model_features.py --matrices FOLDER --only trec sms

Both models see all rows of a matrix, no gold label and no class balance. Accuracy (a tie is a share of a hit) and
Brier score (0..2, here times 100) on rows with a vote and on all rows, by the votes alone and with features: word
counts of texts, or numbers; ``weight`` is what the model measured them to be worth; seconds of both. FOLDER is
what ``python -m _matrices FOLDER`` wrote; ``METALWORK_DATA/matrices/*.npz`` are scored too, where they have texts.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from label_model_accuracy import score

import metalwork as mw

Codes = npt.NDArray[np.int64]


class Read(NamedTuple):
    """A label matrix with the records that LFs voted on, texts or numbers, and gold end labels (-1: not known)."""

    name: str
    votes: mw.LabelMatrix
    gold: Codes
    records: Any


def made(root: Path) -> Iterator[Read]:
    """The matrices that ``python -m _matrices`` wrote to a folder, if it wrote their records."""
    for path in [*sorted(root.glob("*/texts.json")), *sorted(root.glob("*/numbers.npy"))]:
        votes, gold = mw.LabelMatrix.load(path.parent / "votes.npz"), np.load(path.parent / "gold.npy")
        records = np.load(path) if path.suffix == ".npy" else json.loads(path.read_text(encoding="utf-8"))
        yield Read(path.parent.name, votes, gold, records)


def given(folder: Path) -> Iterator[Read]:
    """Matrices as one file each, if their records are texts."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as stored:
            if "texts" not in stored.files:
                continue
            meta = json.loads(bytes(stored["meta"]))
            texts = json.loads(gzip.decompress(bytes(stored["texts"])))
            codes, gold = stored["codes"], stored["gold"].astype(np.int64)
        tree = meta["schema"]
        flat = [str(label) for label in meta["labels"]]
        schema = mw.TaskSchema.from_dict(tree) if tree else mw.TaskSchema.flat(flat)
        yield Read(path.stem, mw.LabelMatrix(codes, schema, meta["tasks"]), gold, texts)


def figures(data: Read) -> tuple[list[float], float]:
    """Accuracy covered before, after, all before, after; the same of Brier; seconds; and the weight."""
    covered, known = (data.votes.codes != mw.ABSTAIN).any(axis=1), data.gold >= 0
    start = time.perf_counter()
    alone = mw.HierarchicalLabelModel(data.votes.schema).fit(data.votes)
    before = alone.predict_proba(data.votes).end
    middle = time.perf_counter()
    model = mw.FeatureAwareLabelModel(data.votes.schema).fit(data.votes, features=data.records)
    after = model.predict_proba(data.votes, features=data.records).end
    seconds = [middle - start, time.perf_counter() - middle]
    scores = [score(end[rows], data.gold[rows]) for rows in (covered & known, known) for end in (before, after)]
    shares = [100 * found[metric] for metric in ("accuracy", "brier") for found in scores]
    return [*shares, *seconds], float(model.feature_model_["weight"][0])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--matrices", type=Path, help="folder that `python -m _matrices FOLDER` wrote")
    parser.add_argument("--only", nargs="+", help="names of matrices")
    return parser.parse_args()


def main() -> None:
    """Print the table as it grows, then means and the worst losses."""
    options = _arguments()
    root = options.matrices
    if root is None:
        root = Path(tempfile.mkdtemp(prefix="label-matrices-"))
        command = [sys.executable, "-m", "_matrices", str(root), *(options.only or [])]
        subprocess.run(command, cwd=Path(__file__).parent, check=True, stdout=sys.stderr)
    found = {data.name: data for data in made(root)}
    found |= {data.name: data for data in given(Path(os.environ.get("METALWORK_DATA", "")) / "matrices")}
    print("| | covered | with | all rows | with | Brier covered | with | all | with | weight | s | with |")
    print("|---" * 12 + "|")
    rows = []
    for name, data in found.items():
        if options.only and name not in options.only:
            continue
        row, weight = figures(data)
        rows.append(row)
        shown = " | ".join(f"{value:.1f}" for value in row[:8])
        print(f"| {name} | {shown} | {weight:g} | {row[8]:.1f} | {row[9]:.1f} |", flush=True)
    table = np.array(rows)
    print("| **mean** | " + " | ".join(f"**{value:.1f}**" for value in table.mean(axis=0)[:8]) + " | | | |")
    worst = [float((table[:, after] - table[:, after - 1]).min()) for after in (1, 3)]
    print(f"\nworst: {worst[0]:+.1f} on covered rows, {worst[1]:+.1f} on all rows")


if __name__ == "__main__":
    main()
