"""Does the default label model beat the hard vote on halves of label matrices that nobody looked at?

    python benchmarks/label_model_halves.py --matrices FOLDER     # what `python -m _matrices FOLDER` wrote

Of each matrix with up to 100 end labels, half of the labeling functions (of ten or more) on half of the train and
dev rows, drawn by a fixed seed, twice. The model is fitted to a half alone, without labels, and scored on its
records with a vote; the hard vote's ties count as shares of a hit. Takes a minute or two.
"""

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from label_model_accuracy import score

import metalwork as mw
from metalwork.errors import MetalworkWarning

_MOST_LABELS, _FEW_LFS, _LEAST_ROWS = 100, 10, 50
_TIES = 20
Codes = npt.NDArray[np.int64]


def halves(folder: Path, seeds: range) -> Iterator[tuple[mw.LabelMatrix, Codes]]:
    """Votes and gold labels of halves of one matrix, records without a vote left out of neither."""
    votes = mw.LabelMatrix.load(folder / "votes.npz")
    gold, split = np.load(folder / "gold.npy"), np.load(folder / "split.npy")
    scored = np.flatnonzero((split != 2) & (gold >= 0))
    for seed in seeds if votes.schema.n_end_labels <= _MOST_LABELS else ():
        rng = np.random.default_rng(seed)
        n_rows = min(len(scored), max(_LEAST_ROWS, len(scored) // 2))
        rows = np.sort(rng.choice(scored, n_rows, replace=False))
        n_lfs = votes.n_lfs // 2 if votes.n_lfs >= _FEW_LFS else votes.n_lfs
        lfs = np.sort(rng.choice(votes.n_lfs, n_lfs, replace=False))
        yield votes.lfs(lfs).rows(rows), gold[rows]


def gap(votes: mw.LabelMatrix, gold: Codes) -> float:
    """Points of accuracy above the hard vote on records with a vote."""
    voted = (votes.codes != mw.ABSTAIN).any(axis=1)
    hard = [mw.MajorityVote(votes.schema, random_state=seed).fit(votes).predict(votes) for seed in range(_TIES)]
    ours = mw.HierarchicalLabelModel(votes.schema).fit(votes).predict_proba(votes).end
    of_hard = np.mean([label[voted] == gold[voted] for label in hard])
    return float(100.0 * (score(ours[voted], gold[voted])["accuracy"] - of_hard))


def main() -> None:
    """Print the mean gap, its spread, and how often it is below half a point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--matrices", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    warnings.simplefilter("ignore", MetalworkWarning)
    folders = sorted(path.parent for path in options.matrices.glob("*/votes.npz"))
    gaps = np.array([gap(*half) for folder in folders for half in halves(folder, range(options.seeds))])
    print("| halves | mean gap | median | worst tenth | below -0.5 |\n|---|---|---|---|---|")
    shown = f"{gaps.mean():+.2f} | {np.median(gaps):+.2f} | {np.percentile(gaps, 10):+.2f} | {(gaps < -0.5).sum()}"
    print(f"| {len(gaps)} | {shown} |")


if __name__ == "__main__":
    main()
