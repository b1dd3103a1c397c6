"""A simulated author who follows the suggestions, against active learning with as many actions.

    METALWORK_DATA=... python benchmarks/simulated_author.py                          # all sets, three seeds
    METALWORK_DATA=... python benchmarks/simulated_author.py --words 5 --turns        # word lists, every other
    round

Everyone starts with ``--start`` records labeled at random and no labeling function. In a round, *the author* is
shown five suggestions of ``suggest_words`` - words, or with ``--words`` lists of up to so many for one label -
and accepts the best as a labeling function, without words that are right on less than ``--bar`` of their
training records by gold labels. If nothing is left of any, or in every other round with ``--turns``, five
records that ``suggest_to_label`` draws are labeled instead. An active learner labels five records a round: those
of which logistic regression on TF-IDF is least certain, or random ones. Words that were turned down are not
shown again.

Figures are accuracies on test in %: of the label model; of logistic regression on TF-IDF taught by its
probabilities of the records with a vote and by the labels, which together weigh as much; of the active learners.
Gold labels play the expert; none of test is shown.
"""

import argparse
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from _inspected import Part, inspect_texts
from _matrices import SOURCES, TEST, WeakMatrix
from sklearn.linear_model import LogisticRegression

import metalwork as mw
from metalwork.suggestions import WordSuggestion, suggest_to_label, suggest_words

Codes = npt.NDArray[np.int64]
SETS = ("trec", "reuters_topics", "youtube", "clinc_banking")
EACH = 5


class Data(NamedTuple):
    """Texts and gold end labels (-1: not known) of training and test records."""

    schema: mw.TaskSchema
    texts: list[str]
    gold: Codes
    test_texts: list[str]
    test_gold: Codes
    features: Any
    test_features: Any


def load(name: str) -> Data:
    """The records of a label matrix, without its labeling functions."""
    matrix: WeakMatrix = SOURCES[name]()
    assert matrix.texts is not None
    known = np.flatnonzero(matrix.gold >= 0)
    train, test = known[matrix.split[known] != TEST], known[matrix.split[known] == TEST]
    texts = [[matrix.texts[row] for row in rows] for rows in (train, test)]
    words = mw.TfIdf(min_df=2).fit(texts[0])
    features = [words.transform(part) for part in texts]
    return Data(
        matrix.votes.schema, texts[0], matrix.gold[train], texts[1], matrix.gold[test], features[0], features[1]
    )


def taught(
    data: Data, rows: Codes, shares: npt.NDArray[Any], weight: npt.NDArray[Any] | None = None
) -> LogisticRegression | None:
    """Logistic regression of soft labels (n_rows, n_end_labels), those of less than 2 % left out."""
    shares = shares if weight is None else shares * weight[:, None]
    at, label = np.nonzero(shares >= 0.02 * shares.max(axis=1, keepdims=True))
    if len(np.unique(label)) < 2:
        return None
    model = LogisticRegression(C=10.0, max_iter=200)
    return model.fit(data.features[rows[at]], label, sample_weight=shares[at, label])


def hit(data: Data, model: LogisticRegression | None) -> float:
    """Accuracy on test in %."""
    return np.nan if model is None else 100 * float(np.mean(model.predict(data.test_features) == data.test_gold))


class Author:
    """The author's labeling functions, labels and judgement."""

    def __init__(self, data: Data, labeled: Codes, bar: float, most: int, turns: bool) -> None:
        self.data, self.labeled, self.bar, self.most, self.turns = data, labeled, bar, most, turns
        self.lfs: list[mw.LabelingFunction] = []
        self.refused: set[tuple[str, ...]] = set()
        self.codes = np.empty((len(data.texts), 0), np.int64)

    @property
    def votes(self) -> mw.LabelMatrix:
        """Of the training records."""
        tasks, names = [lf.task for lf in self.lfs], [lf.name for lf in self.lfs]
        return mw.LabelMatrix(self.codes, self.data.schema, tasks, names=names)

    def model(self) -> Any:
        """The label model of the labeling functions so far."""
        if not self.lfs:
            return None
        dev = (self.votes.rows(self.labeled), self.data.gold[self.labeled])
        return mw.HierarchicalLabelModel(self.data.schema).fit(self.votes, dev=dev)

    def play(self, seed: int) -> None:
        """One round; an author who takes turns labels in those of even ``seed``."""
        data, model = self.data, self.model()
        votes = self.votes if self.lfs else None
        known = data.schema.known_codes(data.gold[self.labeled])
        dev = Part([data.texts[i] for i in self.labeled], votes and votes.rows(self.labeled), known)
        inspection = inspect_texts(data.schema, self.lfs, Part(data.texts, votes), dev, model)
        found = suggest_words(inspection, n=EACH * self.most + len(self.refused))
        lists = self.lists([one for one in found if _key(one) not in self.refused])
        judged = [[(*self.judge(one), one) for one in words] for words in lists]
        self.refused |= {_key(item[-1]) for words in judged for item in words if item[1] < self.bar}
        good = [[item for item in words if item[1] >= self.bar] for words in judged]
        best = max(good, key=lambda words: sum(item[0] for item in words), default=[])
        if best and not (self.turns and seed % 2 == 0):
            first = best[0][-1]
            words = [word for *_, one in best for word in one.words]
            self.lfs.append(mw.keywords(first.task, first.label, words, name=f"{len(self.lfs)} {first.name}"))
            self.codes = np.column_stack([self.codes, np.max([item[2] for item in best], axis=0)])
            return
        drawn = [one.row for one in suggest_to_label(inspection, n=EACH, random_state=seed)]
        self.labeled = np.concatenate([self.labeled, drawn])

    def lists(self, found: list[WordSuggestion]) -> list[list[WordSuggestion]]:
        """Five suggestions: each a word, or up to so many words for one label."""
        if self.most == 1:
            return [[one] for one in found[:EACH]]
        by_label: dict[tuple[str, str], list[WordSuggestion]] = {}
        for one in found:
            by_label.setdefault((one.task, one.label), []).append(one)
        return [words[: self.most] for words in list(by_label.values())[:EACH]]

    def judge(self, one: WordSuggestion) -> tuple[float, float, Codes]:
        """Records that it labels rightly, their share, and its votes."""
        schema = self.data.schema
        codes = mw.apply([one.lf()], self.data.texts, schema).codes[:, 0].astype(np.int64)
        voted = np.flatnonzero(codes >= 0)
        gold = schema.task_codes[self.data.gold[voted], schema.task_index(one.task)]
        right = float((gold == codes[voted]).sum())
        return right, right / max(len(voted), 1), codes

    def scores(self) -> tuple[float, float]:
        """Accuracy on test of the label model, and of what is taught by it."""
        data, model = self.data, self.model()
        if model is None:
            return np.nan, np.nan
        probs = model.predict_proba(self.votes).end
        probs[self.labeled] = np.eye(data.schema.n_end_labels)[data.gold[self.labeled]]
        rows = np.union1d(np.flatnonzero((self.codes >= 0).any(axis=1)), self.labeled)
        labeled = np.isin(rows, self.labeled)
        weight = np.where(labeled, 1.0, min(1.0, labeled.sum() / max((~labeled).sum(), 1)))
        test = mw.apply(self.lfs, data.test_texts, data.schema)
        found = 100 * float(np.mean(model.predict(test) == data.test_gold))
        return found, hit(data, taught(data, rows, probs[rows], weight))


def _key(one: WordSuggestion) -> tuple[str, ...]:
    return (one.task, one.label, *one.words)


def learner(data: Data, start: Codes, rounds: int, rng: np.random.Generator | None) -> Iterator[float]:
    """Accuracy after each round of labeling five records: random ones, or those of least certainty."""
    labeled = start
    for _ in range(rounds):
        rest = np.setdiff1d(np.arange(len(data.texts)), labeled)
        model = taught(data, labeled, np.eye(data.schema.n_end_labels)[data.gold[labeled]])
        if rng is not None or model is None:
            chosen = (rng or np.random.default_rng(0)).permutation(rest)[:EACH]
        else:
            shares = np.sort(model.predict_proba(data.features[rest]), axis=1)
            chosen = rest[np.argsort(shares[:, -1] - shares[:, -2], kind="stable")[:EACH]]
        labeled = np.concatenate([labeled, chosen])
        yield hit(data, taught(data, labeled, np.eye(data.schema.n_end_labels)[data.gold[labeled]]))


def trial(
    data: Data, seed: int, rounds: int, start: int, bar: float, most: int, turns: bool
) -> tuple[list[list[float]], int]:
    """Accuracies every five rounds by who learns, and how many words the author accepted."""
    first = np.random.default_rng(seed).permutation(len(data.texts))[:start]
    author, own = Author(data, first, bar, most, turns), []
    for number in range(rounds):
        author.play(seed * rounds + number)
        if (number + 1) % 5 == 0:
            own.append(author.scores())
    active = list(learner(data, first, rounds, None))[4::5]
    random = list(learner(data, first, rounds, np.random.default_rng(seed)))[4::5]
    return [[a for a, _ in own], [b for _, b in own], active, random], len(author.lfs)


def main() -> None:
    """Print a table for each data set as it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=SETS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--start", type=int, default=20)
    parser.add_argument("--words", type=int, default=1)
    parser.add_argument("--turns", action="store_true")
    parser.add_argument("--bar", type=float, default=0.7)
    options = parser.parse_args()
    print("| data | rounds | label model | taught by it | uncertainty sampling | random labels |\n|" + "---|" * 6)
    for name in options.only:
        data = load(name)
        trials = [
            trial(data, seed, options.rounds, options.start, options.bar, options.words, options.turns)
            for seed in range(options.seeds)
        ]
        table = np.array([found for found, _ in trials])
        for i in range(table.shape[2]):
            cells = [
                f"{m:.1f} ± {s:.1f}" for m, s in zip(table[..., i].mean(0), table[..., i].std(0), strict=True)
            ]
            print(f"| {name} | {5 * (i + 1)} | " + " | ".join(cells) + " |", flush=True)
        accepted = np.mean([n for _, n in trials])
        print(f"| {name} | | {accepted:.1f} words accepted | | | |", flush=True)


if __name__ == "__main__":
    main()
