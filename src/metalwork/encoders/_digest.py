"""Which encoder it was: a digest of its weights."""

import hashlib
from typing import Any

import numpy as np


def encoder_digest(model: Any) -> str | None:
    """SHA-256 of an encoder's weights and of how long a text it reads; None where it has none that are known.

    Parameters
    ----------
    model : object
        A model of sentence-transformers, or any torch module; a model of model2vec.
    """
    found = hashlib.sha256(repr(getattr(model, "max_seq_length", None)).encode())
    if callable(getattr(model, "state_dict", None)):
        for name, tensor in sorted(model.state_dict().items()):
            array = tensor.detach().cpu().float().contiguous().numpy()
            found.update(f"{name} {array.shape}".encode())
            found.update(array.tobytes())
        return found.hexdigest()
    embedding = getattr(model, "embedding", None)
    if isinstance(embedding, np.ndarray):
        found.update(np.ascontiguousarray(embedding).tobytes())
        return found.hexdigest()
    return None
