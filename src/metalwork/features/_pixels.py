"""Pictures as arrays of pixels, from files, bytes, and arrays."""

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from metalwork.errors import DataError, MissingExtraError

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PixelReader:
    """Reads one picture after another.

    Attributes
    ----------
    size : (int, int) or None
        Height and width that files are brought to; as they are, for None.
    n_channels : int or None
        Of files: 1 for shades of grey, 3 for colours; as they are, for None.
    folder : path
        Where relative paths start.
    """

    size: tuple[int, int] | None
    n_channels: int | None
    folder: Path

    def read(self, value: Any, row: int) -> Pixels:
        """float32 array (height, width, n_channels) of a path, bytes or an array.

        Raises
        ------
        DataError
            For something that is no picture, or not there.
        """
        if isinstance(value, Mapping):  # as data sets of Hugging Face hold pictures
            value = value.get("path") if value.get("bytes") is None else value["bytes"]
        if isinstance(value, str | bytes | os.PathLike):
            return self._file(value, row)
        try:
            array = np.asarray(value, dtype=np.float32)
        except (TypeError, ValueError):
            array = np.empty(0, np.float32)
        if array.ndim == 2:
            array = array[:, :, None]
        if array.ndim != 3 or not 1 <= array.shape[2] <= 4 or not array.size:
            got = f"an array of shape {array.shape}" if array.size else type(value).__name__
            raise DataError(
                "images must be paths, bytes, or arrays (height, width) or (height, width, n_channels) with 1 to "
                f"4 channels; got {got} at row {row}. Give pictures of that kind, or drop the record."
            )
        if not np.isfinite(array).all():
            raise DataError(
                f"images must be of finite numbers; got NaN or infinity at row {row}. Drop the record."
            )
        return array

    def _file(self, value: Any, row: int) -> Pixels:
        try:
            from PIL import Image
        except ImportError:
            raise MissingExtraError("pillow", "images", "Reading pictures") from None
        place = io.BytesIO(value) if isinstance(value, bytes) else self.folder / value
        try:
            with Image.open(place) as picture:
                grey = (
                    picture.mode in ("1", "L", "LA", "I", "I;16")
                    if self.n_channels is None
                    else self.n_channels == 1
                )
                found = picture.convert("L" if grey else "RGB")
        except Exception as error:
            name = f"{len(value)} bytes" if isinstance(value, bytes) else repr(os.fspath(value))
            why = "there is no such file" if isinstance(error, FileNotFoundError) else "it cannot be read as one"
            raise DataError(
                f"images must be pictures that can be opened; got {name} at row {row}: {why}. "
                "Relative paths start at the featurizer's folder."
            ) from None
        if self.size is not None:
            found = found.resize(self.size[::-1], Image.Resampling.BILINEAR)
        array = np.asarray(found, dtype=np.float32)
        return array[:, :, None] if array.ndim == 2 else array
