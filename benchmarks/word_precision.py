"""What suggestions believe, against gold labels: precision of words, and labeling functions that are called wrong.

    METALWORK_DATA=... python benchmarks/word_precision.py
    METALWORK_DATA=... python benchmarks/word_precision.py --only trec --lfs 10

The label model is fitted on all but the test records, 50 of which have dev labels; with ``--lfs`` on so many of
the labeling functions, drawn at random. First table: up to 200 words that ``suggest_words`` finds; their mean
precision by gold, and how far estimates are from it (mean absolute error and bias, in points, and correlation):
those of the suggestions, the share that the label model's posterior gives on records with a vote, and the same
with the labeling functions left out that vote on four in five of the word's records; then how many of the 95 %
intervals hold. Second table: labeling functions with five votes or more; how many are wrong more often than
right by gold, how many ``suggest_fixes`` calls wrong or off their branch, and how many of these are.
"""

import argparse
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from _inspected import Part, inspect_texts, silent_lfs
from _matrices import SOURCES, TEST, WeakMatrix

import metalwork as mw
from metalwork.suggestions import suggest_fixes
from metalwork.suggestions._candidates import Candidate, find_candidates, judged
from metalwork.suggestions._labels import labels_of
from metalwork.suggestions._material import Material, material_of

SETS = ("trec", "reuters_topics", "youtube", "sms", "clinc_banking", "clinc_tree")
N_WORDS, N_DEV, LEAST = 200, 50, 5


def inspect(matrix: WeakMatrix, n_lfs: int | None) -> tuple[Any, npt.NDArray[np.int64], mw.LabelMatrix]:
    """An inspection, the gold labels of its training records, and their votes."""
    rng, schema, texts = np.random.default_rng(0), matrix.votes.schema, matrix.texts
    assert texts is not None
    rows = rng.permutation(np.flatnonzero((matrix.split != TEST) & (matrix.gold >= 0)))
    dev, train = rows[:N_DEV], rows[N_DEV:]
    votes = matrix.votes
    if n_lfs is not None:
        votes = votes.lfs(sorted(rng.permutation(votes.n_lfs)[:n_lfs].tolist()))
    model = mw.HierarchicalLabelModel(schema).fit(votes.rows(train), dev=(votes.rows(dev), matrix.gold[dev]))
    parts = [Part([texts[i] for i in own], votes.rows(own)) for own in (train, dev)]
    known = parts[1]._replace(known=schema.known_codes(matrix.gold[dev]))
    return inspect_texts(schema, silent_lfs(votes), parts[0], known, model), matrix.gold[train], votes.rows(train)


def estimates(material: Material, found: list[Candidate]) -> npt.NDArray[np.float64]:
    """By word: of the suggestions, of the posterior, of the posterior without what finds the word."""
    rows = [one.rows[one.rows < material.n_drawn] for one in found]
    assert material.votes is not None
    assert material.model is not None
    codes = []
    for own in rows:
        silenced = material.votes.codes[own].copy()
        silenced[:, material.fired[own].mean(axis=0) >= 0.8] = mw.ABSTAIN
        codes.append(silenced)
    stacked = np.concatenate(codes)
    others = mw.LabelMatrix(stacked, material.schema, material.votes.tasks, names=material.votes.names)
    shares = np.split(material.model.predict_proba(others).end, np.cumsum([len(own) for own in rows])[:-1])
    voted = np.split((stacked >= 0).any(axis=1), np.cumsum([len(own) for own in rows])[:-1])
    table = []
    for one, own, end, there in zip(found, rows, shares, voted, strict=True):
        covered = own[material.covered[own]]
        plain = one.label.of(material.posterior[covered]).mean() if len(covered) else np.nan
        table.append((one.precision, plain, one.label.of(end[there]).mean() if there.any() else np.nan))
    return np.array(table)


def words(material: Material, gold: npt.NDArray[np.int64]) -> str:
    """The row of the first table."""
    found = [
        judged(material, one, material.posterior) for one in find_candidates(material, labels_of(material.schema))
    ]
    found = [one for one in found if (one.rows < material.n_drawn).sum() >= LEAST]
    found = [found[i] for i in np.random.default_rng(0).permutation(len(found))[:N_WORDS]]
    truth = []
    for one in found:
        own = gold[one.rows[one.rows < material.n_drawn]]
        truth.append(np.mean((own >= one.label.start) & (own < one.label.stop)))
    right, table = np.array(truth), estimates(material, found)
    cells = [f"{len(found)}", f"{100 * right.mean():.1f}"]
    for column in table.T:
        there = ~np.isnan(column)
        gap = 100 * (column - right)[there]
        cells.append(
            f"{abs(gap).mean():.1f} ({gap.mean():+.1f}), {np.corrcoef(column[there], right[there])[0, 1]:.2f}"
        )
    held = np.mean([one.low <= share <= one.high for one, share in zip(found, right, strict=True)])
    return " | ".join([*cells, f"{100 * held:.0f}"])


def fixes(inspection: Any, gold: npt.NDArray[np.int64], votes: mw.LabelMatrix) -> str:
    """The row of the second table."""
    known = inspection.schema.task_codes[gold]
    bad, n_judged = set(), 0
    for j, (task, name) in enumerate(zip(votes.tasks, votes.names, strict=True)):
        voted = np.flatnonzero(votes.codes[:, j] >= 0)
        if len(voted) >= LEAST:
            n_judged += 1
            right = known[voted, inspection.schema.task_index(task)] == votes.codes[voted, j]
            bad |= {name} if right.mean() < 0.5 else set()
    named = [fix for fix in suggest_fixes(inspection, n=10_000) if fix.problem in ("wrong", "off branch")]
    hits = [fix.lfs[0] in bad for fix in named]
    return f"{n_judged} | {len(bad)} | {len(hits)} | {sum(hits)} | {sum(hits[:10])} of {len(hits[:10])}"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=SETS)
    parser.add_argument("--lfs", type=int)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| data | words | precision | suggestion | posterior | without | intervals |\n|" + "---|" * 7)
    second = []
    for name in options.only:
        inspection, gold, votes = inspect(SOURCES[name](), options.lfs)
        print(f"| {name} | {words(material_of(inspection), gold)} |", flush=True)
        second.append(f"| {name} | {fixes(inspection, gold, votes)} |")
    print("\n| data | LFs | wrong | named | of these wrong | of the first ten |\n|" + "---|" * 6)
    print("\n".join(second))


if __name__ == "__main__":
    main()
