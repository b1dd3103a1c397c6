"""What :func:`metalwork.llm` is given, checked."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from metalwork._checks import check_callable
from metalwork.errors import LabelingError
from metalwork.sources._llm._prompt import TEMPLATE, compile_template
from metalwork.sources._llm._rule import Question

_LIKE_ITSELF: Final = {"temperature": 0, "seed": 0}
_OURS: Final = frozenset(
    {"model", "messages", "response_format", "logprobs", "top_logprobs", "max_tokens", "stream", "n"}
)


def make_question(
    lf: str, columns: tuple[str, ...], task: Any, descriptions: Any, examples: Any, template: Any, redact: Any
) -> Question:
    """What the model is asked; ``LabelingError`` for what cannot be, whatever the schema."""
    text = TEMPLATE if template is None else check_text(f"template of LF {lf!r}", template)
    compile_template(text, columns, lf)
    if isinstance(examples, str) or not isinstance(examples, Sequence):
        raise LabelingError(f"examples of LF {lf!r} must be a list of pairs; got {examples!r}.")
    return Question(
        None if task is None or isinstance(task, str) else check_names("task", task, lf),
        _descriptions(descriptions, lf),
        tuple(examples),
        text,
        None if redact is None else check_callable("redact", redact),
    )


def check_text(what: str, value: Any) -> str:
    """``value`` where it is a text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise LabelingError(f"{what} must be a text; got {value!r}.")
    return value


def check_names(what: str, value: Any, lf: str) -> tuple[str, ...]:
    """One name, or a list of them, as a tuple."""
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, Sequence) or not names or not all(isinstance(n, str) and n for n in names):
        raise LabelingError(f"{what} of LF {lf!r} must be a name or a list of them; got {value!r}.")
    return tuple(names)


def _descriptions(given: Any, lf: str) -> dict[str, str]:
    texts = {} if given is None else given
    if not isinstance(texts, Mapping) or not all(isinstance(t, str) for pair in texts.items() for t in pair):
        raise LabelingError(f"descriptions of LF {lf!r} must be a dict from labels to texts; got {given!r}.")
    return dict(texts)


def check_parameters(given: Any, lf: str) -> dict[str, Any]:
    """What requests hold beside what is set here; None leaves one of ours out."""
    if given is not None and (not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given)):
        raise LabelingError(f"parameters of LF {lf!r} must be a dict by name; got {given!r}.")
    own = _LIKE_ITSELF | dict(given or {})
    if taken := sorted(_OURS & own.keys()):
        raise LabelingError(
            f"parameters of LF {lf!r} must be none that mw.llm sets itself; got {taken[0]!r}. "
            "Use its arguments: model, template, logprobs, answer_tokens."
        )
    return {key: value for key, value in own.items() if value is not None}
