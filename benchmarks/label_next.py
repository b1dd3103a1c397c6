"""Fifty labels for dev, drawn by ``suggest_to_label``, against fifty random ones.

    METALWORK_DATA=... python benchmarks/label_next.py                     # all sets, ten seeds
    METALWORK_DATA=... python benchmarks/label_next.py --only trec --seeds 2 --end-seeds 0

Each way of choosing labels 50 records of known label among those that are not test. The default label model is
fitted on all votes with these as dev labels; its accuracy on the test records is compared, in %, and that of a
linear end model on TF-IDF that it taught, for which dev labels choose the epoch (``--end-seeds`` of the seeds).
*error alone* leaves out that rare labels are raised, *rare alone* the chance of error; *least certain* takes the
smallest margins of the label model. OpenI has gold for few records: half of its test records are judged, the
other half and dev may be labeled.
"""

import argparse
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from _inspected import Part, inspect_texts, silent_lfs
from _matrices import SOURCES, TEST, WeakMatrix

import metalwork as mw
from metalwork.suggestions import suggest_to_label
from metalwork.suggestions._material import material_of

Codes = npt.NDArray[np.int64]
Choice = Callable[[Any, Codes, int], Codes]
SETS = ("openi", "trec", "reuters_topics", "youtube", "clinc_banking", "clinc_tree")
N_LABELS = 50


def at_random(inspection: Any, allowed: Codes, seed: int) -> Codes:
    """Any records."""
    return np.random.default_rng(seed).permutation(allowed)[:N_LABELS]


def suggested(inspection: Any, allowed: Codes, seed: int) -> Codes:
    """Those that the suggestions draw first among the records whose labels are known."""
    drawn = suggest_to_label(inspection, n=inspection.n_points("train"), random_state=seed)
    rows = np.array([one.row for one in drawn])
    return rows[np.isin(rows, allowed)][:N_LABELS]


def least_certain(inspection: Any, allowed: Codes, seed: int) -> Codes:
    """The smallest margins of the label model; ties at random."""
    material = material_of(inspection)
    top = np.partition(material.posterior[allowed], -2, axis=1)
    noise = 1e-6 * np.random.default_rng(seed).random(len(allowed))
    return allowed[np.argsort(top[:, -1] - top[:, -2] + noise, kind="stable")[:N_LABELS]]


def error_alone(inspection: Any, allowed: Codes, seed: int) -> Codes:
    """By the chance of error."""
    return _drawn(1.0 - material_of(inspection).read.max(axis=1), allowed, seed)


def rare_alone(inspection: Any, allowed: Codes, seed: int) -> Codes:
    """By how rare the most probable label is."""
    label = material_of(inspection).read.argmax(axis=1)
    return _drawn(1.0 / np.sqrt(np.bincount(label)[label]), allowed, seed)


def _drawn(weight: npt.NDArray[Any], allowed: Codes, seed: int) -> Codes:
    shares = weight[allowed] + 1e-12
    return np.random.default_rng(seed).choice(allowed, N_LABELS, replace=False, p=shares / shares.sum())


WAYS: dict[str, Choice] = {
    "random": at_random,
    "suggested": suggested,
    "error alone": error_alone,
    "rare alone": rare_alone,
    "least certain": least_certain,
}


def split(matrix: WeakMatrix, seed: int) -> tuple[Codes, Codes, Codes]:
    """Rows to fit on, which of those may be labeled (positions), and rows to judge."""
    known, test = matrix.gold >= 0, matrix.split == TEST
    judged = np.flatnonzero(known & test)
    if not (known & (matrix.split == 0)).any():
        judged = np.sort(np.random.default_rng(seed).permutation(judged)[: len(judged) // 2])
    fitted = np.setdiff1d(np.arange(len(known)), judged)
    return fitted, np.flatnonzero(known[fitted]), judged


def trial(matrix: WeakMatrix, seed: int, with_end: bool) -> npt.NDArray[np.float64]:
    """Accuracies in % of label model and end model (2, n_ways)."""
    schema, texts = matrix.votes.schema, matrix.texts
    assert texts is not None
    fitted, allowed, judged = split(matrix, seed)
    votes, test = matrix.votes.rows(fitted), matrix.votes.rows(judged)
    gold, own = matrix.gold[judged], [texts[row] for row in fitted]
    first = mw.HierarchicalLabelModel(schema).fit(votes)
    inspection = inspect_texts(schema, silent_lfs(votes), Part(own, votes), model=first)
    words = mw.TfIdf(min_df=3).fit(own) if with_end else None
    found = np.full((2, len(WAYS)), np.nan)
    for number, way in enumerate(WAYS.values()):
        rows = way(inspection, allowed, seed)
        labels = matrix.gold[fitted[rows]]
        model = mw.HierarchicalLabelModel(schema).fit(votes, dev=(votes.rows(rows), labels))
        found[0, number] = 100 * np.mean(model.predict(test) == gold)
        if words is not None:
            inputs, probs = words.transform(own), model.predict_proba(votes)
            voted = np.flatnonzero((votes.codes >= 0).any(axis=1))
            end = mw.EndModel(schema, architecture="linear", random_state=seed)
            end.fit(inputs[voted], probs.rows(voted), dev=(inputs[rows], labels))
            found[1, number] = 100 * np.mean(end.predict(words.transform([texts[row] for row in judged])) == gold)
    return found


def main() -> None:
    """Print a row for each data set and model as it is done; ± is of the difference from random labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=SETS)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--end-seeds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| data | model | " + " | ".join(WAYS) + " |\n|" + "---|" * (2 + len(WAYS)))
    for name in options.only:
        matrix = SOURCES[name]()
        trials = [trial(matrix, seed, seed < options.end_seeds) for seed in range(options.seeds)]
        for m, (model, n) in enumerate((("label", options.seeds), ("end", options.end_seeds))):
            table = np.array([found[m] for found in trials[:n]])
            if not n:
                continue
            error = (table - table[:, :1]).std(axis=0, ddof=min(1, n - 1)) / np.sqrt(n)
            cells = [f"{table.mean(axis=0)[0]:.1f}"]
            cells += [f"{m:.1f} ± {s:.1f}" for m, s in zip(table.mean(axis=0)[1:], error[1:], strict=True)]
            print(f"| {name} | {model} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
