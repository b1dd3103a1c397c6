"""What end models make of weak labels: of which label model, and with which tricks against their noise.

    python benchmarks/end_model_labels.py                                 # linear end models on TF-IDF
    python benchmarks/end_model_labels.py --architecture tree --trials 3  # networks
    python benchmarks/end_model_labels.py --only rcv1 --trials 5

Label matrices of the data folder whose records are texts (at most 6,000: a third for test, 50 for dev, the others
for train, drawn anew each trial), and the three examples with their own splits. The label model sees the votes on
train alone, the end model its labels of records with a vote, and dev chooses its epoch. A row of the table is
accuracy on all test records in points, of a trick its change against "our labels", trial by trial.
"""

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from label_model_ablation import DATA
from label_model_features import given

import metalwork as mw
from metalwork.examples import load_example

Floats = npt.NDArray[np.float64]
EXAMPLES = ("openi", "rcv1", "reuters")
MOST, N_DEV = 6_000, 50
SPLITS = ("train", "dev", "test")


class Part(NamedTuple):
    """Records of one split: texts, votes, and gold end labels (-1: not known)."""

    texts: list[str]
    votes: mw.LabelMatrix
    gold: npt.NDArray[np.int64]

    @property
    def voted(self) -> npt.NDArray[np.bool_]:
        return np.asarray((self.votes.codes >= 0).any(axis=1))


class Data(NamedTuple):
    """One data set in a trial's splits."""

    name: str
    train: Part
    dev: Part
    test: Part


def examples() -> Iterator[Callable[[int], Data]]:
    """The examples, whose splits are fixed."""
    for name in EXAMPLES:
        job = load_example(name)
        run = mw.Run(job).apply()
        parts = []
        for split in SPLITS:
            frame = run.split(split).records
            texts = [text or "" for text in frame[job.features.text]]
            parts.append(Part(texts, run.votes[split], job.schema.end_of(job.known_labels(split))))
        yield lambda seed, name=name, parts=parts: Data(name, *parts)  # type: ignore[misc]


def matrices() -> Iterator[Callable[[int], Data]]:
    """The matrices of the data folder, split by the seed."""
    for read in given(DATA):

        def drawn(seed: int, read: Any = read) -> Data:
            order = np.random.default_rng(seed).permutation(len(read.records))[:MOST]
            n_test = len(order) // 3
            rows = order[n_test + N_DEV :], order[n_test : n_test + N_DEV], order[:n_test]
            parts = [Part([read.records[i] for i in own], read.votes.rows(own), read.gold[own]) for own in rows]
            return Data(read.name, *parts)

        yield drawn


class Trial:
    """One data set, label model and seed; trains end models on labels of one's choice."""

    def __init__(self, data: Data, architecture: str, seed: int) -> None:
        self.data, self.schema, self.seed = data, data.train.votes.schema, seed
        self.architecture = architecture
        self.features = mw.TfIdf().fit(data.train.texts)
        self.X = {split: self.features.transform(getattr(data, split).texts) for split in SPLITS}
        self.posterior: dict[str, Floats] = {}

    def fit_label_model(self, model: Any) -> Floats:
        """Its labels of train; those of test are kept for mixing."""
        model.fit(self.data.train.votes)
        self.posterior = {split: model.predict_proba(getattr(self.data, split).votes).end for split in SPLITS}
        return self.posterior["train"]

    @property
    def dev(self) -> tuple[Any, Any]:
        """Dev records of known label, and these."""
        known = self.data.dev.gold >= 0
        return self.X["dev"][known], self.schema.end_names(self.data.dev.gold[known])

    def end_model(
        self, labels: Floats, rows: Any, weights: Any = None, X: Any = None, dev: Any = (), **options: Any
    ) -> Any:
        """An end model trained on ``labels`` (n_train, n_end_labels) of ``rows``; ``dev`` None: without."""
        dev = self.dev if dev == () else dev
        model = mw.EndModel(self.schema, self.architecture, random_state=self.seed, **options)
        probs = mw.TaskProbabilities(labels[rows], self.schema)
        return model.fit((self.X["train"] if X is None else X)[rows], probs, dev, weights)

    def accuracy(self, proba: Floats) -> float:
        known = self.data.test.gold >= 0
        return float(100.0 * (proba.argmax(axis=1) == self.data.test.gold)[known].mean())

    def of(self, model: Any, split: str = "test") -> Floats:
        return np.asarray(model.predict_proba(self.X[split]).end)


def arms(trial: Trial, group: str) -> Iterator[tuple[str, float]]:
    """Name and accuracy on test, one after another."""
    voted = trial.data.train.voted
    for name, mode in (
        () if group != "tricks" else (("hard vote's labels", "hard"), ("soft vote's labels", "soft"))
    ):
        labels = trial.fit_label_model(mw.MajorityVote(trial.schema, mode=mode))
        yield name, trial.accuracy(trial.of(trial.end_model(labels, voted)))
    labels = trial.fit_label_model(mw.HierarchicalLabelModel(trial.schema))
    yield "our label model itself", trial.accuracy(trial.posterior["test"])
    plain = trial.end_model(labels, voted)
    proba = trial.of(plain)
    yield "our labels", trial.accuracy(proba)
    for name, found in GROUPS[group](trial, labels, plain, proba):
        yield name, trial.accuracy(found)


def tricks(trial: Trial, labels: Floats, plain: Any, proba: Floats) -> Iterator[tuple[str, Floats]]:
    """Probabilities of test records, by each trick on our labels."""
    voted, n_labels = trial.data.train.voted, labels.shape[1]
    yield "the likeliest label alone", trial.of(trial.end_model(np.eye(n_labels)[labels.argmax(axis=1)], voted))
    yield "label smoothing 0.1", trial.of(trial.end_model(0.9 * labels + 0.1 / n_labels, voted))
    confident = labels.max(axis=1)[voted]
    yield "weights by confidence", trial.of(trial.end_model(labels, voted, confident))
    rarity = labels[voted] @ (1.0 / np.maximum(labels[voted].mean(axis=0), 1e-3))
    yield "weights by class balance", trial.of(trial.end_model(labels, voted, rarity))
    own = plain.predict_proba(trial.X["train"]).end
    surprise = -(labels * np.log(np.maximum(own, 1e-9))).sum(axis=1)
    easy = voted & (surprise <= np.quantile(surprise[voted], 0.85))
    yield "without the 15 % least fitted", trial.of(trial.end_model(labels, easy))
    completed = np.where(voted[:, None], labels, own)
    yield "self-training without a vote", trial.of(trial.end_model(completed, np.ones(len(voted), dtype=bool)))
    known = trial.data.dev.gold >= 0
    both = np.concatenate([labels, np.eye(n_labels)[trial.data.dev.gold[known]]])
    X = sp.vstack([trial.X["train"], trial.X["dev"][known]]).tocsr()
    yield "dev records in training", trial.of(trial.end_model(both, np.append(voted, known[known]), X=X))


def mixes(trial: Trial, labels: Floats, plain: Any, proba: Floats) -> Iterator[tuple[str, Floats]]:
    """Probabilities of test records, by network and label model together where there are votes."""
    prior = labels[trial.data.train.voted].mean(axis=0)
    seen, gold = trial.data.dev.voted & (trial.data.dev.gold >= 0), trial.data.dev.gold
    on_dev = trial.of(plain, "dev")[seen], trial.posterior["dev"][seen]

    def mixed(found: Floats) -> Floats:
        return np.where(trial.data.test.voted[:, None], found, proba)

    both = proba, trial.posterior["test"]
    yield "both: label model where there are votes", mixed(both[1])
    yield "both: mean", mixed((both[0] + both[1]) / 2)
    yield "both: mean of the logarithms", mixed(_pooled(*both, 0.5))
    yield "both: product over the prior", mixed(_pooled(*both, 1.0, 1.0, prior))
    shares = np.linspace(0, 1, 11)
    losses = [-np.log(_pooled(*on_dev, share)[np.arange(seen.sum()), gold[seen]]).mean() for share in shares]
    yield "both: share by dev", mixed(_pooled(*both, float(shares[np.argmin(losses)])))
    surest = np.where(both[0].max(axis=1) >= both[1].max(axis=1), 0, 1)[:, None]
    yield "both: the surer one", mixed(np.where(surest == 0, *both))


def _pooled(network: Floats, votes: Floats, share: float, rest: float | None = None, prior: Any = 1.0) -> Floats:
    """Weighted geometric mean of both, over a prior; with ``rest`` the network's own exponent."""
    own = 1.0 - share if rest is None else rest
    logs = own * np.log(np.maximum(network, 1e-12)) + share * np.log(np.maximum(votes, 1e-12)) - np.log(prior)
    found = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def epochs(trial: Trial, labels: Floats, plain: Any, proba: Floats) -> Iterator[tuple[str, Floats]]:
    """Probabilities of test records, of networks trained without dev records."""
    voted = np.flatnonzero(trial.data.train.voted)
    yield "no dev: all epochs", trial.of(trial.end_model(labels, voted, dev=None))
    rng = np.random.default_rng(trial.seed)
    order = rng.permutation(voted)
    held, rest = order[: len(order) // 5], order[len(order) // 5 :]
    drawn = np.array([rng.choice(labels.shape[1], p=labels[row] / labels[row].sum()) for row in held])
    seen = (
        trial.X["train"][held],
        trial.schema.end_names(drawn),
    )  # the loss on labels drawn is the soft loss expected
    search = trial.end_model(labels, rest, dev=seen)
    losses = [epoch["dev_loss"] for epoch in search.history_]
    best = int(np.argmin(losses)) + 1
    print(f"{trial.data.name} {trial.seed}: epoch {best} of {len(losses)}", file=sys.stderr)
    yield (
        "no dev: least held-out soft loss, then all",
        trial.of(trial.end_model(labels, voted, dev=None, max_epochs=best)),
    )
    likely = trial.X["train"][held], trial.schema.end_names(labels[held].argmax(axis=1))
    yield "no dev: held-out labels as dev", trial.of(trial.end_model(labels, rest, dev=likely))


GROUPS = {"tricks": tricks, "both": mixes, "epochs": epochs}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", default="linear", help="of the end model")
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--group", choices=GROUPS, default="tricks", help="what is tried on our labels")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="parts of the names of data sets")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    found: dict[str, dict[str, list[float]]] = {}
    for source in (examples, matrices):
        for draw in source():
            name = draw(0).name
            if asked.only and not any(part in name for part in asked.only):
                continue
            for seed in range(asked.trials):
                for arm, accuracy in arms(Trial(draw(seed), asked.architecture, seed), asked.group):
                    found.setdefault(arm, {}).setdefault(name, []).append(accuracy)
            print(f"{name} done", file=sys.stderr, flush=True)
    names = list(found["our labels"])
    print(f"| | {' | '.join(names)} | mean |")
    print("|---" * (len(names) + 2) + "|")
    base, seen = np.array([found["our labels"][name] for name in names]), False
    for arm, rows in found.items():
        values = np.array([rows[name] for name in names])
        shown = (values - base if seen else values).mean(axis=1)
        cells = [f"{value:+.1f}" if seen else f"{value:.1f}" for value in (*shown, shown.mean())]
        print(f"| {arm} | {' | '.join(cells)} |")
        seen = seen or arm == "our labels"


if __name__ == "__main__":
    main()
