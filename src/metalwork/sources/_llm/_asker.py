"""Asking many prompts at once: what is kept is not asked again, what fails is retried, what must stop stops."""

import asyncio
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from metalwork.errors import LabelingError
from metalwork.sources._llm._answers import Answer
from metalwork.sources._llm._budget import Purse
from metalwork.sources._llm._client import Client, Connector, Dialect, RejectedError, Request, RetryError
from metalwork.sources._llm._endpoint import Endpoint
from metalwork.sources._llm._store import Store
from metalwork.sources._llm._tokens import count_tokens

_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 30.0
_MOST_FAILURES_IN_A_ROW: Final = 10

Outcome = Answer | Exception
"""What came of a prompt: an answer, or why there is none."""


@dataclass(frozen=True)
class Manner:
    """How an endpoint is asked.

    Attributes
    ----------
    concurrency, retries : int
    timeout : float
        Seconds an attempt may take.
    """

    concurrency: int
    timeout: float
    retries: int


class Asker:
    """Asks an endpoint many prompts.

    The first goes alone, until one is answered: a wrong key, or a form that the endpoint does not take, costs one
    request.
    """

    def __init__(self, endpoint: Endpoint, request: Request, manner: Manner, store: Store, purse: Purse) -> None:
        self._endpoint, self._request, self._manner = endpoint, request, manner
        self._store, self._purse = store, purse
        self._dialect = Dialect()
        self._outcomes: dict[str, Outcome] = {}
        self._stopped: LabelingError | None = None
        self._failures = 0  # in a row
        self._jitter = random.Random()

    @property
    def without(self) -> frozenset[str]:
        """The parts of a request that the endpoint was found not to take."""
        return self._dialect.without

    async def ask(self, prompts: Mapping[str, str]) -> dict[str, Outcome]:
        """The outcome of each prompt, by its key; every answer is in the store before the next is waited for.

        Raises
        ------
        LabelingError
            Where going on is useless or not allowed. What was under way is waited for, since it is paid for.
        """
        waiting = iter(prompts.items())
        connector = Connector(self._endpoint, self._manner.timeout)
        async with connector.connected() as client:
            for key, prompt in waiting:
                if await self._ask_one(client, key, prompt, learning=True):
                    break
        n_callers = min(self._manner.concurrency, len(prompts) - len(self._outcomes))
        await asyncio.gather(*(self._work(connector, waiting) for _ in range(n_callers)))
        if self._stopped is not None:
            raise self._stopped
        return self._outcomes

    async def _work(self, connector: Connector, waiting: Iterator[tuple[str, str]]) -> None:
        async with connector.connected() as client:
            while self._stopped is None and (next_ := next(waiting, None)) is not None:
                await self._ask_one(client, *next_)

    async def _ask_one(self, client: Client, key: str, prompt: str, learning: bool = False) -> bool:
        """Whether to go on to the others: the prompt was answered, or all must stop."""
        try:
            answer = await self._answer(client, prompt, learning)
            self._store.put(key, answer)
        except LabelingError as error:
            self._stopped = self._stopped or error
            return True
        except (RetryError, RejectedError) as error:
            self._outcomes[key] = error
            self._failures += 1
            self._stop_if_hopeless(error)
            return self._stopped is not None
        self._outcomes[key] = answer
        self._failures = 0
        return True

    def _stop_if_hopeless(self, error: Exception) -> None:
        hopeless = isinstance(error, RetryError) and error.unreachable
        if self._stopped is None and (hopeless or self._failures >= _MOST_FAILURES_IN_A_ROW):
            often = "" if hopeless else f", {self._failures} times in a row"
            self._stopped = LabelingError(
                f"{self._endpoint.url} must answer; {error}{often}. See that it runs, and that base_url and model "
                "are right; what was answered is kept and is not asked for again."
            )

    async def _answer(self, client: Client, prompt: str, learning: bool) -> Answer:
        """The answer to one prompt, after as many attempts as are allowed."""
        attempt = 0
        while True:
            try:
                return await self._attempt(client, prompt)
            except RejectedError as error:
                if not learning or not error.text or not self._dialect.learn(self._request, error.text):
                    raise
            except RetryError as error:
                attempt += 1
                if attempt > self._manner.retries or self._stopped is not None:
                    raise
                await self._pause(attempt, error.after)

    async def _attempt(self, client: Client, prompt: str) -> Answer:
        reserved = count_tokens(prompt), self._request.answer_tokens
        await asyncio.sleep(self._purse.reserve(*reserved))
        calls, used = 1, (reserved[0], 0)  # a request that fails may have been paid for
        try:
            answer = await client.ask(self._request.body(prompt, self._dialect.without))
            prompt_tokens = reserved[0] if answer.prompt_tokens is None else answer.prompt_tokens
            answer_tokens = count_tokens(answer.text) if answer.answer_tokens is None else answer.answer_tokens
            used = prompt_tokens, answer_tokens
            return answer
        except RetryError as error:
            if error.unreachable:
                calls, used = 0, (0, 0)
            raise
        finally:
            self._purse.settle(reserved, used, calls)

    async def _pause(self, attempt: int, after: float | None) -> None:
        """Wait as long as the endpoint asks, all calls together; else longer each time, and not in step."""
        if after is not None:
            self._purse.hold(after)
            return
        longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (attempt - 1))
        await asyncio.sleep(longest * (0.5 + self._jitter.random() / 2))
