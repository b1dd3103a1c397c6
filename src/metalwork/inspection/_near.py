"""Records like another one: by their words, or by what else the end model reads."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import scipy.sparse as sp

from metalwork._checks import FloatArray
from metalwork.features import Featurizer
from metalwork.inspection._facts import SplitFacts

_MOST_WORDS: Final = 64
"""Words that are kept of a record, the heaviest: they hold nearly all of its length, and memory stays bounded."""


class Neighbours:
    """Distances between records: of sparse features 1 - cosine, of dense ones Euclidean between columns as scaled.

    Parameters
    ----------
    featurizer : Featurizer
        Not fitted; it learns from train.
    facts : mapping of split name to SplitFacts
    """

    def __init__(self, featurizer: Featurizer, facts: Mapping[str, SplitFacts]) -> None:
        self._featurizer = featurizer.fit_parts(facts["train"].data.frames())
        self._features = {name: self._read(own) for name, own in facts.items()}
        self._spread = _spread_of(self._features["train"])

    def distances(self, name: str, row: int) -> Mapping[str, FloatArray]:
        """From one record to all of each split (n_points,); infinite to those that share nothing with it."""
        one = self._features[name][[row]]
        if sp.issparse(one):
            likeness = {split: own @ one.toarray()[0] for split, own in self._features.items()}
            return {split: np.where(found > 0, 1.0 - found, np.inf) for split, found in likeness.items()}
        return {
            split: np.sqrt((((own - one) / self._spread) ** 2).mean(axis=1))
            for split, own in self._features.items()
        }

    def _read(self, facts: SplitFacts) -> Any:
        parts = list(self._parts(facts))
        return sp.vstack(parts, format="csr") if sp.issparse(parts[0]) else np.concatenate(parts)

    def _parts(self, facts: SplitFacts) -> Iterator[Any]:
        for frame in facts.data.frames():
            found = self._featurizer.transform(frame)
            yield _heaviest(sp.csr_array(found)) if sp.issparse(found) else np.asarray(found, np.float32)


def _spread_of(features: Any) -> FloatArray:
    """By column what distances are measured in."""
    if sp.issparse(features):
        return np.ones(0)
    spread = np.nanstd(features, axis=0)
    return np.where(spread > 0, spread, 1.0)


def _heaviest(rows: sp.csr_array) -> sp.csr_array:
    """Rows with their largest entries alone, as long as they were without the others; then of length 1."""
    kept = np.ones(rows.nnz, bool)
    for row in np.flatnonzero(np.diff(rows.indptr) > _MOST_WORDS).tolist():
        here = slice(rows.indptr[row], rows.indptr[row + 1])
        weights = np.abs(rows.data[here])
        kept[here] = weights >= np.partition(weights, -_MOST_WORDS)[-_MOST_WORDS]
    rows.data[~kept] = 0
    rows.eliminate_zeros()
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    scaled: sp.csr_array = sp.diags_array(1.0 / np.where(lengths > 0, lengths, 1.0)) @ rows
    return scaled.astype(np.float32)
