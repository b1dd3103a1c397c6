"""Votes beyond labels on simulated data: soft votes, sets of labels, and what they add to plain votes.

    python benchmarks/label_model_beyond.py            # 10,000 records, 5 data sets a row; about a minute
    python benchmarks/label_model_beyond.py --rows 2000 --seeds 2

- Soft: five classifiers see the label in Gaussian noise, each on 70 % of the records, and give probabilities. They
  are calibrated, or too sure (log odds twice what they ought to be), or too timid (half). Compared are the mean of
  the probabilities, the default model on the classifiers' top labels and on their soft votes, and the best guess
  that knows the noise.
- Sets: three plain LFs and four that vote for sets, on half of the records each; 60 to 90 % of the votes know the
  label. Compared are the hard vote on all, the default model on the plain LFs and on all, and the best guess that
  knows the LFs.

Accuracy in % on all records, a tie of the best guess counting as a share; a mean over data sets.
"""

import argparse
import warnings
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

import metalwork as mw
from metalwork.errors import MetalworkWarning

Floats = npt.NDArray[np.float64]
NAN = np.nan
_CLASSIFIERS, _SEEN = 5, 0.7
TEMPERATURES = {"calibrated": 1.0, "too sure": 0.5, "too timid": 2.0}
SETS = ("not one label", "pairs", "not one label, always the same")


def softmax(log_weights: Floats) -> Floats:
    """Rows that sum to 1."""
    found: Floats = np.exp(log_weights - np.logaddexp.reduce(log_weights, axis=1, keepdims=True))
    return found


def soft_row(seed: int, k: int, temperature: float, n_points: int) -> list[float]:
    """Accuracies: mean probability, top labels, soft votes, best guess."""
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n_points)
    total, said = np.zeros((n_points, k)), []
    for _ in range(_CLASSIFIERS):
        strength = rng.uniform(1, 2)
        evidence = strength * (strength * np.eye(k)[y] + rng.normal(size=(n_points, k)))
        seen = rng.random(n_points) < _SEEN
        total[seen] += evidence[seen]
        said.append(np.where(seen[:, None], softmax(evidence / temperature), NAN))
    schema = mw.TaskSchema.flat([f"l{c}" for c in range(k)])
    top = [np.where(np.isnan(p[:, 0]), -1, np.nan_to_num(p).argmax(axis=1)) for p in said]
    mean = np.mean([np.where(np.isnan(p), 1 / k, p) for p in said], axis=0)
    models = [mw.LabelMatrix(np.stack(top, axis=1), schema), mw.LabelMatrix.from_soft(said, schema)]
    return [accuracy(mean, y), *(fitted(votes, y) for votes in models), accuracy(total, y)]


def members(kind: str, k: int, rng: np.random.Generator) -> Floats:
    """The sets that one LF votes for: (n_outcomes, n_labels)."""
    if kind == "pairs":
        return np.array([[float(c in pair) for c in range(k)] for pair in combinations(range(k), 2)])
    if kind == "not one label":
        return 1.0 - np.eye(k)
    return 1.0 - np.eye(k)[[int(rng.integers(k))]]


def set_row(seed: int, k: int, kind: str, n_points: int) -> list[float]:
    """Accuracies: hard vote, default model on the plain LFs, on all, best guess."""
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n_points)
    total, columns, outcomes = np.zeros((n_points, k)), [], {}
    for j, rows in enumerate([np.eye(k)] * 3 + [members(kind, k, rng) for _ in range(4)]):
        known = rng.uniform(0.6, 0.9)
        table = 0.5 * (known * rows.T / rows.sum(axis=0).max() + (1 - known) / len(rows) / 2)
        table = np.append(table, 1 - table.sum(axis=1, keepdims=True), axis=1)
        code = (rng.random(n_points)[:, None] > table.cumsum(axis=1)[y, :-1]).sum(axis=1)
        total += np.log(table[:, code]).T
        columns.append(np.where(code == len(rows), mw.ABSTAIN, code))
        outcomes[f"lf_{j}"] = np.append(rows, np.full((len(rows), 1), NAN), axis=1)
    schema = mw.TaskSchema.flat([f"l{c}" for c in range(k)])
    votes = mw.LabelMatrix(np.stack(columns, axis=1), schema, outcomes=outcomes)
    hard = mw.MajorityVote(schema).fit(votes).score(votes, y)
    return [hard, fitted(votes.lfs([0, 1, 2]), y), fitted(votes, y), accuracy(total, y)]


def fitted(votes: mw.LabelMatrix, y: npt.NDArray[np.int64]) -> float:
    """Accuracy of the default model."""
    return mw.HierarchicalLabelModel(votes.schema).fit(votes).score(votes, y)


def accuracy(weights: Floats, y: npt.NDArray[Any]) -> float:
    """Share of rows whose highest weight is the label's; a tie is a share of a hit."""
    top = weights >= weights.max(axis=1, keepdims=True) - 1e-9
    return float(np.mean(top[np.arange(len(y)), y] / top.sum(axis=1)))


def _line(cells: list[Any], rows: list[list[float]]) -> str:
    return "| " + " | ".join([*map(str, cells), *(f"{100 * x:.1f}" for x in np.mean(rows, axis=0))]) + " |"


def main() -> None:
    """Print the two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore", MetalworkWarning)
    print("| labels | classifiers | mean probability | top labels | soft votes | best guess |\n|" + "---|" * 6)
    for k in (2, 3, 5, 10, 20):
        for name, temperature in TEMPERATURES.items():
            rows = [soft_row(seed, k, temperature, options.rows) for seed in range(options.seeds)]
            print(_line([k, name], rows), flush=True)
    print("\n| labels | sets | hard vote | plain LFs alone | with sets | best guess |\n|" + "---|" * 6)
    for k in (4, 8):
        for kind in SETS:
            rows = [set_row(seed, k, kind, options.rows) for seed in range(options.seeds)]
            print(_line([k, kind], rows), flush=True)


if __name__ == "__main__":
    main()
