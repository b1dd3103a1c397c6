"""Pictures, as the end model reads them through a convolutional network."""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

import numpy as np
import numpy.typing as npt

from metalwork._checks import check_count
from metalwork.data import read_records
from metalwork.errors import ConfigError, DataError
from metalwork.features._featurizer import Array, Featurizer, Learner
from metalwork.features._pixels import PixelReader, Pixels
from metalwork.features._records import is_frame, read_rows
from metalwork.features._tokens import check_field

if TYPE_CHECKING:
    from torch import nn

_SMALL: Final = "small"


class Images(Featurizer):
    """Pictures through a convolutional network that is trained with the end model.

    Records are arrays (n_points, height, width) or (n_points, height, width, n_channels), a list of pictures, or a
    frame with a column of them: paths, bytes of PNG, JPEG and so on, arrays. Features are pixels, each channel
    scaled to mean 0 and deviation 1 over the training records; a record takes 4 bytes a value in memory.

    Parameters
    ----------
    field : str, optional
        The column of records that holds the pictures. Not needed for arrays, or where there is one column.
    size : int or (int, int), optional
        Height and width that files are brought to. By default all must be of the size of the first one.
    backbone : str, default "small"
        ``"small"``: two to four convolutions, for pictures of few pixels. Else a classifier of torchvision by
        name, such as ``"resnet18"``, without its last layer; it needs ``metalwork[images]``.
    weights : path, optional
        A file of safetensors with weights of that classifier, from which it starts; made-up ones by default.
    folder : path, optional
        Where relative paths start; by default the folder that the process is in.

    Attributes
    ----------
    shape_ : (int, int, int)
        Height, width and channels of the pictures; set by :meth:`fit`.
    mean_, deviation_ : float64 array (n_channels,)
        Of the training records' values.
    """

    kind = "images"
    sparse: ClassVar[bool | None] = False
    has_named_features = False
    shape_: tuple[int, int, int]
    mean_: npt.NDArray[np.float64]
    deviation_: npt.NDArray[np.float64]

    def __init__(
        self,
        field: str | None = None,
        size: int | Sequence[int] | None = None,
        backbone: str = _SMALL,
        weights: str | Path | None = None,
        folder: str | Path | None = None,
    ) -> None:
        self.field = field
        self.size = size
        self.backbone = backbone
        self.weights = weights
        self.folder = folder

    @property
    def reads(self) -> Literal["text", "image", "tabular"]:
        """Pictures."""
        return "image"

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of pictures; empty where none is named."""
        return () if self.field is None else (self.field,)

    @property
    def n_features(self) -> int:
        """Number of values of a picture."""
        self._check_fitted()
        return math.prod(self.shape_)

    @property
    def has_module(self) -> bool:
        """It has: the convolutional network."""
        return True

    def fit(self, records: Any, y: Any = None) -> Self:
        """Learn the pictures' shape, and mean and deviation of their channels.

        Raises
        ------
        DataError
            For what is no picture, or of another shape than the first one.
        ConfigError
            When an argument is out of range.
        MissingExtraError
            Without ``metalwork[images]``, where files are read.
        """
        return self.fit_parts([records])

    def learner(self) -> Learner:
        """Reads each part, and keeps two sums a picture and channel."""
        self._check()
        return _Moments(self)

    def read(self, records: Any) -> Any:
        """The records in memory: an array as it is, a frame, or a list of pictures."""
        if isinstance(records, np.ndarray) and records.dtype.kind in "biuf":
            return records
        return read_rows(records, self.columns)

    def transform(self, records: Any) -> npt.NDArray[np.float32]:
        """float32 array (n_points, n_features) of scaled values, one channel after another."""
        self._check_fitted()
        height, width, n_channels = self.shape_
        values = self._values(records)
        found = np.empty((len(values), n_channels, height, width), np.float32)
        for row, value in enumerate(values):
            scaled = (self._picture(value, row, self.shape_) - self.mean_) / self.deviation_
            found[row] = scaled.transpose(2, 0, 1)
        return found.reshape(len(values), -1)

    def module(self, blank: bool = False) -> "nn.Module":
        """The network: with made-up weights, or those of ``weights`` unless a file is about to give some."""
        from metalwork.features._convolution import OfPictures, backbone_network, small_network

        self._check_fitted()
        height, width, n_channels = self.shape_
        shape = (n_channels, height, width)
        if self.backbone == _SMALL:
            return OfPictures(shape, small_network(shape), n_channels)
        return OfPictures(shape, backbone_network(self.backbone, None if blank else self.weights), 3)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """``"pixel 0"`` and so on: object array of str (n_features,)."""
        return np.array([f"pixel {i}" for i in range(self.n_features)], dtype=object)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Arguments, shape, and the channels' means and deviations; the end model's network has the weights."""
        self._check_fitted()
        size = self._size()
        paths = {name: None if getattr(self, name) is None else os.fspath(getattr(self, name)) for name in _PATHS}
        facts = {
            "field": self.field,
            "size": None if size is None else list(size),
            "backbone": self.backbone,
            "shape": list(self.shape_),
        }
        return facts | paths, {"mean": self.mean_, "deviation": self.deviation_}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """From its :meth:`state`."""
        shape, mean, deviation = tuple(facts["shape"]), arrays["mean"], arrays["deviation"]
        if len(shape) != 3 or not all(isinstance(side, int) and side > 0 for side in shape) or shape[2] > 4:
            raise DataError("The shape of images must be height, width and 1 to 4 channels.")
        for array in (mean, deviation):
            if array.shape != shape[2:] or array.dtype != np.float64 or not np.isfinite(array).all():
                raise DataError("The means and deviations of images must be finite, one a channel.")
        if not (deviation > 0).all():
            raise DataError("The deviations of images must be above 0.")
        size = None if facts["size"] is None else tuple(facts["size"])
        featurizer = cls(facts["field"], size, facts["backbone"], facts["weights"], facts["folder"])
        featurizer._check()
        featurizer.shape_, featurizer.mean_, featurizer.deviation_ = shape, mean, deviation
        return featurizer

    def _check(self) -> None:
        check_field(self.field)
        self._size()
        if not isinstance(self.backbone, str) or not self.backbone:
            raise ConfigError(f"backbone must be 'small' or a classifier of torchvision; got {self.backbone!r}.")
        for name in _PATHS:
            if not isinstance(getattr(self, name), str | os.PathLike | None):
                raise ConfigError(f"{name} must be a path; got {getattr(self, name)!r}.")
        if self.weights is not None and self.backbone == _SMALL:
            raise ConfigError("weights must go with a backbone of torchvision; 'small' has none. Leave them out.")

    def _size(self) -> tuple[int, int] | None:
        if self.size is None:
            return None
        sides: Any = self.size if isinstance(self.size, Sequence) else (self.size, self.size)
        if isinstance(sides, str) or len(sides) != 2:
            raise ConfigError(f"size must be a number of pixels, or a pair (height, width); got {self.size!r}.")
        height, width = (check_count("size", side) for side in sides)
        return height, width

    def _values(self, records: Any) -> Sequence[Any]:
        rows = self.read(records)
        if not is_frame(rows):
            return list(rows)
        frame = read_records(rows, columns=list(self.columns) or None)
        if frame.width != 1:
            raise ConfigError(
                "field of Images must name the column of pictures of records that have several; they have: "
                f"{', '.join(frame.columns)}. Pass Images(field=...)."
            )
        found: list[Any] = frame.to_series().to_list()
        return found

    def _picture(self, value: Any, row: int, shape: tuple[int, int, int] | None) -> Pixels:
        """A picture of that shape; of any, for None."""
        folder = Path.cwd() if self.folder is None else Path(self.folder)
        found = PixelReader(self._size(), None if shape is None else shape[2], folder).read(value, row)
        if shape is not None and found.shape != shape:
            raise DataError(
                f"images must have the shape of the first one, {shape}; got {found.shape} at row {row}. "
                "Bring them to one size: Images(size=...) does it for files."
            )
        return found


_PATHS: Final = ("weights", "folder")


class _Moments:
    """Finds means and deviations of channels, in sums that do not depend on the parts in which pictures come."""

    def __init__(self, featurizer: Images) -> None:
        self._featurizer = featurizer
        self._shape: tuple[int, int, int] | None = None
        self._sums: list[Array] = []
        self._squares: list[Array] = []

    def add(self, records: Any) -> None:
        for row, value in enumerate(self._featurizer._values(records)):
            picture = self._featurizer._picture(value, row, self._shape).astype(np.float64)
            height, width, n_channels = picture.shape
            self._shape = height, width, n_channels
            self._sums.append(picture.sum(axis=(0, 1)))
            self._squares.append(np.square(picture).sum(axis=(0, 1)))

    def finish(self) -> None:
        if self._shape is None:
            raise DataError("images must be at least one; got none.")
        n_values = len(self._sums) * self._shape[0] * self._shape[1]
        mean = np.array([math.fsum(column) for column in zip(*self._sums, strict=True)]) / n_values
        squares = np.array([math.fsum(column) for column in zip(*self._squares, strict=True)]) / n_values
        deviation = np.sqrt(np.maximum(squares - mean**2, 0.0))
        self._featurizer.shape_, self._featurizer.mean_ = self._shape, mean
        self._featurizer.deviation_ = np.where(deviation > 1e-6, deviation, 1.0)
