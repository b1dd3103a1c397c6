"""The newcomer's story of docs/tutorial.md: a project on 2,000 unlabeled texts, and what hidden gold says of it.

    python benchmarks/tutorial.py prepare assistant    # writes the project: texts, tree, no rule, no label
    python benchmarks/tutorial.py score assistant      # after each round: adds a line to assistant/rounds.jsonl
    python benchmarks/tutorial.py table assistant      # the rounds so far, as a table
    python benchmarks/tutorial.py replay docs/tutorial # the finished rules and dev labels, on the texts again

The texts are CLINC150's (10 domains of 15 intents each): 2,000 of its 15,000 training queries, drawn at random;
the author sees nothing else. `score` judges the newest run by gold that is not in the project: the label model on
the 2,000 texts; the label model, the end model and both together on the 4,500 test queries. Beside them
scikit-learn's logistic regression on TF-IDF, trained on the dev labels alone that the author had given by then;
`replay` also says what it reaches with the gold labels of all 2,000 texts, and how many dev labels are as in gold.
Folder: METALWORK_DATA.
"""

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from _matrices._wrench import data_folder

import metalwork as mw
from metalwork.pipeline import load_project

N_TEXTS, SEED = 2_000, 0
PROJECT = """\
name: Assistant
schema: schema.yaml

data:
  train: data/train.csv
  id: id

lfs:
  rules: []

features:
  text: text
  words: tf-idf

end_model:
  architecture: linear

output:
  folder: runs

random_state: 0
"""
_MODELS: Final = ("label", "end", "both")
COLUMNS: Final = (
    "round",
    "minutes",
    "rules",
    "dev",
    "covered",
    "label_model",
    "domains",
    "label_test",
    "network",
    "both",
    "regression",
)


def spoken(intent: str) -> str:
    """An intent's name as people read it."""
    return intent.replace("_", " ")


def gold() -> dict[str, list[tuple[str, str]]]:
    """Texts and intents: the project's train, by id, and the test queries."""
    data = json.loads(data_folder("clinc150", "data_full.json").read_text(encoding="utf-8"))
    chosen = np.random.default_rng(SEED).choice(len(data["train"]), N_TEXTS, replace=False)
    train = [data["train"][i] for i in chosen.tolist()]
    return {
        "train": [(text, spoken(intent)) for text, intent in train],
        "test": [(text, spoken(intent)) for text, intent in data["test"]],
    }


def prepare(folder: Path) -> None:
    """Write the project an author starts from."""
    domains = json.loads(data_folder("clinc150", "domains.json").read_text(encoding="utf-8"))
    tree = [
        {spoken(name): {"task": spoken(name), "labels": [*map(spoken, labels)]}}
        for name, labels in domains.items()
    ]
    (folder / "data").mkdir(parents=True)
    (folder / "project.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "schema.yaml").write_text(json.dumps({"task": "domain", "labels": tree}, indent=1), encoding="utf-8")
    texts = [text for text, _ in gold()["train"]]
    pl.DataFrame({"id": range(len(texts)), "text": texts}).write_csv(folder / "data" / "train.csv")
    _add(folder, {"round": "start", "at": time.time()})
    print(f"Wrote {folder / 'project.yaml'}: {len(texts):,} texts, {len(domains)} domains, no rule, no label.")


def score(folder: Path, name: str, run_name: str | None) -> None:
    """Judge the newest run, or the one of this name, and add a line to rounds.jsonl."""
    at, project = time.time(), folder / "project.yaml"
    runs = sorted((folder / "runs").iterdir(), key=lambda path: path.stat().st_mtime)
    newest = folder / "runs" / (run_name or runs[-1].name)
    run = mw.Run.open(project, run=newest.name)
    truth = gold()
    train_gold, test_gold = ([label for _, label in truth[split]] for split in ("train", "test"))
    labels, votes = run.labels["train"], run.votes["train"]
    covered = (votes.codes >= 0).any(axis=1)
    found = mw.evaluate(labels, train_gold)
    texts = pl.DataFrame([{"id": str(i), "text": text} for i, (text, _) in enumerate(truth["test"])])
    tests = {
        model: mw.evaluate(mw.Predictor.load(newest, model=model).predict_proba(texts), test_gold).accuracy
        for model in _MODELS
    }
    dev = run.job.split("dev") if "dev" in run.job.splits else None
    line = {
        "round": name,
        "at": at,
        "rules": len(run.job.labeling_functions),
        "dev": 0 if dev is None else dev.n_known,
        "covered": float(covered.mean()),
        "label_model": found.accuracy,
        "domains": found.tasks[0].accuracy,
        "label_test": tests["label"],
        "network": tests["end"],
        "both": tests["both"],
        "regression": _regression(run, dev, truth["test"]),
    }
    _add(folder, line)
    print(json.dumps({key: round(value, 4) if isinstance(value, float) else value for key, value in line.items()}))


def _regression(run: mw.Run, dev: Any, test: list[tuple[str, str]]) -> float | None:
    """Test accuracy of logistic regression from the dev labels alone; None where they are too few."""
    if dev is None:
        return None
    known = [pair for pair in _labelled(run, dev) if pair[1] is not None]  # coarse labels have no place in it
    return _fitted_on(known, test) if len({label for _, label in known}) > 1 else None


def _labelled(run: mw.Run, dev: Any) -> list[tuple[str, str | None]]:
    """Dev records' texts with their end labels; None where a label is coarse."""
    schema = run.job.schema
    matches = (np.asarray(dev.gold)[:, None, :] == schema.task_codes[None, :, :]).all(axis=2)
    labels = [
        schema.end_labels[end] if any_match else None
        for end, any_match in zip(matches.argmax(axis=1).tolist(), matches.any(axis=1), strict=True)
    ]
    return list(zip(dev.records["text"].to_list(), labels, strict=True))


def _fitted_on(known: list[tuple[str, str]], test: list[tuple[str, str]]) -> float:
    """Test accuracy of logistic regression on TF-IDF of words and pairs of words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    model = make_pipeline(words, LogisticRegression(C=16, max_iter=500))
    model.fit([text for text, _ in known], [label for _, label in known])
    return float(np.mean(model.predict([text for text, _ in test]) == np.array([label for _, label in test])))


def table(folder: Path) -> None:
    """The rounds so far."""
    lines = [json.loads(line) for line in (folder / "rounds.jsonl").read_text(encoding="utf-8").splitlines()]
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for line in lines[1:]:
        line["minutes"] = round((line["at"] - lines[0]["at"]) / 60)
        cells = [
            f"{100 * v:.1f}" if isinstance(v, float) else "-" if v is None else str(v)
            for v in map(line.get, COLUMNS)
        ]
        print("| " + " | ".join(cells) + " |")


def _add(folder: Path, line: dict[str, Any]) -> None:
    with (folder / "rounds.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def replay(kept: Path, folder: Path) -> None:
    """Run the rules and dev labels of a finished story on the texts again, and score them."""
    prepare(folder)
    shutil.copy(kept / "project.yaml", folder / "project.yaml")
    truth = gold()
    texts = {str(i): text for i, (text, _) in enumerate(truth["train"])}
    dev = pl.read_csv(kept / "dev_labels.csv", infer_schema_length=0)
    dev = dev.with_columns(text=pl.col("id").replace_strict(texts))
    dev.select("id", "text", "label").write_csv(folder / "dev.csv")
    mw.Run.open(load_project(folder / "project.yaml").path, run="replay").run()
    score(folder, "replay", "replay")
    right = sum(label == truth["train"][int(row)][1] for row, label in dev.select("id", "label").iter_rows())
    print(f"Dev labels that are as in gold: {right} of {dev.height}")
    print(f"Logistic regression on gold labels of all texts: {_fitted_on(truth['train'], truth['test']):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("prepare", "score", "table", "replay"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--round", default="", help="What to call the round.")
    parser.add_argument("--run", help="The run to score; the newest by default.")
    parser.add_argument(
        "--out", type=Path, default=Path("assistant-replay"), help="Of replay: the folder to write."
    )
    asked = parser.parse_args()
    if asked.command == "prepare":
        prepare(asked.folder)
    elif asked.command == "score":
        score(asked.folder, asked.round, asked.run)
    elif asked.command == "table":
        table(asked.folder)
    else:
        replay(asked.folder, asked.out)


if __name__ == "__main__":
    main()
