"""Probabilities of votes in Parquet files, written beside them."""

import os
from pathlib import Path

import numpy as np

from metalwork._files import atomic_write
from metalwork.errors import DataError
from metalwork.label_models._base import LabelModel
from metalwork.votes import VoteShards


def label_shards(model: LabelModel, shards: VoteShards, folder: str | os.PathLike[str]) -> list[Path]:
    """Write the probabilities of every chunk to ``folder``: ``name-00000.parquet`` and so on for shard ``name``.

    Columns are the end labels, float32; each file appears once it is whole. Returns the paths, in the records'
    order.
    """
    import polars as pl

    if len({path.stem for path in shards.paths}) != len(shards.paths):
        raise DataError("Vote shards must have distinct file names, for their probabilities are named after them.")
    written = []
    for path in shards.paths:
        for i, part in enumerate(shards.of(path)):
            end = model.predict_proba(part).end.astype(np.float32)
            frame = pl.from_numpy(end, schema=list(model.schema.end_labels))
            written.append(Path(folder) / f"{path.stem}-{i:05d}.parquet")
            with atomic_write(written[-1]) as stream:
                frame.write_parquet(stream)
    return written
