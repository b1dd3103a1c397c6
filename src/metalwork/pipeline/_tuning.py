"""Trying settings on the dev records: cross-validation that is nested, so that it says what the choice is worth.

A label model is judged on each fold of dev with the other folds as its dev labels, an end model by labels in which
no dev label had a part. The choice takes the settings that are right most often, where luck does not explain the
gain, else the project's own. All of that is repeated without each fold in turn, which then judges what was chosen.
"""

import warnings
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from metalwork._checks import BoolArray
from metalwork.analysis import doubt_of_gain
from metalwork.data import concatenate
from metalwork.errors import MetalworkWarning
from metalwork.features import Combined, Featurizer
from metalwork.label_models import LabelModel, VoteCounts
from metalwork.pipeline._candidates import Candidate, end_models, label_models
from metalwork.pipeline._features import label_model_featurizer
from metalwork.pipeline._models import (
    blaming,
    build_end_model,
    build_label_model,
    class_prior,
    sees_dev,
)
from metalwork.pipeline._reading import end_model_featurizer, known_dev, no_votes, read_by_end_model, sample, voted
from metalwork.pipeline._settings import TuneSettings
from metalwork.pipeline._split import Codes
from metalwork.pipeline._tuned import END_MODEL, LABEL_MODEL, SURE, TriedSetting, Tuned
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.pipeline._run import Run

MOST_TAUGHT: Final = 10_000
"""Training records that models which read them are tried on: beyond, every second one, or third."""

Folds = frozenset[int]


def tune(run: "Run", settings: TuneSettings, counts: VoteCounts) -> Tuned:
    """Try label models, then end models on the labels of the one chosen; ``counts`` are of all training votes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MetalworkWarning)
        return _Tuning(run, settings, counts).found()


def deal(gold: Codes, n_folds: int, random_state: int) -> Codes:
    """The fold (n_points,) of each record: of each label's records about as many in each."""
    order = np.random.default_rng(random_state).permutation(len(gold))
    order = order[np.lexsort(gold[order].T)]
    folds = np.empty(len(gold), dtype=np.int64)
    folds[order] = np.arange(len(gold)) % n_folds
    return folds


def choose(right: Sequence[BoolArray]) -> tuple[int, list[float]]:
    """Which setting is taken, and the doubt about each one's gain over the first, all comparisons counted.

    ``right`` are the records (n_points,) that each has right.
    """
    doubts = [min(1.0, doubt_of_gain(own, right[0]) * max(1, len(right) - 1)) for own in right]
    best = max(range(len(right)), key=lambda i: int(right[i].sum()))
    return (best if doubts[best] <= SURE else 0), doubts


class _Tuning:
    """Models by the settings they are of and the dev folds they did not see, each fitted once."""

    def __init__(self, run: "Run", settings: TuneSettings, counts: VoteCounts) -> None:
        job = run.job
        self._run, self._counts = run, counts
        self.labels = label_models(job.label_model, settings, job.features)
        self.ends = end_models(job.end_model, settings, job.random_state)
        self._read_dev()
        self.n_folds = min(settings.folds, len(self._gold))
        self._folds = deal(self._gold, self.n_folds, job.random_state)
        self._votes, self._records = sample(run, MOST_TAUGHT)
        self._models: dict[tuple[int, Folds], LabelModel] = {}
        self._label_right: dict[tuple[int, Folds], BoolArray] = {}
        self._end_right: dict[tuple[int, int], BoolArray] = {}
        self._features: dict[bool, tuple[Codes, Any, Any]] = {}
        self._n_fitted = {LABEL_MODEL: 0, END_MODEL: 0}

    def found(self) -> Tuned:
        """The settings chosen by all folds, and what folds say that had no part in the choice."""
        every = frozenset(range(self.n_folds))
        honest: dict[str, int] = {LABEL_MODEL: 0} | ({} if self._is_alone else {END_MODEL: 0})
        for fold in range(self.n_folds):
            own, others = self._folds == fold, every - {fold}
            label, _ = choose(self._labels_right(others))
            honest[LABEL_MODEL] += int(self._judged(label, frozenset([fold]))[own].sum())
            if not self._is_alone:
                end, _ = choose(self._ends_right(label, others))
                honest[END_MODEL] += int(self._honest_end(label, end, fold)[own].sum())
        label, doubts = choose(self._labels_right(every))
        tried = list(_tried(LABEL_MODEL, self.labels, self._labels_right(every), doubts, label))
        end = 0
        if not self._is_alone:
            end, doubts = choose(self._ends_right(label, every))
            tried += _tried(END_MODEL, self.ends, self._ends_right(label, every), doubts, end)
        return Tuned(
            self.labels[label].settings,
            self.ends[end].settings,
            tuple(tried),
            len(self._gold),
            self.n_folds,
            honest,
            self._n_fitted,
        )

    @property
    def _is_alone(self) -> bool:
        """Whether labels are all that is wanted."""
        return self._run.job.end_model.is_none

    def _read_dev(self) -> None:
        parts = [
            (part.records[rows], votes.rows(rows), gold) for rows, gold, votes, part in known_dev(self._run, True)
        ]
        self._dev_records = concatenate([records for records, _, _ in parts])
        self._dev_votes = LabelMatrix.concatenate([votes for _, votes, _ in parts])
        self._gold: Codes = np.concatenate([gold for _, _, gold in parts])
        self._admitted = self._run.job.schema.admits(self._gold)

    def _labels_right(self, among: Folds) -> list[BoolArray]:
        """Of each label model: which records of some folds it has right, without their fold or any other one."""
        outside = frozenset(range(self.n_folds)) - among
        found = []
        for i in range(len(self.labels)):
            right = np.zeros(len(self._gold), dtype=bool)
            for fold in among:
                own = self._folds == fold
                right[own] = self._judged(i, outside | {fold})[own]
            found.append(right[np.isin(self._folds, list(among))])
        return found

    def _ends_right(self, label: int, among: Folds) -> list[BoolArray]:
        """Of each end model: which records of some folds it has right, taught by labels without a dev label."""
        rows = np.isin(self._folds, list(among))
        return [self._end_judged(label, i)[rows] for i in range(len(self.ends))]

    def _judged(self, i: int, without: Folds) -> BoolArray:
        """Which dev records (n_dev,) a label model has right that did not see some folds."""
        key = i, without if sees_dev(self.labels[i].settings) else frozenset()
        if key not in self._label_right:
            model = self._label_model(*key)
            read = self._read_by_labels[1] if self.labels[i].settings.features else None
            self._label_right[key] = self._right(model.predict_proba(self._dev_votes, features=read))
        return self._label_right[key]

    def _label_model(self, i: int, without: Folds) -> LabelModel:
        candidate, job = self.labels[i], self._run.job
        settings = candidate.settings
        key = i, without if sees_dev(settings) else frozenset()
        if key not in self._models:
            self._tell(LABEL_MODEL, candidate)
            rows = ~np.isin(self._folds, list(without))
            dev = (self._dev_votes.rows(rows), self._gold[rows]) if sees_dev(settings) and rows.any() else None
            with blaming(_place("label_models", candidate), settings.options):
                model = build_label_model(settings, job.schema, job.random_state)
                model.fit(self._counts, class_prior=class_prior(settings, job.schema), dev=dev)
                if settings.features:
                    model.learn_features(self._votes, self._read_by_labels[0])
            self._models[key] = model
        return self._models[key]

    def _end_judged(self, label: int, i: int) -> BoolArray:
        """Which dev records (n_dev,) an end model has right, in whose making no dev label had a part."""
        if (label, i) not in self._end_right:
            self._end_right[label, i] = self._taught(label, i, frozenset(range(self.n_folds)))
        return self._end_right[label, i]

    def _honest_end(self, label: int, i: int, fold: int) -> BoolArray:
        """As the run will make it, from all dev labels but one fold's."""
        settings = self.ends[i].settings
        chooses_epoch = settings.use_dev and settings.architecture != "linear"
        if not chooses_epoch and not sees_dev(self.labels[label].settings):
            return self._end_judged(label, i)
        return self._taught(label, i, frozenset([fold]))

    def _taught(self, label: int, i: int, without: Folds) -> BoolArray:
        candidate, job = self.ends[i], self._run.job
        reads = self.labels[label].settings.features
        model = self._label_model(label, without)
        rows, X, X_dev = self._inputs(reads)
        features = self._read_by_labels[0][rows] if reads else None
        probs = model.predict_proba(self._votes.rows(rows), features=features)
        known = np.flatnonzero(~np.isin(self._folds, list(without)))
        dev = (X_dev[known], self._gold[known]) if known.size and candidate.settings.use_dev else None
        self._tell(END_MODEL, candidate)
        with blaming(_place("end_models", candidate), candidate.settings.arguments()):
            end = build_end_model(candidate.settings, job.schema, job.random_state, self._featurizer)
            end.fit(X, probs, dev=dev)
        return self._right(end.predict_proba(X_dev))

    @cached_property
    def _read_by_labels(self) -> tuple[Any, Any]:
        """Features of the sample and of the dev records as label models read them."""
        reading = label_model_featurizer(self._run.job.features)
        assert reading is not None  # else none of the candidates reads records
        reading.fit(self._records)
        return reading.transform(self._records), reading.transform(self._dev_records)

    def _inputs(self, all_of_them: bool) -> tuple[Codes, Any, Any]:
        """Rows of the sample that teach an end model, their features, and those of the dev records; made once.

        The records themselves, where features go through a module of their own, or are scaled block by block.
        """
        if all_of_them not in self._features:
            run = self._run
            rows = np.arange(len(self._votes)) if all_of_them else voted(self._votes)
            if not rows.size:
                raise no_votes()
            X = read_by_end_model(run, self._records, self._votes)[rows]
            X_dev = read_by_end_model(run, self._dev_records, self._dev_votes)
            if self._featurizer is None:
                reading = end_model_featurizer(run).fit(X)
                X, X_dev = reading.transform(X), reading.transform(X_dev)
            self._features[all_of_them] = rows, X, X_dev
        return self._features[all_of_them]

    @cached_property
    def _featurizer(self) -> Featurizer | None:
        """What each end model has to be given beside records; None where matrices do."""
        reading = end_model_featurizer(self._run)
        return reading if reading.has_module or isinstance(reading, Combined) else None

    def _right(self, probs: TaskProbabilities) -> BoolArray:
        right: BoolArray = self._admitted[np.arange(len(self._gold)), probs.predict()]
        return right

    def _tell(self, part: str, candidate: Candidate) -> None:
        self._n_fitted[part] += 1
        self._run.progress(
            "fit", "models tried", sum(self._n_fitted.values()), None, note=f"{part} {candidate.name}"
        )


def _tried(
    part: str, candidates: Sequence[Candidate], right: Sequence[BoolArray], doubts: Sequence[float], chosen: int
) -> Iterable[TriedSetting]:
    for i, candidate in enumerate(candidates):
        yield TriedSetting(part, candidate.name, int(right[i].sum()), doubts[i] if i else None, i == chosen)


def _place(section: str, candidate: Candidate) -> str:
    """Where the project says what is tried."""
    if candidate.place < 0:
        return section.removesuffix("s")
    return f"tune.{section}[{candidate.place}]"
