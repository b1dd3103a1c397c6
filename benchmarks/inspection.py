"""Questions over a run of many records: the first time each is asked, and the second.

    python benchmarks/inspection.py                # 100,000 records
    python benchmarks/inspection.py --rows 20000

Articles of Reuters' news wire, repeated until there are enough, in a Parquet file; keyword rules with negation
over a tree of three levels. Labels of dev are drawn at random, and the network is tiny: only seconds are measured,
by the clock, in one process. A question is asked for a page of twenty records with spans, votes and probabilities.
The first time includes whatever is worked out once and no question before has asked for; the second asks for the
next page. Last, a search for what has not been asked before.
"""

import argparse
import json
import resource
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from apply import articles

import metalwork as mw

SCHEMA = mw.TaskSchema.from_dict(
    {
        "task": "area",
        "labels": [
            {"Corporate": {"task": "corporate", "labels": ["Earnings", "Deals"]}},
            {
                "Markets": {
                    "task": "markets",
                    "labels": [
                        "Money",
                        {"Commodity": {"task": "commodity", "labels": ["Energy", "Metal", "Food"]}},
                    ],
                }
            },
            "Economy",
        ],
    }
)
WORDS = {
    ("area", "Corporate"): "company shareholders stake corp",
    ("corporate", "Earnings"): "profit loss dividend* shr quarter earnings net",
    ("corporate", "Deals"): "acquisition* merger takeover acquire* bid offer",
    ("area", "Markets"): "market* traders futures prices",
    ("markets", "Money"): "dollar yen bond* loan* treasury rate* bundesbank",
    ("markets", "Commodity"): "tonnes export* crop*",
    ("commodity", "Energy"): "oil crude barrel* opec",
    ("commodity", "Metal"): "gold copper silver",
    ("commodity", "Food"): "wheat grain* coffee sugar cocoa",
    ("area", "Economy"): "inflation unemployment budget gnp",
}
LFS = [
    mw.keywords(task, label, [word], name=f"{label}: {word}", negated_by=True)
    for (task, label), words in WORDS.items()
    for word in words.split()
]
Question = Callable[[Any, int], Any]


def questions() -> dict[str, Question]:
    """What is asked, by name; of pages by offset."""

    def page(**asked: Any) -> Question:
        return lambda inspection, offset: inspection.records(**asked, offset=offset)

    first = LFS[4].name
    return {
        "all records": page(),
        "lf": page(lf=first),
        "lf and vote": page(lf=first, vote="Earnings"),
        "lf, wrong": page(lf=first, wrong=True),
        "conflict": page(conflict=True),
        "conflict of two LFs": page(conflict=(first, LFS[14].name)),
        "uncovered": page(uncovered=True),
        "tied": page(tied=True),
        "uncertain": page(uncertain=True),
        "uncertain in a task": page(uncertain=True, task="commodity"),
        "label": page(label="Commodity"),
        "models differ": page(differ=True),
        "network wrong": page(network_wrong=True),
        "suspect dev labels": page(suspect=True),
        "near": lambda inspection, offset: inspection.records(near=("train", 7 + offset)),
        "search": page(search="interest rates?"),
        "lf, conflict and search": page(lf=first, conflict=True, search="interest rates?"),
        "one record, all found": lambda inspection, offset: inspection.record("train", 1000 + offset),
        "one record, moved by": lambda inspection, offset: inspection.record("train", 1000 + offset).moved_by,
        "LF cards": lambda inspection, offset: inspection.lf_cards(),
        "LF pairs": lambda inspection, offset: inspection.lf_pairs(),
        "label cards": lambda inspection, offset: inspection.label_cards(),
        "without an LF": lambda inspection, offset: inspection.without(first),
    }


def finished_run(folder: Path, n_rows: int) -> mw.Run:
    """A run on so many records, done up to the network's predictions."""
    found = articles(20_000)["text"]
    rng = np.random.default_rng(0)
    train = pl.DataFrame({"id": range(n_rows), "text": [found[i % len(found)] for i in range(n_rows)]})
    names = np.array(SCHEMA.end_labels)[rng.integers(0, SCHEMA.n_end_labels, 500)].tolist()
    dev = pl.DataFrame({"id": range(500), "text": found[:500], "label": names})
    train.write_parquet(folder / "train.parquet")
    dev.write_parquet(folder / "dev.parquet")
    (folder / "schema.json").write_text(json.dumps(SCHEMA.to_dict()))
    rules = "\n".join(f"    - {json.dumps(_as_rule(lf))}" for lf in LFS)
    (folder / "project.yaml").write_text(
        "name: inspected\nschema: schema.json\ndata: {train: train.parquet, dev: dev.parquet, id: id}\n"
        f"lfs:\n  rules:\n{rules}\nfeatures: {{text: text, max_features: 500}}\n"
        "end_model: {hidden_sizes: [8], max_epochs: 1, batch_size: 4096}\noutput: {format: parquet}\n"
    )
    return mw.Run.open(folder / "project.yaml", run="one").evaluate()


def _as_rule(lf: mw.LabelingFunction) -> dict[str, Any]:
    label, word = lf.name.split(": ")
    return {"keywords": [word], "task": lf.task, "label": label, "name": lf.name, "negated_by": True}


def ask_all(run: mw.Run) -> None:
    """Ask each question twice, of a run that has just been opened."""
    start = time.perf_counter()
    inspection = run.inspection
    print(f"{'opening the run and its inspection':36s} {1000 * (time.perf_counter() - start):9.0f} ms\n")
    print(f"{'question':36s} {'first':>9s}    {'second':>6s}     answers")
    for name, question in questions().items():
        taken = []
        for offset in (0, 20):
            start = time.perf_counter()
            answer = question(inspection, offset)
            taken.append(1000 * (time.perf_counter() - start))
        print(f"{name:36s} {taken[0]:9.0f} ms {taken[1]:6.0f} ms   {getattr(answer, 'total', '')}", flush=True)
    start = time.perf_counter()
    inspection.records(search="crude (oil|prices)")
    print(f"{'another search':36s} {1000 * (time.perf_counter() - start):9.0f} ms")


def main() -> None:
    """Print each question's first and second time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        finished_run(Path(folder), rows)
        print(f"{rows:,} records, {len(LFS)} LFs; the run took {time.perf_counter() - start:.0f} s")
        ask_all(mw.Run.open(Path(folder) / "project.yaml", run="one"))
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10:,} MiB")


if __name__ == "__main__":
    main()
