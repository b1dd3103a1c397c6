"""Vectors that an encoder made of texts before, kept on disk."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from metalwork.encoders._encoder import Encoder, Vectors
from metalwork.labeling import Entry, store_at

_AT_ONCE: Final = 1024  # texts between two writes: what is lost when a process is killed


def encode_kept(encoder: Encoder, texts: Sequence[str], cache: Path | str | bool) -> Vectors:
    """What an encoder makes of texts; those it has read before, also in other processes, are looked up.

    Parameters
    ----------
    encoder : Encoder
    texts : sequence of str
    cache : path or bool
        As for :func:`metalwork.apply`: True is the user's cache, False none. Encoders whose weights are not known,
        such as functions, are asked each time.

    Returns
    -------
    float32 array (n_texts, n_dimensions)
    """
    digest = encoder.digest
    store = store_at(cache) if digest is not None else None
    if store is None or not len(texts):
        return encoder(list(texts))
    keys = {text: _key(str(digest), text) for text in texts}
    found: dict[str, Vectors] = {}
    for part in _parts(list(keys)):
        kept = store.get([keys[text] for text in part])
        known = {t: np.frombuffer(kept[keys[t]].value, "<f4") for t in part if keys[t] in kept}
        lacking = [text for text in part if text not in known]
        if lacking:
            made = dict(zip(lacking, encoder(lacking), strict=True))
            owner = f"embeddings of {encoder.name}"
            store.put(Entry(keys[t], owner, "", vector.astype("<f4").tobytes()) for t, vector in made.items())
            known |= made
        found |= known
    store.close()
    return np.stack([found[text] for text in texts]).astype(np.float32)


def _key(digest: str, text: str) -> bytes:
    return hashlib.sha256(f"embedding {digest} ".encode() + text.encode("utf-8", "surrogatepass")).digest()


def _parts(texts: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), _AT_ONCE):
        yield texts[start : start + _AT_ONCE]
