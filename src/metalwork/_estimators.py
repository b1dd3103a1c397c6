"""scikit-learn's conventions, kept in one place and without importing it."""

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from metalwork._names import unknown_name
from metalwork.errors import ConfigError, NotFittedError
from metalwork.schema import TaskSchema


class Estimator:
    """What scikit-learn's ``clone``, pipelines and searches ask of an estimator.

    A subclass's constructor stores its arguments untouched under their own names; its ``fit`` checks them, sets
    attributes that end in an underscore and returns ``self``.
    """

    _estimator_type: ClassVar[str | None] = None
    """"classifier" or "transformer", as scikit-learn calls them."""

    _called_before: ClassVar[str] = "it is used. Call fit first."
    """How the error of an estimator that is not fitted goes on."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments by name.

        Parameters
        ----------
        deep : bool
            Whether to list the arguments of arguments that are estimators, too, as ``name__argument``.
        """
        params = {name: getattr(self, name) for name in self._defaults()}
        if deep:
            for name, value in list(params.items()):
                if hasattr(value, "get_params") and not isinstance(value, type):
                    params |= {f"{name}__{inner}": v for inner, v in value.get_params().items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Change arguments, which count from the next ``fit``; ``name__argument`` changes those of an argument.

        Raises
        ------
        ConfigError
            For a name that is no argument; nothing is changed then.
        """
        known = tuple(self._defaults())
        nested: dict[str, dict[str, Any]] = {}
        for name, value in params.items():
            outer, found, inner = name.partition("__")
            owner = params.get(outer, getattr(self, outer)) if outer in known else None
            if outer not in known or (found and not hasattr(owner, "set_params")):
                raise ConfigError(unknown_name(f"argument of {type(self).__name__}", name, known))
            if found:
                nested.setdefault(outer, {})[inner] = value
        for name in params:
            if name in known:
                setattr(self, name, params[name])
        for name, inner_params in nested.items():
            getattr(self, name).set_params(**inner_params)
        return self

    def __repr__(self) -> str:
        defaults = self._defaults()
        shown = [_shown(name, getattr(self, name), default) for name, default in defaults.items()]
        return f"{type(self).__name__}({', '.join(text for text in shown if text)})"

    def __sklearn_is_fitted__(self) -> bool:
        return any(name.endswith("_") and not name.startswith("_") for name in vars(self))

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags, TransformerTags

        classifies = self._estimator_type == "classifier"
        return Tags(
            estimator_type=self._estimator_type,
            target_tags=TargetTags(required=classifies),
            transformer_tags=TransformerTags() if self._estimator_type == "transformer" else None,
            classifier_tags=ClassifierTags() if classifies else None,
            input_tags=InputTags(sparse=True),
        )

    @classmethod
    def _defaults(cls) -> Mapping[str, Any]:
        """The constructor's arguments and their defaults; ``inspect.Parameter.empty`` where there is none."""
        return {name: parameter.default for name, parameter in inspect.signature(cls).parameters.items()}

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(f"{type(self).__name__} must be fitted before {self._called_before}")


def as_classes(schema: TaskSchema) -> npt.NDArray[np.object_]:
    """A schema's end labels as scikit-learn's ``classes_``: an object array (n_end_labels,) of their names."""
    return np.array(schema.end_labels, dtype=object)


def _shown(name: str, value: Any, default: Any) -> str:
    """An argument as ``repr`` shows it: nothing for a default, the bare name for what has none."""
    if default is inspect.Parameter.empty:
        return name
    return "" if value is default or _equal(value, default) else f"{name}={value!r}"


def _equal(value: Any, default: Any) -> bool:
    try:
        return type(value) is type(default) and bool(np.all(value == default))
    except (TypeError, ValueError):  # arrays of other shapes, tensors and what else has its own idea of equality
        return False
