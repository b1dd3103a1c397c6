"""What optimiser, schedule, clipping, precision and the rate of small networks are worth.

    python benchmarks/end_model_options.py openi rcv1 reuters    # test accuracy, one setting changed at a time
    python benchmarks/end_model_options.py --small               # layers of few units on sets of scikit-learn

Labels are those of the examples' default label models; nothing is chosen by these figures.
"""

import argparse
import warnings
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import metalwork as mw
from metalwork.errors import MetalworkWarning
from metalwork.pipeline import Job, Run, load_project
from metalwork.pipeline._features import build_featurizer

SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "linear": {"schedule": "linear"},
    "constant": {"schedule": "constant"},
    "warmup 0.1": {"warmup": 0.1},
    "max_grad_norm 1": {"max_grad_norm": 1.0},
    "bf16": {"precision": "bf16"},
    "adam": {"optimizer": "adam"},
    "sgd, lr 0.1": {"optimizer": "sgd", "lr": 0.1},
}


def compare_on_example(name: str, seeds: int) -> None:
    """Print a line a setting."""
    project = files("metalwork.examples") / name / "project.yaml"
    run = Run(Job.of_project(load_project(str(project)))).fit()
    train, dev, test = (run.split(split) for split in ("train", "dev", "test"))
    voted = np.flatnonzero((run.votes["train"].codes != mw.ABSTAIN).any(axis=1))
    for setting, options in SETTINGS.items():
        scores = []
        for seed in range(seeds):
            featurizer = build_featurizer(run.job.features)
            model = mw.EndModel(run.job.schema, random_state=seed, n_threads=1, featurizer=featurizer, **options)
            rows = train.records[voted], run.labels["train"].rows(voted)
            model.fit(*rows, dev=(dev.records[dev.known], dev.gold[dev.known]))
            scores.append(100 * model.score(test.records, test.gold))
        print(f"{name:8} {setting:16} {np.mean(scores):.1f}  spread {np.std(scores, ddof=1):.2f}", flush=True)


def small_sets() -> Iterator[tuple[str, Any, Any]]:
    """Names, features and classes."""
    for name, load in (("digits", load_digits), ("cancer", load_breast_cancer), ("wine", load_wine)):
        yield name, *load(return_X_y=True)
    yield (
        "blobs",
        *make_classification(
            2000,
            20,
            n_informative=10,
            n_redundant=0,
            n_clusters_per_class=1,
            class_sep=3.0,
            flip_y=0,
            random_state=0,
        ),
    )


def compare_small(seeds: int) -> None:
    """Print test accuracy of half of each set, by sizes and rate."""
    for name, X, y in small_sets():
        order = np.random.default_rng(0).permutation(len(y))
        half, rest = order[: len(y) // 2], order[len(y) // 2 :]
        linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X[half], y[half])
        told = [f"logistic regression {linear.score(X[rest], y[rest]):.3f}"]
        schema = mw.TaskSchema.flat([f"c{code}" for code in range(y.max() + 1)])
        for sizes in ((8, 4), (32, 16), (250, 50)):
            for lr in (1e-3, None):
                models = [mw.EndModel(schema, "single", sizes, None, seed, lr=lr) for seed in range(seeds)]
                scores = [model.fit(X[half], y[half]).score(X[rest], y[rest]) for model in models]
                told.append(f"{sizes} {'default' if lr is None else lr}: {np.mean(scores):.3f}")
        print(f"{name:8}", "  ".join(told), flush=True)


def main() -> None:
    """Print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", nargs="*")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore", MetalworkWarning)
    for name in options.examples:
        compare_on_example(name, options.seeds)
    if options.small:
        compare_small(options.seeds)


if __name__ == "__main__":
    main()
