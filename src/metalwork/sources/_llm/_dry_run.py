"""What asking a language model would take, counted without asking it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from metalwork.errors import LabelingError
from metalwork.labeling import AsksSchema, BatchRule, LabelingFunction, Spaces, apply
from metalwork.schema import TaskSchema
from metalwork.sources._llm._rule import Bound, LanguageModel
from metalwork.sources._llm._store import Store
from metalwork.sources._llm._tokens import count_tokens

_TOKENS_A_CALL: Final = 7
"""What endpoints add to a prompt and count, roughly."""


@dataclass(frozen=True)
class DryRun:
    """What asking a language model about some records would take, by estimate; nothing was sent.

    Attributes
    ----------
    n_records : int
    n_kept : int
        Records whose answer is kept already.
    n_calls : int
        Requests: one for all records with the same prompt, none for an empty record.
    prompt_tokens, answer_tokens : int
        Of all calls.
    cost : float or None
        In the currency of ``prices``; None where none are given.
    """

    n_records: int
    n_kept: int
    n_calls: int
    prompt_tokens: int
    answer_tokens: int
    cost: float | None

    def __str__(self) -> str:
        cost = "" if self.cost is None else f", cost about {self.cost:,.2f}"
        return (
            f"{self.n_records:,} records: {self.n_calls:,} calls, about {self.prompt_tokens:,} tokens of prompts "
            f"and {self.answer_tokens:,} of answers{cost}; {self.n_kept:,} records have an answer already"
        )


@dataclass(frozen=True, eq=False, repr=False)
class LanguageModelFunction(LabelingFunction):
    """A labeling function that asks a language model; made by :func:`metalwork.llm`."""

    def check(self, schema: Spaces) -> None:
        """Raise ``LabelingError`` where tasks, descriptions, examples or template do not fit; nothing is sent."""
        model = self.function
        assert isinstance(model, LanguageModel)
        if self.task is None and not isinstance(schema, TaskSchema):
            raise LabelingError(
                f"LF {self.name!r} must name its task with a {type(schema).__name__}; got None. "
                "Only trees have LFs of all their tasks."
            )
        model.bound(schema, self.task)

    def dry_run(self, records: Any, schema: Spaces, *, format: str | None = None) -> DryRun:
        """Count the calls and tokens that :func:`metalwork.apply` would need, without any.

        Tokens are estimated from the texts. Neither the extra ``[llm]`` nor a key is needed.

        Parameters
        ----------
        records, schema, format
            As ``apply`` takes them.

        Raises
        ------
        LabelingError
            When the labeling function does not fit the schema or the columns.
        """
        model = self.function
        assert isinstance(model, LanguageModel)
        counting = _Counting(model)
        apply([replace(self, function=counting)], records, schema, format=format)
        return counting.found()


class _Counting(AsksSchema):
    """In place of a language model: counts what it would be asked, and abstains."""

    def __init__(self, model: LanguageModel) -> None:
        self._model, self._path = model, model.service.path
        self._bound: Bound | None = None
        self._seen: dict[str, bool] = {}
        self._n_records = self._n_kept = self._prompt = self._answer = 0

    def __call__(self, *values: Any) -> None:
        return None

    def knowing(self, space: Spaces, task: str | None) -> BatchRule:
        self._bound = self._model.bound(space, task)
        return BatchRule(self._count)

    def _count(self, *columns: list[Any]) -> list[Any]:
        assert self._bound is not None
        n_points = len(columns[0])
        self._n_records += n_points
        prompts = (self._bound.prompt(*values) for values in zip(*columns, strict=True))
        if not self._path.exists():
            self._count_all(filter(_is_text, prompts), lambda _: False)
            return [None] * n_points
        with Store(self._path) as store:
            self._count_all(filter(_is_text, prompts), lambda key: store.get(key) is not None)
        return [None] * n_points

    def _count_all(self, prompts: Iterable[Any], is_kept: Callable[[str], bool]) -> None:
        bound = self._bound
        assert bound is not None
        for prompt in prompts:
            key = bound.key(prompt)
            if key not in self._seen:
                self._seen[key] = is_kept(key)
                if not self._seen[key]:
                    self._prompt += count_tokens(prompt) + _TOKENS_A_CALL
                    self._answer += bound.answer_tokens
            self._n_kept += self._seen[key]

    def found(self) -> DryRun:
        """What was counted."""
        n_calls = len(self._seen) - sum(self._seen.values())
        cost = self._model.service.limits.cost(self._prompt, self._answer)
        return DryRun(self._n_records, self._n_kept, n_calls, self._prompt, self._answer, cost)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
