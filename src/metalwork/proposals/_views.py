"""How alike labels are: by their names, by the records that have them, by the votes."""

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import scipy.sparse as sp

from metalwork._checks import BoolArray, FloatArray
from metalwork.errors import ConfigError

_WORD: Final = re.compile(r"[^\W_]+")
_LEAST: Final = 1e-9
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def words_of_name(name: str) -> list[str]:
    """The words of a label's name, in order: ``"talk.politics.guns"`` has three; numbers are no words."""
    found = _WORD.findall(_CAPITAL.sub(" ", name))
    return [word.casefold() for word in found if not word.isdigit()]


def by_words(names: Sequence[str]) -> FloatArray | None:
    """Similarity of names by the words that they share, rare ones most; None where no two share any."""
    words = [words_of_name(name) for name in names]
    column = {word: c for c, word in enumerate(sorted({word for own in words for word in own}))}
    vectors = np.zeros((len(names), len(column)))
    for row, own in enumerate(words):
        for word in own:
            vectors[row, column[word]] += 1
    shared = (vectors > 0).sum(axis=0)
    if not column or shared.max() < 2:
        return None
    return cosines(vectors * (np.log((1 + len(names)) / (1 + shared)) + 1))


def cosines(vectors: FloatArray) -> FloatArray:
    """Cosines (n_labels, n_labels) of vectors, less what all have in common; NaN where nothing is left."""
    known, unit = vectors.any(axis=1), unit_rows(vectors)
    apart = unit - unit[known].mean(axis=0) if known.any() else unit
    known &= np.linalg.norm(apart, axis=1) > _LEAST
    found = unit_rows(apart) @ unit_rows(apart).T
    found[~known, :] = found[:, ~known] = np.nan
    return np.asarray(found, dtype=np.float64)


def unit_rows(vectors: Any) -> Any:
    """Rows of a dense or sparse array at length 1; those of length 0 stay."""
    if sp.issparse(vectors):
        lengths = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
        return sp.csr_array(sp.diags_array(1 / np.where(lengths > 0, lengths, 1)) @ vectors)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def centroids(features: Any, posterior: FloatArray, voted: BoolArray) -> FloatArray:
    """Mean features (n_labels, n_features) of the records that most likely have each label; 0 without any.

    A record counts for its most likely label alone, by the probability of that: soft shares would draw labels
    together that are mixed up on the same records.

    Parameters
    ----------
    features : dense or sparse array (n_points, n_features)
    posterior : float64 array (n_points, n_labels)
    voted : bool array (n_points,)
        Whether a record has a vote.
    """
    rows = np.flatnonzero(voted)
    best = posterior[rows].argmax(axis=1)
    weights = sp.csr_array((posterior[rows, best], (best, rows)), shape=(posterior.shape[1], len(voted)))
    sums = weights @ features
    totals = np.asarray(weights.sum(axis=1)).ravel()
    dense = sums.toarray() if sp.issparse(sums) else np.asarray(sums)
    return np.asarray(dense / np.where(totals > 0, totals, 1)[:, None], dtype=np.float64)


def joined(views: Sequence[FloatArray], weights: Sequence[float]) -> FloatArray:
    """The weighted mean of several similarities, for each pair of labels of those that know it."""
    stacked = np.stack(views)
    shares = np.maximum(weights, _LEAST)[:, None, None] * ~np.isnan(stacked)
    total, known = (shares * np.nan_to_num(stacked)).sum(axis=0), shares.sum(axis=0)
    return np.asarray(np.where(known > 0, total / np.maximum(known, _LEAST), np.nan))


def read_array(features: Any) -> Any:
    """Numbers about records or labels as a float array or CSR of unit rows.

    Sparse whole numbers are taken for counts of words: log(1 + count), rare words most. Columns of dense arrays
    are brought to one scale.
    """
    if sp.issparse(features):
        found = sp.csr_array(features, dtype=np.float64)
        if not np.isfinite(found.data).all():
            raise ConfigError("features must hold finite numbers; got NaN or infinity.")
        if (found.data >= 0).all() and (found.data == np.floor(found.data)).all():
            n_with = np.asarray((found > 0).sum(axis=0)).ravel()
            rarity = np.log((1 + found.shape[0]) / (1 + n_with)) + 1
            found = sp.csr_array(found.log1p() @ sp.diags_array(rarity))
        return unit_rows(found)
    array = np.asarray(features, dtype=np.float64)
    if array.ndim != 2 or not np.isfinite(array).all():
        what = "NaN or infinity" if array.ndim == 2 else f"shape {array.shape}"
        raise ConfigError(f"features must be an array (n_points, n_features) of finite numbers; got {what}.")
    spread = array.std(axis=0)
    return unit_rows((array - array.mean(axis=0)) / np.where(spread > 0, spread, 1))
