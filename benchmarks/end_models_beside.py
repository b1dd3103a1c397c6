"""End models of the examples beside each other, beside their label model, and beside the same on gold labels.

    python benchmarks/end_models_beside.py --data openi --out FOLDER    # one example, or several
    python benchmarks/end_models_beside.py --out FOLDER --table         # what FOLDER holds

Every end model learns from the default label model's probabilities (50 dev labels given) of the training records
with a vote, is given dev, and is scored on test; mean of three seeds. "held out" judges without test and without
gold, by records that were kept out of training, in five folds: for how many the likeliest label is the label
model's, and the cross-entropy under its probabilities. Votes as inputs know those probabilities: they have none.
"gold": the same end model on the gold labels of the same training records, which Reuters alone publishes.
Embeddings need metalwork[text]. Folder of data: METALWORK_DATA.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import spearmanr

import metalwork as mw
from metalwork.examples import load_example
from metalwork.experiments import hidden_gold
from metalwork.features import Categories, Combined, Featurizer
from metalwork.pipeline._votes import with_votes

SETS = ("openi", "rcv1", "reuters")
SEEDS, FOLDS = range(3), 5
TEXT = {"counts": mw.WordCounts, "tf-idf": mw.TfIdf, "embeddings": partial(mw.SentenceEmbeddings, None)}
ARMS = (
    ("hier", "counts"),
    ("hier", "tf-idf"),
    ("tree", "counts"),
    ("tree", "tf-idf"),
    ("linear", "counts"),
    ("linear", "tf-idf"),
    ("linear", "embeddings"),
    ("linear", "tf-idf, embeddings"),
    ("tree", "tf-idf, embeddings"),
    ("linear", "tf-idf, votes"),
    ("tree", "tf-idf, votes"),
    ("linear", "tf-idf, embeddings, votes"),
)


class Example:
    """An example with its label model's labels; its records are a text and a column an LF."""

    def __init__(self, name: str) -> None:
        job = load_example(name)
        run = mw.Run(job).fit()
        self.schema, self.records = job.schema, {}
        for split in job.splits:
            texts = run.split(split).records[job.features.text].fill_null("").alias("text")
            self.records[split] = with_votes(pl.DataFrame([texts]), run.votes[split])
        gold = {split: job.known_labels(split) for split in ("dev", "test")}
        self.dev, self.test = ((self.records[split], gold[split]) for split in ("dev", "test"))
        self.label_model = mw.evaluate(run.labels["test"], gold["test"]).accuracy
        self.voted = np.flatnonzero((run.votes["train"].codes >= 0).any(axis=1))
        self.labels = run.labels["train"].rows(self.voted)
        self.gold = hidden_gold(job)

    def featurizer(self, names: str) -> Featurizer:
        votes = [name for name in self.records["train"].columns if name != "text"]
        parts = [Categories(votes) if name == "votes" else TEXT[name](field="text") for name in names.split(", ")]
        return parts[0] if len(parts) == 1 else Combined(parts)

    def fit(self, architecture: str, names: str, rows: Any, labels: Any, seed: int = 0) -> mw.EndModel:
        model = mw.EndModel(self.schema, architecture, random_state=seed, featurizer=self.featurizer(names))
        return model.fit(self.records["train"][rows], labels, self.dev)

    def held_out(self, architecture: str, names: str) -> tuple[float, float]:
        """Of records kept out of training: on how many percent both agree, and the cross-entropy."""
        fold = np.random.default_rng(0).permutation(len(self.voted)) % FOLDS
        found = []
        for number in range(FOLDS):
            out = fold == number
            model = self.fit(architecture, names, self.voted[~out], self.labels.rows(np.flatnonzero(~out)))
            end = model.predict_proba(self.records["train"][self.voted[out]]).end
            own = self.labels.end[out]
            right = own.argmax(axis=1) == end.argmax(axis=1)
            found.append(np.stack([100 * right, -(own * np.log(np.maximum(end, 1e-9))).sum(axis=1)]))
        agreement, loss = np.concatenate(found, axis=1).mean(axis=1).tolist()
        return agreement, loss


def measure(example: Example, architecture: str, names: str) -> dict[str, Any]:
    """All figures of one end model."""
    seeds = SEEDS if architecture != "linear" else SEEDS[:1]
    start = time.process_time()
    models = [example.fit(architecture, names, example.voted, example.labels, seed) for seed in seeds]
    found: dict[str, Any] = {"seconds": (time.process_time() - start) / len(seeds)}
    found["test"] = [100 * model.score(*example.test) for model in models]
    found["dev"] = [100 * model.score(*example.dev) for model in models]
    if "votes" not in names:
        found["held out"] = example.held_out(architecture, names)
    if example.gold is not None:
        rows = np.flatnonzero((example.gold >= 0).any(axis=1))
        models = [example.fit(architecture, names, rows, example.gold[rows], seed) for seed in seeds]
        found["gold"] = [100 * model.score(*example.test) for model in models]
    return found


def complete(name: str, file: Path) -> None:
    """What a file lacks, arm by arm."""
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    example = Example(name)
    found["label model"] = {"test": [100 * example.label_model]}
    for architecture, names in ARMS:
        arm = f"{architecture} | {names}"
        if arm not in found:
            found[arm] = measure(example, architecture, names)
            kept = file.with_suffix(".part")
            kept.write_text(json.dumps(found, indent=1), encoding="utf-8")
            kept.replace(file)
            print(f"{name}: {arm}", file=sys.stderr, flush=True)


def table(found: dict[str, dict[str, Any]]) -> Iterator[str]:
    """One line an end model; of each set test, held out and gold."""
    heads = [f"{name}: test | held out" + " | gold" * _has_gold(own) for name, own in found.items()]
    n_columns = sum(2 + _has_gold(own) for own in found.values())
    yield f"| | inputs | {' | '.join(heads)} |"
    yield "|---" * (2 + n_columns) + "|"
    for arm in ("label model", *(" | ".join(one) for one in ARMS)):
        cells = []
        for own in found.values():
            scores = own.get(arm, {})
            cells += [
                _mean(scores.get("test")),
                "{:.1f}, {:.3f}".format(*scores["held out"]) if "held out" in scores else "",
            ]
            cells += [_mean(scores.get("gold"))] * _has_gold(own)
        yield f"| {arm if ' | ' in arm else arm + ' | votes'} | {' | '.join(cells)} |"
    for name, own in found.items():
        yield f"\n{name}: {_ranking(own)}"


def _ranking(own: dict[str, Any]) -> str:
    """Whether what is known without test ranks end models as test does, and which one it would take."""
    arms = [arm for arm, scores in own.items() if "held out" in scores]
    test = [np.mean(own[arm]["test"]) for arm in arms]
    judges = {
        "agreement held out": [own[arm]["held out"][0] for arm in arms],
        "cross-entropy held out": [-own[arm]["held out"][1] for arm in arms],
        "50 dev labels": [np.mean(own[arm]["dev"]) for arm in arms],
    }
    shown = []
    for judge, found in judges.items():
        best = int(np.argmax(found))
        shown.append(f"{judge} takes {arms[best].replace(' |', ',')} ({test[best]:.1f}), rank correlation ")
        shown[-1] += f"with test {spearmanr(found, test).statistic:.2f}"
    return f"{'; '.join(shown)}; the best on test has {max(test):.1f}."


def _has_gold(own: dict[str, Any]) -> bool:
    return any("gold" in scores for scores in own.values())


def _mean(values: list[float] | None) -> str:
    if not values:
        return ""
    return f"{np.mean(values):.1f}" + (f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else "")


def main() -> None:
    """Measure, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--out", type=Path, required=True, help="folder of one JSON a data set")
    parser.add_argument("--table", action="store_true", help="print what is there")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    files = {name: asked.out / f"{name}.json" for name in asked.data}
    for name, file in files.items() if not asked.table else ():
        complete(name, file)
    found = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.exists()}
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
