"""Committees of weak classifiers, each trained on a few labeled records that are then left out of the matrix."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

import metalwork as mw
from _matrices._weak import Unavailable, WeakMatrix, random_split
from _matrices._wrench import COARSE, _trec_records

Floats = npt.NDArray[np.float64]


def _members(
    X: Floats, y: npt.NDArray[np.int64], seed: int, n_members: int, n_features: int, n_seeds: int
) -> tuple[list[Floats], npt.NDArray[np.int64]]:
    """Class probabilities of each member on the records no member was trained on, and those records."""
    try:
        from sklearn.naive_bayes import GaussianNB
        from sklearn.tree import DecisionTreeClassifier
    except ImportError as error:
        raise Unavailable("pip install scikit-learn") from error
    rng = np.random.default_rng(seed)
    pool = rng.permutation(len(X))[: 4 * n_seeds]
    rest = np.setdiff1d(np.arange(len(X)), pool)
    n_classes, members = int(y.max()) + 1, []
    for m in range(n_members):
        rows = rng.choice(pool, n_seeds, replace=False)
        columns = rng.choice(X.shape[1], min(n_features, X.shape[1]), replace=False)
        model = DecisionTreeClassifier(max_depth=4, random_state=m) if m % 2 else GaussianNB(var_smoothing=1e-2)
        model.fit(X[np.ix_(rows, columns)], y[rows])
        proba = np.zeros((len(rest), n_classes))
        proba[:, model.classes_] = model.predict_proba(X[np.ix_(rest, columns)])
        members.append(proba)
    return members, rest


def _digits() -> tuple[Floats, npt.NDArray[np.int64]]:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise Unavailable("pip install scikit-learn") from error
    data = load_digits()
    return data.data, data.target.astype(np.int64)


def _matrix(
    name: str,
    codes: npt.NDArray[np.int64],
    gold: npt.NDArray[np.int64],
    labels: list[str],
    numbers: Floats | None = None,
) -> WeakMatrix:
    votes = mw.LabelMatrix(codes, mw.TaskSchema.flat(labels))
    return WeakMatrix(name, votes, gold, random_split(len(gold)), "committee", numbers=numbers)


def digits_committee() -> WeakMatrix:
    """12 members that always vote."""
    X, y = _digits()
    members, rest = _members(X, y, 0, 12, 16, 60)
    codes = np.stack([p.argmax(axis=1) for p in members], axis=1)
    return _matrix("digits_committee", codes, y[rest], [str(d) for d in range(10)], X[rest])


def digits_abstaining() -> WeakMatrix:
    """20 members that abstain on the less certain half."""
    X, y = _digits()
    members, rest = _members(X, y, 1, 20, 8, 60)
    codes = np.stack([np.where(p.max(1) > np.median(p.max(1)) - 1e-12, p.argmax(1), -1) for p in members], axis=1)
    return _matrix("digits_abstaining", codes, y[rest], [str(d) for d in range(10)], X[rest])


def digits_one_label() -> WeakMatrix:
    """60 members that each know a single digit and vote on the tenth of the records most like it."""
    X, y = _digits()
    members, rest = _members(X, y, 2, 60, 10, 60)
    codes = np.full((len(rest), 60), -1)
    for m, proba in enumerate(members):
        digit = m % 10
        codes[proba[:, digit] >= max(np.quantile(proba[:, digit], 0.9), 0.2), m] = digit
    return _matrix("digits_one_label", codes, y[rest], [str(d) for d in range(10)], X[rest])


def digits_tree() -> WeakMatrix:
    """Coarse members (even or odd) and fine ones within each, as a tree."""
    X, y = _digits()
    members, rest = _members(X, y, 3, 18, 12, 60)
    even, odd = [str(d) for d in range(0, 10, 2)], [str(d) for d in range(1, 10, 2)]
    schema = mw.TaskSchema.from_dict({"task": "parity", "labels": [
        {"even": {"task": "even digit", "labels": even}}, {"odd": {"task": "odd digit",
        "labels": odd}}]})  # fmt: skip
    codes, tasks = np.full((len(rest), 18), -1), []
    for m, proba in enumerate(members):
        best = proba.argmax(axis=1)
        task = schema.tasks[m % 3]
        tasks.append(task)
        if task == "parity":
            codes[:, m] = best % 2
        else:
            own = best % 2 == (m % 3) - 1
            codes[own, m] = best[own] // 2
    votes = mw.LabelMatrix(codes, schema, tasks)
    gold = schema.end_codes([str(d) for d in y[rest]])
    return WeakMatrix("digits_tree", votes, gold, random_split(len(rest)), "committee", numbers=X[rest])


def trec_committee() -> WeakMatrix:
    """15 members on random words of TREC questions, each with a few examples."""
    records = _trec_records()
    try:
        from sklearn.feature_extraction.text import CountVectorizer
    except ImportError as error:
        raise Unavailable("pip install scikit-learn") from error
    X = CountVectorizer(max_features=300, binary=True).fit_transform([str(r["text"]) for r in records]).toarray()
    y = np.array([COARSE.index(str(r["coarse"])) for r in records])
    members, rest = _members(X.astype(np.float64), y, 4, 15, 80, 200)
    codes = np.stack([np.where(p.max(axis=1) > 0.4, p.argmax(axis=1), -1) for p in members], axis=1)
    texts = [str(records[i]["text"]) for i in rest]
    return replace(_matrix("trec_committee", codes, y[rest], list(COARSE)), texts=texts)
