"""What trying settings on dev gains (`tune: true`), and whether the figures that it reports hold on test.

    python benchmarks/tuning.py                                    # linear end models
    python benchmarks/tuning.py --architecture tree --only norec
    python benchmarks/tuning.py --dev 300                          # more dev records than 50

Label matrices of the data folder whose records are texts, as `end_model_labels.py` draws them: a third for test,
some dev records, the others for train, anew each trial. Each is a whole run: TF-IDF, label model, end model. "Best
on dev" takes the settings that are right most often on dev, whether or not luck explains it. In points: how much
the figure that chose, and the cross-validated one that is reported, exceed the test accuracy of the same choice.
"""

import argparse
import time
import warnings
from collections import defaultdict
from typing import Any
from unittest.mock import patch

import end_model_labels
import numpy as np
import polars as pl
from end_model_labels import Data, Part, matrices

import metalwork as mw
from metalwork.label_models import count_votes
from metalwork.pipeline import EndModelSettings, LabelModelSettings, TuneSettings, _tuning

PLAIN = ("the default", "seconds of a run", "seconds of trying", "settings changed, of 2")


def run_of(data: Data, seed: int, label_model: Any, end_model: Any) -> mw.Run:
    """A run on a data set's records, whose LFs are its columns of votes."""
    votes = data.train.votes
    lfs = [mw.from_column(task, f"v{j}") for j, task in enumerate(votes.tasks)]
    ends = np.array([*votes.schema.end_labels, None], dtype=object)  # code -1 picks the None
    dev, test = (ends[part.gold].tolist() for part in (data.dev, data.test))
    return mw.Run.of(
        votes.schema,
        lfs,
        train=frame(data.train),
        dev=(frame(data.dev), dev),
        test=(frame(data.test), test),
        features={"text": "text", "words": "tf-idf"},
        label_model=label_model,
        end_model=end_model,
        random_state=seed,
    )


def frame(part: Part) -> pl.DataFrame:
    """Texts, and a column of label names an LF."""
    columns: dict[str, Any] = {"text": part.texts}
    for j, task in enumerate(part.votes.tasks):
        names = np.array([*part.votes.schema.labels(task), None], dtype=object)
        columns[f"v{j}"] = names[np.maximum(part.votes.codes[:, j], -1)].tolist()
    return pl.DataFrame(columns, schema_overrides=dict.fromkeys(columns, pl.String))


def trial(data: Data, seed: int, architecture: str) -> dict[str, float]:
    """The figures of one trial; both ways to choose share the models tried."""
    given = None, {"architecture": architecture}
    start = time.perf_counter()
    accuracies = {str((LabelModelSettings(), EndModelSettings(**given[1]))): _accuracy(data, seed, *given)}
    middle = time.perf_counter()
    run = run_of(data, seed, *given).apply()
    tuning = _tuning._Tuning(run, TuneSettings(), count_votes(run.votes["train"]))
    sure = tuning.found()
    seconds = time.perf_counter() - middle
    with patch.object(_tuning, "SURE", 1.0):
        best = tuning.found()
    found = {}
    for name, choice in (("tuned", sure), ("best on dev", best)):
        key = str((choice.label_model, choice.end_model))
        if key not in accuracies:
            accuracies[key] = _accuracy(data, seed, choice.label_model, choice.end_model)
        chose = max(one.n_right for one in choice.tried if one.part == "end model" and one.chosen)
        plain = next(iter(accuracies.values()))
        found |= {
            name: accuracies[key] - plain,
            f"{name}: what chose exceeds test": 100 * chose / choice.n_dev - accuracies[key],
            f"{name}: cross-validated exceeds test": 100 * choice.honest["end model"] / choice.n_dev
            - accuracies[key],
        }
    changed = float(sum(one.chosen and one.doubt is not None for one in sure.tried))
    cost = {"seconds of a run": middle - start, "seconds of trying": seconds}
    return {"the default": plain, **found, "settings changed, of 2": changed, **cost}


def _accuracy(data: Data, seed: int, label_model: Any, end_model: Any) -> float:
    """Of the end model on test, in points."""
    return 100 * run_of(data, seed, label_model, end_model).metrics["End model"]["test"].accuracy


def main() -> None:
    """Print a column a data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", default="linear", help="of the end model")
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--dev", type=int, default=50, help="dev records")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="parts of the names of data sets")
    asked = parser.parse_args()
    end_model_labels.N_DEV = asked.dev
    warnings.simplefilter("ignore")
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for draw in matrices():
        name = draw(0).name
        if asked.only and not any(part in name for part in asked.only):
            continue
        for seed in range(asked.trials):
            for figure, value in trial(draw(seed), seed, asked.architecture).items():
                found[figure][name].append(value)
    names = list(found["the default"])
    print(f"| | {' | '.join(names)} | mean |")
    print("|---" * (len(names) + 2) + "|")
    for figure, by_name in found.items():
        means = [float(np.mean(by_name[name])) for name in names]
        signed = "" if figure in PLAIN else "+"
        print(f"| {figure} | {' | '.join(f'{value:{signed}.1f}' for value in (*means, float(np.mean(means))))} |")


if __name__ == "__main__":
    main()
