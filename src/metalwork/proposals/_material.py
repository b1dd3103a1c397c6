"""What tells labels apart: names, features of labels or records, votes."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp

from metalwork._checks import ABSTAIN, BoolArray, FloatArray, IntArray
from metalwork.encoders import encode_texts
from metalwork.errors import ConfigError, MetalworkWarning, MissingExtraError
from metalwork.features import WordCounts
from metalwork.label_models import HierarchicalLabelModel
from metalwork.proposals._evidence import Disagreements
from metalwork.proposals._grouping import clarity
from metalwork.proposals._views import by_words, centroids, cosines, joined, read_array, unit_rows, words_of_name
from metalwork.votes import LabelMatrix


class RecordView(Protocol):
    """What is known of labels by some records."""

    def profiles(self, rows: IntArray) -> FloatArray:
        """A vector a label, float64 array (n_labels, n); 0 where these records say nothing of it."""

    def nearest(self, profiles: FloatArray, rows: IntArray) -> sp.csr_array | None:
        """Ones (n_rows, n_labels) at the label that each record is most like; None where nothing tells."""


@dataclass(frozen=True)
class Material:
    """What is known about labels.

    Attributes
    ----------
    of_labels : tuple of float64 arrays (n_labels, n_labels)
        Similarities that depend on no record.
    of_records : RecordView or None
        What depends on records.
    told : tuple of str
        What all of these are, for people.
    counts : sparse array (n_points, n_labels) or None
        How many labeling functions vote for each label.
    """

    of_labels: tuple[FloatArray, ...]
    of_records: RecordView | None
    told: tuple[str, ...]
    counts: sp.csr_array | None

    def profiles(self, rows: IntArray | None = None) -> FloatArray | None:
        """A vector a label by some records or all, float64 array (n_labels, n); None where none says anything."""
        if self.of_records is None or self.counts is None:
            return None
        return self.of_records.profiles(np.arange(self.counts.shape[0]) if rows is None else rows)

    def similarity(self, profiles: FloatArray | None, n_groups: int | None) -> FloatArray | None:
        """How alike labels are, with their profiles by some records; None where nothing is known.

        Each view counts as much as labels fall into ``n_groups`` clearly by it alone: one that sees no groups has
        nothing to say on them.
        """
        views = [*self.of_labels, *([] if profiles is None else [cosines(profiles)])]
        known = [view for view in views if not np.isnan(view).all()]
        return joined(known, [clarity(view, n_groups) for view in known]) if known else None


def collect(names: Sequence[str], votes: LabelMatrix | None, features: Any, encoder: Any) -> Material:
    """Read what the arguments of ``propose_schema`` tell about labels."""
    of_labels, told = [], []
    similar, how = _by_names(names, encoder)
    if similar is not None and not np.isnan(similar).all():
        of_labels.append(similar)
        told.append(how)
    counts = None if votes is None else _counts(votes)
    of_records: RecordView | None = None
    if features is not None:
        array = _read_features(features, encoder)
        if votes is not None and array.shape[0] == votes.n_points:
            of_records = _ByFeatures(votes, array)
            told.append("the records that the label model gives each label")
        else:
            _check_rows(array, names, votes)
            of_labels.append(cosines(array.toarray() if sp.issparse(array) else array))
            told.append("the features of the labels")
    elif counts is not None and not of_labels:
        of_records = _ByVotes(counts)
        told.append("which labels votes mix up")
    return Material(tuple(of_labels), of_records, tuple(told), counts)


@dataclass(frozen=True)
class _ByFeatures:
    """Labels by the records that a label model, which has seen no others, gives them."""

    votes: LabelMatrix
    features: Any

    def profiles(self, rows: IntArray) -> FloatArray:
        part = self.votes.rows(rows)
        voted: BoolArray = (part.codes != ABSTAIN).any(axis=1)
        if not voted.any():
            return np.zeros((self.votes.schema.n_end_labels, self.features.shape[1]))
        with warnings.catch_warnings():  # on votes: they are for those who fit a label model to go on with
            warnings.simplefilter("ignore", MetalworkWarning)
            posterior = HierarchicalLabelModel(part.schema).fit(part).predict_proba(part).end
        return centroids(self.features[rows], posterior, voted)

    def nearest(self, profiles: FloatArray, rows: IntArray) -> sp.csr_array | None:
        known = profiles.any(axis=1)
        if not known.any():
            return None
        centre = profiles[known].mean(axis=0)
        near = self.features[rows] @ unit_rows(profiles - centre).T - (unit_rows(profiles - centre) @ centre)
        near[:, ~known] = -np.inf
        ones, where = np.ones(len(rows)), (np.arange(len(rows)), near.argmax(axis=1))
        return sp.csr_array((ones, where), shape=near.shape)


@dataclass(frozen=True)
class _ByVotes:
    """Labels by what they disagree with."""

    counts: sp.csr_array

    def profiles(self, rows: IntArray) -> FloatArray:
        return Disagreements(self.counts[rows], self.counts[rows]).profiles()

    def nearest(self, profiles: FloatArray, rows: IntArray) -> None:
        return None


def _by_names(names: Sequence[str], encoder: Any) -> tuple[FloatArray | None, str]:
    """Similarity of the names, and what it is by; None where they tell nothing: numbers, or no shared words."""
    texts = [" ".join(words_of_name(name)) for name in names]
    if encoder is not False and len(set(texts) - {""}) > 1:
        try:
            vectors = np.asarray(encode_texts(texts, encoder), dtype=np.float64)
            vectors[[not text for text in texts]] = 0
            return cosines(vectors), "what the names mean"
        except MissingExtraError:
            if encoder is not None:
                raise
    return by_words(names), "the words of the names"


def _read_features(features: Any, encoder: Any) -> Any:
    """Unit rows of features, or of what records say."""
    plain = None if sp.issparse(features) else _numbers(features)
    if plain is not None or sp.issparse(features):
        numbers = features if plain is None else plain
    elif encoder is not None and encoder is not False and not hasattr(features, "columns"):
        numbers = np.asarray(encode_texts(list(features), encoder))
    else:
        numbers = WordCounts().fit_transform(features)
    return read_array(numbers)


def _numbers(features: Any) -> Any:
    """An array of what holds numbers alone (an array, lists, a frame, a tensor); None for anything else."""
    try:
        found = np.asarray(features)
    except (TypeError, ValueError):
        return None
    return found if found.dtype.kind in "biuf" else None


def _check_rows(array: Any, names: Sequence[str], votes: LabelMatrix | None) -> None:
    if array.shape[0] != len(names):
        one = (
            f"a label ({len(names)})" if votes is None else f"a record ({votes.n_points}) or label ({len(names)})"
        )
        raise ConfigError(
            f"features must have one row {one}; got {array.shape[0]} rows."
            + (" Features of records need votes, too." if votes is None else "")
        )


def _counts(votes: LabelMatrix) -> sp.csr_array:
    """How many LFs vote for each label (n_points, n_labels), of a soft vote for its likeliest; no others count."""
    rows, labels = [], []
    for position, alphabet in enumerate(votes.alphabets):
        codes = votes.codes[:, position]
        voted = np.flatnonzero(codes >= 0)
        said = codes[voted].astype(np.int64)
        if not alphabet.plain:
            held = np.nan_to_num(alphabet.rows[:, :-1])
            best = held == held.max(axis=1, keepdims=True)
            said = np.where(best.sum(axis=1) == 1, best.argmax(axis=1), ABSTAIN)[said]
        rows.append(voted[said >= 0])
        labels.append(said[said >= 0])
    where = (np.concatenate([*rows, np.empty(0, np.int64)]), np.concatenate([*labels, np.empty(0, np.int64)]))
    shape = votes.n_points, votes.schema.n_end_labels
    return sp.csr_array(sp.coo_array((np.ones(len(where[0])), where), shape=shape))
