"""One request to an OpenAI-compatible endpoint: what is sent, and what came of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from metalwork.errors import LabelingError, MissingExtraError
from metalwork.sources._llm._answers import Answer
from metalwork.sources._llm._endpoint import Endpoint, scrubbed

if TYPE_CHECKING:
    import httpx

_MOST_BYTES: Final = 4_000_000
_CONNECT_S: Final = 10.0
_MOST_TOKENS_READ: Final = 512
_LEAST_CHANCE: Final = -100.0
_LONGEST_HOLD_S: Final = 600.0
_RETRIED: Final = frozenset({408, 409, 425, 429, *range(500, 600)})
_OFFERED: Final = ("response_format", "logprobs", "seed", "temperature", "max_tokens")
"""Parts of a request that not every endpoint takes, in the order in which they are given up."""


class RetryError(Exception):
    """A request that may do better later; ``after`` is how long the endpoint asks to wait, if it does."""

    def __init__(self, reason: str, after: float | None = None, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.after, self.unreachable = after, unreachable


class RejectedError(Exception):
    """A request that the endpoint refuses as it is: a failure on its record, with the reason."""

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(reason)
        self.text = text


@dataclass(frozen=True)
class Request:
    """All of a request but the prompt.

    Attributes
    ----------
    model : str
    parameters : dict
        What else the body holds: temperature, seed, and the user's own.
    labels : tuple of str
        Valid answers.
    answer_tokens : int
    logprobs : bool
    """

    model: str
    parameters: Mapping[str, Any]
    labels: tuple[str, ...]
    answer_tokens: int
    logprobs: bool

    def body(self, prompt: str, without: frozenset[str] = frozenset()) -> dict[str, Any]:
        """What is sent, without what the endpoint does not take."""
        body: dict[str, Any] = {"model": self.model, "messages": [{"role": "user", "content": prompt}]}
        limit = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
        body[limit] = self.answer_tokens
        if "response_format" not in without:
            body["response_format"] = {"type": "json_schema", "json_schema": _schema(self.labels)}
        if self.logprobs and "logprobs" not in without:
            body |= {"logprobs": True, "top_logprobs": 20}
        return body | {name: value for name, value in self.parameters.items() if name not in without}


@dataclass
class Dialect:
    """What an endpoint has been found not to take."""

    without: frozenset[str] = field(default_factory=frozenset)

    def learn(self, request: Request, refusal: str) -> bool:
        """Give up a part of the request that a refusal names, else the answer's form; False where none is left."""
        left = [name for name in _OFFERED if name not in self.without and _has(request, name)]
        named = [name for name in left if name in refusal.lower()]
        if "json_schema" in refusal.lower():
            named = [name for name in left if name == "response_format"] or named
        given_up = named or [name for name in left if name == "response_format"]
        self.without |= frozenset(given_up[:1])
        return bool(given_up)


class Client:
    """Asks one endpoint; made by a :class:`Connector`."""

    def __init__(self, http: "httpx.AsyncClient", endpoint: Endpoint, key: str | None, timeout: float) -> None:
        self._http, self._endpoint, self._key, self._timeout = http, endpoint, key, timeout

    async def ask(self, body: Mapping[str, Any]) -> Answer:
        """The answer to one request.

        Raises
        ------
        RetryError, RejectedError
            For what concerns this request.
        LabelingError
            For what would befall every other request too: a wrong key, an unknown model, a spent account.
        """
        import httpx

        address = self._endpoint.url
        try:
            async with asyncio.timeout(self._timeout):
                status, headers, content = await self._post(body)
        except TimeoutError:
            raise RetryError(f"{address} gave no answer within {self._timeout:g} s") from None
        except httpx.ConnectError as error:
            reason = scrubbed(str(error), self._key)
            raise RetryError(f"{address} cannot be reached ({reason})", unreachable=True) from None
        except (httpx.TimeoutException, httpx.TransportError) as error:
            reason = scrubbed(str(error) or type(error).__name__, self._key)
            raise RetryError(f"{address} broke off ({reason})") from None
        except httpx.DecodingError:
            raise RetryError(f"{address} gave an answer that cannot be unpacked") from None
        if status == 200:
            return read_completion(content, address)
        raise self._error(status, headers, content, str(body["model"]))

    async def _post(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        data = json.dumps(body, ensure_ascii=True).encode("ascii")
        async with self._http.stream("POST", f"{self._endpoint.url}/chat/completions", content=data) as response:
            content = bytearray()
            async for part in response.aiter_bytes():
                content += part
                if len(content) > _MOST_BYTES:
                    raise RejectedError(f"{self._endpoint.url} gave an answer of more than {_MOST_BYTES:,} bytes")
            return response.status_code, response.headers, bytes(content)

    def _error(self, status: int, headers: Mapping[str, str], content: bytes, model: str) -> Exception:
        """What a status other than 200 means."""
        address, (message, about) = self._endpoint.url, _message(content)
        text = scrubbed(message, self._key)
        said = f"status {status}" + (f": {text}" if text else "")
        if status in (401, 403):
            return LabelingError(self._wrong_key(status))
        if status == 402 or (status == 429 and "insufficient_quota" in about):
            return LabelingError(
                f"the account at {address} must have credit; got {said}. Add some, or ask elsewhere."
            )
        if status in (404, 405):
            return LabelingError(
                f"model must be one that {address} has; got {model!r}, and {said}. "
                "Correct model, or base_url, which mostly ends with /v1."
            )
        if 300 <= status < 400:
            return LabelingError(
                f"base_url must be the endpoint's own address; {address} sends elsewhere (status {status}), which "
                "is not followed since the key would go there. Correct it."
            )
        if status in _RETRIED:
            after = read_retry_after(headers.get("retry-after"))
            if after is not None and after > _LONGEST_HOLD_S:
                return LabelingError(
                    f"{address} asks to wait {after:.0f} s ({said}). Run this again then; what was answered is "
                    "kept and is not asked for again."
                )
            return RetryError(f"{address} gave {said}", after)
        return RejectedError(f"{address} gave {said}", f"{message} {about}")

    def _wrong_key(self, status: int) -> str:
        address, variable = self._endpoint.url, self._endpoint.key_variable
        if self._key is None:
            where = "pass api_key_env='...'" if variable is None else f"set the environment variable {variable}"
            return f"{address} must be given a key; none was sent (status {status}). To send one, {where}."
        return (
            f"the key in the environment variable {variable} must be one that {address} takes; "
            f"it was refused (status {status}). Set {variable} to a valid key."
        )


class Connector:
    """Connects to an endpoint, as often as calls are to be made at a time.

    One pool of many connections would look at all of them for each call.
    """

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingExtraError("httpx", "llm", "mw.llm") from None
        self._endpoint, self._timeout = endpoint, timeout
        self._certificates = httpx.create_ssl_context()  # which takes long to load

    @asynccontextmanager
    async def connected(self) -> "AsyncIterator[Client]":
        """A client for one call after another; it alone holds the key, read from the environment now."""
        import httpx

        key = self._endpoint.key()
        headers = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "metalwork"}
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        async with httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(self._timeout, connect=min(self._timeout, _CONNECT_S)),
            limits=httpx.Limits(max_connections=1),
            verify=self._certificates,
            follow_redirects=False,
            trust_env=not self._endpoint.is_here,  # no proxy for this machine
        ) as http:
            yield Client(http, self._endpoint, key, self._timeout)


def read_completion(content: bytes, address: str) -> Answer:
    """The answer in the body of a chat completion; ``RetryError`` where it is none."""
    try:
        value = json.loads(content)
        choice = value["choices"][0]
        message = choice["message"]
        text = message.get("content")
        usage = value.get("usage") or {}
        return Answer(
            text if isinstance(text, str) else "",
            str(choice.get("finish_reason") or ""),
            str(message.get("refusal") or ""),
            _read_tokens(choice.get("logprobs")),
            _count(usage.get("prompt_tokens")),
            _count(usage.get("completion_tokens")),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        begin = scrubbed(content[:200].decode("utf-8", "replace"), None)
        raise RetryError(f"{address} gave no chat completion but {begin[:60]!r}") from None


def read_retry_after(value: str | None) -> float | None:
    """Seconds to wait: a number of them, or until a date; None where nothing can be read."""
    if value is None:
        return None
    try:
        return max(0.0, min(float(value), 1e9))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _read_tokens(logprobs: Any) -> tuple[tuple[bytes, float, dict[bytes, float]], ...]:
    """Tokens with what else could have stood there; nothing where they cannot be read."""
    try:
        return tuple(
            (_bytes(token), _chance(token), {_bytes(other): _chance(other) for other in token["top_logprobs"]})
            for token in (logprobs or {}).get("content") or ()
        )[:_MOST_TOKENS_READ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()


def _bytes(token: Mapping[str, Any]) -> bytes:
    given = token.get("bytes")
    return bytes(given) if isinstance(given, list) else str(token["token"]).encode("utf-8", "replace")


def _chance(token: Mapping[str, Any]) -> float:
    return max(_LEAST_CHANCE, min(0.0, float(token["logprob"])))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40 else None


def _message(content: bytes) -> tuple[str, str]:
    """What an error's body says, and what it is about: a parameter and a code, where they are named."""
    text = content[:4000].decode("utf-8", "replace")
    try:
        error = json.loads(text)
        error = error.get("error", error)
        if isinstance(error, str):
            return error, ""
        return str(error.get("message") or ""), f"{error.get('param') or ''} {error.get('code') or ''}"
    except (ValueError, AttributeError, RecursionError):
        return text, ""


def _has(request: Request, name: str) -> bool:
    if name in ("response_format", "max_tokens"):
        return True
    return request.logprobs if name == "logprobs" else name in request.parameters


def _schema(labels: tuple[str, ...]) -> dict[str, Any]:
    """The form of an answer, which lets no other label through."""
    label = {"type": "string", "enum": list(labels)}
    form = {"type": "object", "properties": {"label": label}, "required": ["label"], "additionalProperties": False}
    return {"name": "label", "strict": True, "schema": form}
