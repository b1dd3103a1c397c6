"""From the settings of a label model or an end model to the model itself."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from metalwork import label_models
from metalwork._checks import FloatArray
from metalwork.errors import ConfigError
from metalwork.features import Featurizer
from metalwork.label_models import LabelModel
from metalwork.pipeline._settings import EndModelSettings, LabelModelSettings
from metalwork.schema import TaskSchema, unknown_name

if TYPE_CHECKING:
    from metalwork.end_models import EndModel

_LABEL_MODELS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "hierarchical": ("HierarchicalLabelModel", {}),
    "log-linear": ("LogLinearLabelModel", {}),
    "soft-vote": ("MajorityVote", {"mode": "soft"}),
    "hard-vote": ("MajorityVote", {"mode": "hard"}),
}

_SET_ELSEWHERE: Final = ("schema", "mode", "random_state", "featurizer")
_NO_OPTIONS: Final = (*_SET_ELSEWHERE, "input_module", "intermediate_module", "head_module")
"""Arguments that a project file sets elsewhere, or that are code."""

LABEL_MODEL_TITLES: Final = {
    "hierarchical": "Label model (hierarchical)",
    "log-linear": "Label model (log-linear, the paper's)",
    "soft-vote": "Label model (soft majority vote)",
    "hard-vote": "Label model (hard majority vote)",
}


def label_model_title(settings: LabelModelSettings) -> str:
    """What tables and the report call the label model."""
    return LABEL_MODEL_TITLES[settings.name] + " with features" * settings.features


def sees_dev(settings: LabelModelSettings) -> bool:
    """Whether the label model is given the dev labels."""
    return settings.use_dev and settings.name == "hierarchical"


def build_label_model(
    settings: LabelModelSettings, schema: TaskSchema, random_state: int, featurizer: Featurizer | None = None
) -> LabelModel:
    """The label model that ``settings`` name, which reads records by ``featurizer``, if they say so.

    Raises
    ------
    ConfigError
        For an option that it does not have.
    """
    kind, fixed = label_model_class(settings), _LABEL_MODELS[settings.name][1]
    arguments = _arguments(kind, settings.options, "label_model.options", random_state)
    model: LabelModel = kind(schema, **(arguments | fixed))
    return label_models.FeatureAwareLabelModel(schema, model, featurizer) if settings.features else model


def votes_model(model: LabelModel) -> LabelModel:
    """The part of a label model that reads the votes."""
    return model.base_ if isinstance(model, label_models.FeatureAwareLabelModel) else model


def build_end_model(
    settings: EndModelSettings, schema: TaskSchema, random_state: int, featurizer: Featurizer | None = None
) -> "EndModel":
    """The end model that ``settings`` describe; ``ConfigError`` for an option it does not have."""
    from metalwork.end_models import EndModel

    given = {"unsupervised": "warn"} | settings.arguments()  # labeling functions are written one by one
    arguments = _arguments(EndModel, given, "end_model.options", random_state)
    return EndModel(schema, featurizer=featurizer, **arguments)


def label_model_class(settings: LabelModelSettings) -> type[Any]:
    """The class of the label model that ``settings`` name."""
    kind: type[Any] = getattr(label_models, _LABEL_MODELS[settings.name][0])
    return kind


def known_options(model: type[Any]) -> list[str]:
    """The arguments of a model that a project file may give as options."""
    return [name for name in inspect.signature(model).parameters if name not in _NO_OPTIONS]


def _arguments(model: type[Any], options: dict[str, Any], key: str, random_state: int) -> dict[str, Any]:
    known = known_options(model)
    for name in options:
        if name not in known:
            raise ConfigError(f"{key}: {unknown_name('option', name, known)}")
    seeded = "random_state" in inspect.signature(model).parameters
    return options | ({"random_state": random_state} if seeded else {})


def class_prior(settings: LabelModelSettings, schema: TaskSchema) -> FloatArray | None:
    """The class prior (n_end_labels,) as written, in the order of the end labels."""
    prior = settings.class_prior
    return None if prior is None else np.array([prior[name] for name in schema.end_labels])


@contextmanager
def blaming(key: str, options: object) -> Iterator[None]:
    """Report a model's refusal of a value as a fault of the project file, where options were given there."""
    try:
        yield
    except ConfigError as error:
        if not options or str(error).startswith(key):
            raise
        raise ConfigError(f"{key}: {error}") from error


def notes_on_lfs(model: LabelModel) -> list[str]:
    """A sentence for each LF or group of LFs that the label model finds worth a look."""
    found = votes_model(model)
    return found.diagnose().notes() if isinstance(found, label_models.HierarchicalLabelModel) else []


def learned_accuracies(model: LabelModel) -> FloatArray | None:
    """What the label model estimates of each LF (n_lfs,): its accuracy in [0, 1]; None where it learns none."""
    found = getattr(votes_model(model), "accuracies_", None)
    return None if found is None else np.asarray(found, dtype=np.float64)
