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
from metalwork.pipeline import _tuning


def run_of(data: Data, seed: int, architecture: str, tune: Any) -> mw.Run:
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
        end_model={"architecture": architecture},
        tune=tune,
        random_state=seed,
    )


def frame(part: Part) -> pl.DataFrame:
    """Texts, and a column of label names an LF."""
    columns: dict[str, Any] = {"text": part.texts}
    for j, task in enumerate(part.votes.tasks):
        names = np.array([*part.votes.schema.labels(task), None], dtype=object)
        columns[f"v{j}"] = names[np.maximum(part.votes.codes[:, j], -1)].tolist()
    return pl.DataFrame(columns, schema_overrides=dict.fromkeys(columns, pl.String))


def test_accuracy(run: mw.Run) -> float:
    """Of the end model, in points."""
    return 100 * run.metrics["End model"]["test"].accuracy


def trial(data: Data, seed: int, architecture: str) -> dict[str, float]:
    """The figures of one trial."""
    start = time.perf_counter()
    plain = test_accuracy(run_of(data, seed, architecture, False))
    middle = time.perf_counter()
    run = run_of(data, seed, architecture, True)
    tuned, found = test_accuracy(run), run.tuned
    seconds = time.perf_counter() - middle
    with patch.object(_tuning, "SURE", 1.0):
        best = run_of(data, seed, architecture, True)
        greedy = test_accuracy(best)
    assert found is not None
    assert best.tuned is not None

    def on_dev(choice: Any) -> tuple[float, float]:
        chose = max(one.n_right for one in choice.tried if one.part == "end model" and one.chosen)
        return 100 * chose / choice.n_dev, 100 * choice.honest["end model"] / choice.n_dev

    return {
        "the default": plain,
        "tuned": tuned - plain,
        "best on dev": greedy - plain,
        "settings other than the default": sum(one.chosen and one.doubt is not None for one in found.tried),
        "what chose exceeds test": on_dev(found)[0] - tuned,
        "cross-validated exceeds test": on_dev(found)[1] - tuned,
        "best on dev: what chose exceeds test": on_dev(best.tuned)[0] - greedy,
        "best on dev: cross-validated exceeds test": on_dev(best.tuned)[1] - greedy,
        "seconds": middle - start,
        "seconds, tuned": seconds,
    }


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
        signed = "" if figure in ("the default", "seconds", "seconds, tuned") else "+"
        print(f"| {figure} | {' | '.join(f'{value:{signed}.1f}' for value in (*means, float(np.mean(means))))} |")


if __name__ == "__main__":
    main()
