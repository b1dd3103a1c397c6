"""The trained network, run by onnxruntime: torch is not loaded."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
import scipy.sparse as sp

from metalwork._checks import FloatArray
from metalwork.delivery._engines import Engine
from metalwork.errors import DataError, MissingExtraError
from metalwork.features import Featurizer
from metalwork.schema import TaskSchema

if TYPE_CHECKING:
    from metalwork.end_models import EndModel, FeatureEffect

_MOST_CELLS: Final = 1 << 24  # features of a batch, which are dense


def has_onnxruntime() -> bool:
    """Whether onnxruntime is installed."""
    try:
        import_module("onnxruntime")
    except ImportError:
        return False
    return True


class OnnxEngine(Engine):
    """Featurizer and ONNX file.

    Parameters
    ----------
    path : path
    featurizer : Featurizer
    schema : TaskSchema
    end_model : callable
        Gives the end model itself, which explains.
    """

    kind = "end"

    def __init__(
        self, path: Path, featurizer: Featurizer, schema: TaskSchema, end_model: Callable[[], "EndModel"]
    ) -> None:
        if not has_onnxruntime():
            raise MissingExtraError("onnxruntime", "onnx", "Predicting by an ONNX file")
        self.schema, self.columns = schema, featurizer.columns
        self._featurizer, self._end_model = featurizer, end_model
        self._model: EndModel | None = None
        self._session = _session(path, schema, featurizer.n_features)

    def proba(self, frame: pl.DataFrame) -> FloatArray:
        features = self._featurizer.transform(frame)
        size = max(1, _MOST_CELLS // features.shape[1])
        parts = []
        for start in range(0, frame.height, size):
            rows = features[start : start + size]
            dense = np.asarray(rows.toarray() if sp.issparse(rows) else rows, dtype=np.float32)
            parts.append(self._session.run(None, {"features": dense})[0].astype(np.float64))
        found = np.concatenate(parts)
        normalised: FloatArray = found / found.sum(axis=1, keepdims=True)
        return normalised

    def explain(self, frame: pl.DataFrame, end_label: str) -> "list[FeatureEffect]":
        if self._model is None:
            self._model = self._end_model()
        return self._model.explain(frame, 0, end_label)


def _session(path: Path, schema: TaskSchema, n_features: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # as the end model's own: small networks are slower with more
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        stored = json.loads(session.get_modelmeta().custom_metadata_map["schema"])
        shape = session.get_inputs()[0].shape
    except Exception as error:  # onnxruntime has errors of its own, which all say the same
        raise DataError(
            f"{path}: must be an ONNX file of metalwork's; it is not ({type(error).__name__})."
        ) from None
    if stored != schema.to_dict() or shape[1] != n_features:
        raise DataError(f"{path}: must be of the model's schema and features; it is of others. Export it again.")
    return session
