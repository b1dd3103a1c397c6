"""A folder with a model and its card, as model hubs have them: safetensors, config.json, README.md."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np

from metalwork import __version__
from metalwork._arrays import load_arrays, save_arrays
from metalwork._files import write_text
from metalwork.delivery._answers import Codes
from metalwork.delivery._card import front_matter, model_card
from metalwork.delivery._engines import Voting
from metalwork.delivery._sources import RunSource, Source
from metalwork.errors import ConfigError, DataError
from metalwork.features import Featurizer
from metalwork.label_models import LabelModel
from metalwork.labeling import LabelingFunction
from metalwork.pipeline import KeptLFs, file_digest, reads_votes
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.end_models import EndModel, OnnxCheck

_FORMAT: Final = "metalwork model 1"
_DEV_FORMAT: Final = "metalwork dev predictions 1"
CONFIG: Final = "config.json"
MODEL: Final = "model.safetensors"
FEATURIZER: Final = "featurizer.npz"
DEV: Final = "dev.npz"
ONNX: Final = "model.onnx"
CARD: Final = "README.md"
_MOST_CONFIG: Final = 1 << 26  # bytes


def write_folder(
    source: RunSource, path: str | os.PathLike[str], onnx: bool, quantise: bool
) -> "OnnxCheck | None":
    """Write the end model of a run into a new folder, whole or not at all, that ``Predictor.load`` reads.

    It holds the network with its featurizer, the schema, the card, and what was predicted on dev (no record), by
    which a confidence is chosen; with ``onnx`` also the network for onnxruntime.

    Raises
    ------
    ConfigError
        When there is something at ``path`` already, or the run has no end model that reads records alone.
    MissingExtraError
        When the extra ``onnx`` is asked for and not installed.
    """
    target = Path(path)
    if target.exists():
        raise ConfigError(f"{target} must be a new folder; there is something already. Name another.")
    source.pick("end")
    model = source.end_model("cpu")
    if reads_votes(model.featurizer_.columns):
        raise ConfigError(
            "The end model must read records alone to be exported; this one reads votes, and a folder holds no "
            "labeling functions. Hand on the run's folder."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp"))
    try:
        check = _fill(folder, source, model, onnx, quantise)
        folder.chmod(0o755)
        folder.rename(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return check


def _fill(folder: Path, source: RunSource, model: "EndModel", onnx: bool, quantise: bool) -> "OnnxCheck | None":
    model.save(folder / MODEL)
    model.featurizer_.save(folder / FEATURIZER)
    check = model.export_onnx(folder / ONNX, quantise=quantise) if onnx else None
    dev = known_dev(source, model.schema)
    if dev is not None:
        arrays: dict[str, Any] = {"end": dev[0].end.astype(np.float32), "gold": dev[1]}
        save_arrays(folder / DEV, _DEV_FORMAT, {"schema": model.schema.to_dict()}, arrays)
    columns = model.featurizer_.columns
    card = model_card(source.kept, source.name, model.schema, dev)
    write_text(folder / CARD, front_matter(columns, model.featurizer_.reads) + card)
    there = [name for name in (MODEL, FEATURIZER, ONNX, DEV) if (folder / name).exists()]
    config = {
        "format": _FORMAT,
        "metalwork": __version__,
        "name": source.name,
        "columns": list(columns),
        "types": dict(source.types),
        "schema": model.schema.to_dict(),
        "files": {name: file_digest(folder / name) for name in there},
    }
    write_text(folder / CONFIG, json.dumps(config, indent=2, ensure_ascii=False) + "\n")
    return check


def known_dev(source: RunSource, schema: TaskSchema) -> tuple[TaskProbabilities, Codes] | None:
    """What the end model predicted on the dev records of known label; None where there are none."""
    try:
        probs, gold = source.dev("end", schema)
    except ConfigError:
        return None
    rows = np.flatnonzero(gold >= 0)
    return (probs.rows(rows), gold[rows]) if rows.size else None


class FolderSource(Source):
    """A folder that :func:`write_folder` wrote."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._config = _read_config(path / CONFIG)
        self.name = str(self._config["name"])

    @property
    def has_onnx(self) -> bool:
        """Whether the network is there for onnxruntime."""
        return ONNX in self._config["files"]

    @cached_property
    def schema(self) -> TaskSchema:
        """The task tree."""
        return TaskSchema.from_dict(self._config["schema"])

    def file(self, name: str) -> Path:
        """The path of a file, whose content is compared with what the configuration says."""
        path, digest = self._path / name, self._config["files"].get(name)
        if digest is None or not path.is_file() or file_digest(path) != digest:
            raise DataError(
                f"{path}: must be as {CONFIG} says; it is missing or has changed. Export the run again."
            )
        return path

    @property
    def featurizer(self) -> Featurizer:
        """What turns records into features."""
        return Featurizer.load(self.file(FEATURIZER))

    def pick(self, model: str | None) -> str:
        if model not in (None, "end"):
            self._refuse("a label model")
        return "end"

    def end_model(self, device: str) -> "EndModel":
        from metalwork.end_models import EndModel

        return EndModel.load(self.file(MODEL), device=device)

    @property
    def label_model(self) -> LabelModel:
        self._refuse("a label model")

    def voting(self, lfs: Sequence[LabelingFunction] | None, run_code: bool, needed: bool) -> Voting | None:
        if needed or run_code or lfs is not None:
            self._refuse("labeling functions")
        return None

    @property
    def types(self) -> Mapping[str, str]:
        return dict(self._config["types"])

    def dev(self, model: str, schema: TaskSchema) -> tuple[TaskProbabilities, Codes]:
        if DEV not in self._config["files"]:
            self._refuse("dev records of known label")
        _, arrays = load_arrays(self.file(DEV), _DEV_FORMAT, ("end", "gold"))
        return TaskProbabilities(arrays["end"].astype(np.float64), schema), arrays["gold"]

    def predictions(self, model: str, schema: TaskSchema, split: str) -> Iterator[TaskProbabilities]:
        self._refuse("the predictions of its run")

    def votes(self, split: str, lfs: KeptLFs) -> Iterator[LabelMatrix]:
        self._refuse("the votes of its run")

    def _refuse(self, what: str) -> NoReturn:
        raise ConfigError(f"{self._path} must hold {what}; an exported model does not. Name the run's folder.")


def is_folder(path: Path) -> bool:
    """Whether a folder holds an exported model."""
    return (path / CONFIG).is_file() and not (path / "manifest.json").is_file()


def _read_config(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_CONFIG:
            raise ValueError
        config = json.loads(path.read_bytes())
        files, types = config["files"], config["types"]
        sound = config["format"] == _FORMAT and isinstance(config["name"], str)
        strings = [*files.items(), *types.items()]
        if not sound or not all(isinstance(text, str) for pair in strings for text in pair):
            raise ValueError
        if not set(files) <= {MODEL, FEATURIZER, ONNX, DEV}:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DataError(f"{path}: must be a {_FORMAT!r} file; it is damaged or something else.") from None
    return dict(config)
