"""Language models as labeling functions."""

import hashlib
import json
import uuid
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from metalwork._names import is_missing
from metalwork.errors import LabelingError, MetalworkWarning, MissingExtraError
from metalwork.labeling import AsksSchema, BatchRule, Spaces, run_async
from metalwork.schema import TaskSchema, unknown_name
from metalwork.sources._llm._answers import UnreadableAnswerError, read_answer, read_shares
from metalwork.sources._llm._asker import Asker, Manner, Outcome
from metalwork.sources._llm._budget import Limits, Purse
from metalwork.sources._llm._choices import Choices
from metalwork.sources._llm._client import Request
from metalwork.sources._llm._endpoint import Endpoint
from metalwork.sources._llm._prompt import Prompter, Redact, RedactError, answer_text
from metalwork.sources._llm._store import Store, default_path
from metalwork.sources._llm._tokens import count_tokens

_WEAKER = {
    "logprobs": "gives no probabilities of tokens: its votes are plain labels",
    "temperature": "does not take the temperature: its answers may differ from call to call",
    "seed": "does not take a seed: its answers may differ from call to call",
}


@dataclass(frozen=True)
class Question:
    """What a language model is asked, apart from the labels, which the schema has.

    Attributes
    ----------
    tasks : tuple of str or None
        None: all tasks of the tree.
    descriptions : dict
    examples : sequence of (record, label)
    template : str
    redact : callable or None
    """

    tasks: tuple[str, ...] | None
    descriptions: Mapping[str, str]
    examples: Sequence[Any]
    template: str
    redact: Redact | None

    def choices(self, space: Spaces, task: str | None, lf: str) -> Choices:
        """The valid answers; ``LabelingError`` where tasks or descriptions do not fit the schema."""
        if task is not None:
            found = Choices.of_task(space, task)
        else:
            assert isinstance(space, TaskSchema)  # apply has seen to it
            for name in self.tasks or ():
                if name not in space.tasks:
                    raise LabelingError(f"LF {lf!r}: " + unknown_name("task of the schema", name, space.tasks))
            found = Choices.of_tree(space, space.tasks if self.tasks is None else self.tasks)
        return found.described(self.descriptions, lf)


@dataclass(frozen=True)
class Service:
    """Where and how a language model is asked.

    Attributes
    ----------
    endpoint : Endpoint
    model : str
    parameters : dict
    answer_tokens : int
    logprobs : bool
    manner : Manner
    limits : Limits
    cache : Path or None
    """

    endpoint: Endpoint
    model: str
    parameters: Mapping[str, Any]
    answer_tokens: int
    logprobs: bool
    manner: Manner
    limits: Limits
    cache: Path | None

    @property
    def path(self) -> Path:
        """The file in which answers are kept."""
        return default_path() if self.cache is None else self.cache


_ACCOUNTS: WeakKeyDictionary[AsksSchema, str] = WeakKeyDictionary()
"""What each language model of this process spends from; not in the model, since it is no part of what that is."""


class LanguageModel(AsksSchema):
    """Asks a language model about records; ``knowing`` tells it the labels."""

    def __init__(self, name: str, fields: tuple[str, ...], question: Question, service: Service) -> None:
        self.name, self.fields, self.question, self.service = name, fields, question, service

    def bound(self, space: Spaces, task: str | None) -> "Bound":
        """What turns records into prompts, and answers into votes."""
        choices = self.question.choices(space, task, self.name)
        account = _ACCOUNTS.setdefault(self, uuid.uuid4().hex)
        question = self.question
        prompter = Prompter(choices, self.fields, question.template, question.examples, question.redact, self.name)
        return Bound(self.name, choices, prompter, self.service, account)

    def knowing(self, space: Spaces, task: str | None) -> BatchRule:
        """The rule that asks; refuses what would fail for every record."""
        if find_spec("httpx") is None:
            raise MissingExtraError("httpx", "llm", "mw.llm")
        bound = self.bound(space, task)
        bound.check_key()
        return BatchRule(bound)

    def __call__(self, *values: Any) -> Any:
        raise LabelingError(f"LF {self.name!r} must know the labels of its task. Run it with mw.apply.")


class Bound:
    """A language model that knows what it is asked; called with a list of values a field."""

    def __init__(self, name: str, choices: Choices, prompter: Prompter, service: Service, account: str) -> None:
        self._name, self.choices, self._prompter = name, choices, prompter
        self._service, self._account = service, account
        self._request = Request(
            service.model, service.parameters, choices.names, service.answer_tokens, service.logprobs
        )

    @property
    def answer_tokens(self) -> int:
        """About how many tokens an answer has, where the model gives it alone."""
        return round(sum(count_tokens(answer_text(name)) for name in self.choices.names) / len(self.choices.names))

    def check_key(self) -> None:
        """``LabelingError`` where a key is needed and is not there."""
        self._service.endpoint.key()

    def __call__(self, *columns: list[Any]) -> list[Any]:
        prompts = [self.prompt(*values) for values in zip(*columns, strict=True)]
        keys = {text: self.key(text) for text in prompts if isinstance(text, str)}
        outcomes, without = run_async(self._ask({key: text for text, key in keys.items()})) if keys else ({}, ())
        self._say_what_is_weaker(without)
        votes: dict[str, Any] = {text: self._vote(outcomes[key]) for text, key in keys.items()}
        return [votes[text] if isinstance(text, str) else text for text in prompts]

    def prompt(self, *values: Any) -> str | Exception | None:
        """What to send about a record; None for an empty one; what ``redact`` raised, and then nothing is sent."""
        if all(map(is_missing, values)):
            return None
        try:
            return self._prompter(*values)
        except LabelingError:
            raise
        except RedactError as error:
            return RedactionFailedError(f"the record was not sent: {error}")
        except Exception as error:  # whose message may quote what was to be redacted
            return RedactionFailedError(f"the record was not sent: redact raised {type(error).__name__}")

    def key(self, prompt: str) -> str:
        """What an answer is kept under: a digest of all that it depends on, but for the key to the endpoint."""
        service = self._service
        parts = {"url": service.endpoint.url, **asdict(self._request), "prompt": prompt}
        text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    async def _ask(self, prompts: Mapping[str, str]) -> tuple[dict[str, Outcome], frozenset[str]]:
        """What came of each prompt by its key; the parts of a request that the endpoint did not take."""
        service = self._service
        with Store(service.path) as store:
            found: dict[str, Outcome] = {key: kept for key in prompts if (kept := store.get(key)) is not None}
            missing = {key: text for key, text in prompts.items() if key not in found}
            if not missing:
                return found, frozenset()
            endpoint = f"{service.endpoint.url} {service.model}"
            purse = Purse(service.limits, store, self._account, endpoint, self._name)
            asker = Asker(service.endpoint, self._request, service.manner, store, purse)
            return found | await asker.ask(missing), asker.without

    def _say_what_is_weaker(self, without: Collection[str]) -> None:
        for name, what in _WEAKER.items():
            if name in without:
                warnings.warn(f"LF {self._name!r}: {self._service.endpoint.url} {what}.", MetalworkWarning)

    def _vote(self, outcome: Outcome) -> Any:
        """A vote, None for an abstain, or an exception for a failure."""
        if isinstance(outcome, Exception):
            return outcome
        try:
            choice = read_answer(outcome, self.choices)
        except UnreadableAnswerError as error:
            return error
        shares = None
        if choice is not None and self._service.logprobs:
            shares = read_shares(outcome, self.choices, choice.name)
        return self.choices.vote(choice, shares)


class RedactionFailedError(Exception):
    """A record that was not sent, because what was to redact it failed."""
