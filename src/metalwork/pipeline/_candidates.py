"""Which settings are tried beside those of the project."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import ValidationError

from metalwork.errors import ConfigError, MissingExtraError
from metalwork.pipeline._features import label_model_featurizer
from metalwork.pipeline._settings import EndModelSettings, FeatureSettings, LabelModelSettings, TuneSettings

_KINDS: Final = ("name", "architecture")
_KEPT: Final = ("use_dev", "class_prior")
"""What another kind of model takes over from the project; the rest are arguments of the one that it names."""
_AS_GIVEN: Final = "as the project says"

_LABEL_MODELS: Final[tuple[dict[str, Any], ...]] = ({"name": "hierarchical"}, {"name": "soft-vote"})
_LINEAR: Final[tuple[dict[str, Any], ...]] = (
    {"architecture": "tree"},
    {"options": {"l2": 0.1}},
    {"options": {"l2": 10.0}},
)
_NETWORKS: Final[tuple[dict[str, Any], ...]] = (
    {"architecture": "linear"},
    {"hidden_sizes": [50]},
    {"max_epochs": 5},
    {"options": {"input_dropout": 0.5}},
)

S = TypeVar("S", LabelModelSettings, EndModelSettings)


class Candidate(NamedTuple):
    """Settings to try, and what they change."""

    settings: Any
    name: str
    place: int = -1
    """Position in the project's own list; -1 where it names none."""


def label_models(base: LabelModelSettings, tune: TuneSettings, features: FeatureSettings) -> list[Candidate]:
    """The project's label model first, then the others; with features where there are some for it."""
    grid = tune.label_models
    if grid is None:
        can_read = base.name != "hard-vote" and label_model_featurizer(features) is not None
        turned = [{"features": not base.features}] if can_read else []
        return _distinct(base, [*_LABEL_MODELS, *turned])
    return _distinct(base, [own.model_dump(exclude_unset=True) for own in grid], "tune.label_models")


def end_models(base: EndModelSettings, tune: TuneSettings, random_state: int) -> list[Candidate]:
    """The project's end model first, then the others; nothing else where it has none."""
    if base.is_none:
        return [Candidate(base, _AS_GIVEN)]
    grid = tune.end_models
    if grid is None:
        found = _distinct(base, _LINEAR if base.architecture == "linear" else _NETWORKS)
    else:
        found = _distinct(base, [own.model_dump(exclude_unset=True) for own in grid], "tune.end_models")
    drawn = draw(base.architecture, tune.trials, random_state) if tune.trials else ()
    return found + [Candidate(changed(base, patch), _named(patch)) for patch in drawn]


def changed(base: S, patch: Mapping[str, Any]) -> S:
    """Settings with some keys of others; another kind of model starts from its own defaults."""
    given = base.model_dump(exclude_unset=True)
    if any(kind in patch and patch[kind] != getattr(base, kind) for kind in _KINDS):
        given = {key: value for key, value in given.items() if key in _KEPT}
    options = {**given.get("options", {}), **patch.get("options", {})}
    found: S = type(base).model_validate({**given, **patch, **({"options": options} if options else {})})
    return found


def draw(architecture: str, n: int, random_state: int) -> list[dict[str, Any]]:
    """Changes of an end model, spread evenly over ranges by Optuna's quasi-Monte Carlo sampler.

    What it draws does not depend on any score. A sampler that learns from scores would have seen the dev records
    that judge the choice, unless the whole search were repeated for each fold.

    Raises
    ------
    MissingExtraError
        When the extra ``tune`` is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise MissingExtraError("optuna", "tune", "Drawing settings to try (tune: trials)") from None
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.QMCSampler(scramble=True, seed=random_state, warn_independent_sampling=False)
        study = optuna.create_study(sampler=sampler)
        found = []
        for _ in range(n):
            trial = study.ask(_ranges(architecture, optuna.distributions))
            found.append(_as_patch(trial.params))
            study.tell(trial, 0.0)
    finally:
        optuna.logging.set_verbosity(verbosity)
    return found


def _ranges(architecture: str, kinds: Any) -> dict[str, Any]:
    if architecture == "linear":
        return {"l2": kinds.FloatDistribution(0.01, 100.0, log=True)}
    return {
        "units": kinds.IntDistribution(32, 512, log=True),
        "lr": kinds.FloatDistribution(3e-4, 1e-2, log=True),
        "max_epochs": kinds.IntDistribution(4, 40, log=True),
        "dropout": kinds.FloatDistribution(0.0, 0.6),
        "input_dropout": kinds.FloatDistribution(0.0, 0.6),
        "weight_decay": kinds.FloatDistribution(1e-3, 0.3, log=True),
    }


def _as_patch(drawn: Mapping[str, Any]) -> dict[str, Any]:
    rounded = {key: float(f"{value:.2g}") if isinstance(value, float) else value for key, value in drawn.items()}
    patch: dict[str, Any] = {key: rounded.pop(key) for key in ("lr", "max_epochs") if key in rounded}
    if "units" in rounded:
        patch["hidden_sizes"] = [rounded.pop("units")]
    return {**patch, "options": rounded}


def _distinct(base: S, patches: Sequence[Mapping[str, Any]], key: str | None = None) -> list[Candidate]:
    """The settings as they are, and each other ones; ``key`` is where the project lists the patches."""
    found = [Candidate(base, _AS_GIVEN)]
    for i, patch in enumerate(patches):
        try:
            settings = changed(base, patch)
        except ValidationError as error:
            text = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise ConfigError(f"{key}[{i}] {text}. Take it out, or change what stands beside it.") from None
        if all(settings != other.settings for other in found):
            found.append(Candidate(settings, _named(patch), -1 if key is None else i))
    return found


def _named(patch: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {_shown(value)}" for key, value in _flat(patch))


def _flat(patch: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in patch.items():
        if key == "options":
            yield from value.items()
        else:
            yield key, value


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
