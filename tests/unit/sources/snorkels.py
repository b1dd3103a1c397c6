"""Snorkel's labeling functions and preprocessors, made again: so little of them as the tests need."""

import pickle
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any


class LabelingFunction:
    """As ``snorkel.labeling.lf.core.LabelingFunction`` of version 0.10."""

    def __init__(
        self,
        name: str,
        f: Callable[..., int],
        resources: Mapping[str, Any] | None = None,
        pre: Sequence[Any] | None = None,
    ) -> None:
        self.name = name
        self._f = f
        self._resources = resources or {}
        self._pre = pre or []

    def __call__(self, x: Any) -> int:
        for preprocessor in self._pre:
            x = preprocessor(x)
            if x is None:
                raise ValueError("Preprocessor should not return None")
        return self._f(x, **self._resources)


def labeling_function(**options: Any) -> Callable[[Callable[..., int]], LabelingFunction]:
    """The decorator."""
    return lambda f: LabelingFunction(options.pop("name", f.__name__), f, **options)


class LambdaMapper:
    """As ``snorkel.map.core.LambdaMapper``: works on a copy by pickle, and remembers by content."""

    def __init__(self, f: Callable[[Any], Any], memoize: bool) -> None:
        self._f, self.memoize, self._cache = f, memoize, dict[Any, Any]()

    def __call__(self, x: Any) -> Any:
        assert isinstance(x, SimpleNamespace)  # Snorkel hashes these by what they hold
        key = frozenset(vars(x).items())
        if self.memoize and key in self._cache:
            return self._cache[key]
        found = self._f(pickle.loads(pickle.dumps(x)))
        if self.memoize:
            self._cache[key] = found
        return found


def preprocessor(memoize: bool = False) -> Callable[[Callable[[Any], Any]], LambdaMapper]:
    """The decorator."""
    return lambda f: LambdaMapper(f, memoize)
