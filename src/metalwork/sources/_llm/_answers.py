"""Reading what a language model answered as one of the valid answers, and as probabilities of them."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from metalwork._names import plain_name, plain_path
from metalwork.sources._llm._choices import Choice, Choices

_LED_IN: Final = re.compile(r"^(?:the\s+)?(?:label|answer)\s*(?:is\s*)?[:=]?\s*", re.IGNORECASE)
_AROUND: Final = " \t\r\n\"'`*.,;:!"
_MOST_SHOWN: Final = 60
_MOST_OBJECTS: Final = 5


class UnreadableAnswerError(Exception):
    """An answer that is none of the valid ones: a failure on its record, with the reason."""


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered to one prompt.

    Attributes
    ----------
    text : str
    finish : str
        Why the model stopped, as the endpoint says it: "stop", "length", "content_filter".
    refusal : str
        What the model said in place of an answer.
    tokens : tuple of (token, log probability, alternatives)
        Of each token of the text as bytes, where the endpoint tells; alternatives by token.
    prompt_tokens, answer_tokens : int or None
        As the endpoint counts them.
    """

    text: str
    finish: str = ""
    refusal: str = ""
    tokens: tuple[tuple[bytes, float, Mapping[bytes, float]], ...] = ()
    prompt_tokens: int | None = field(default=None, compare=False)
    answer_tokens: int | None = field(default=None, compare=False)


def read_answer(answer: Answer, choices: Choices) -> Choice | None:
    """The choice that was answered, None where no label fits; ``UnreadableAnswerError`` for anything else."""
    if answer.refusal:
        raise UnreadableAnswerError(f"the model refused: {_short(answer.refusal)}")
    if answer.finish == "content_filter":
        raise UnreadableAnswerError("the endpoint's content filter withheld the answer")
    known = _Known(choices)
    for text in _candidates(answer.text):
        if (name := known.get(text)) is not None:
            return known.choices.get(name)
    if answer.finish == "length":
        raise UnreadableAnswerError(
            f"the answer was cut off before its label ({_short(answer.text)}); raise answer_tokens, "
            "which models that reason first need in the thousands"
        )
    raise UnreadableAnswerError(
        f"the answer must be one of the labels; got {_short(answer.text)}"
        if answer.text.strip()
        else "it is empty"
    )


class _Known:
    """Valid answers as models may write them: composed or not, blanks and letter case where that is clear."""

    def __init__(self, choices: Choices) -> None:
        self.choices: dict[str, Choice] = {choice.name: choice for choice in choices.all}
        self._exact = {plain_path(plain_name(name)): name for name in choices.names}
        folded: dict[str, str | None] = {}
        for plain, name in self._exact.items():
            folded[plain.casefold()] = None if plain.casefold() in folded else name
        leaves: dict[str, str | None] = {}
        for choice in choices.all:
            leaf = plain_name(choice.votes[-1][1]).casefold()
            leaves[leaf] = None if leaf in leaves else choice.name
        self._loose = leaves | folded

    def get(self, text: str) -> str | None:
        plain = plain_path(plain_name(text))
        return self._exact.get(plain) or self._loose.get(plain.casefold())


def _candidates(text: str) -> list[str]:
    """Texts that may be the label, the surest first: of a JSON object, the whole, its first and its last line."""
    found = [str(label) for label in _json_labels(text)]
    lines = [line for line in text.splitlines() if line.strip()]
    for part in (text, *lines[:1], *lines[-1:]):
        bare = part.strip(_AROUND)
        found += [part, bare, _LED_IN.sub("", bare).strip(_AROUND)]
    return found


def _json_labels(text: str) -> list[Any]:
    """What stands under "label" in JSON objects of the text; the last object first."""
    decoder, found = json.JSONDecoder(), []
    for start in [i for i, letter in enumerate(text) if letter == "{"][-_MOST_OBJECTS:]:
        try:
            value, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and isinstance(value.get("label"), str):
            found.append(value["label"])
    return found[::-1]


def read_shares(answer: Answer, choices: Choices, said: str) -> dict[str, float] | None:
    """Probabilities of the valid answers by name, from the tokens where they part; None where there are none.

    An answer's probability is that of the tokens up to where it parts from the one that was given, times that of
    the alternatives there that begin it. Answers that the same alternative begins share it evenly; alternatives
    that the endpoint does not list count as none. They are made to sum to 1.
    """
    whole = b"".join(token for token, _, _ in answer.tokens)
    written = {name: _written(name) for name in choices.names}
    at = whole.rfind(written[said])
    if at < 0:
        return None
    rest = {name: text + whole[at + len(written[said]) :][:1] for name, text in written.items()}
    return _walk(answer.tokens, at, rest, said)


def _walk(
    tokens: Sequence[tuple[bytes, float, Mapping[bytes, float]]], at: int, rest: Mapping[str, bytes], said: str
) -> dict[str, float] | None:
    """``rest``: what would follow the first ``at`` bytes for each answer."""
    shares, open_, left, place = dict.fromkeys(rest, 0.0), list(rest), 1.0, 0
    for token, logprob, alternatives in tokens:
        start, place = place, place + len(token)
        if place <= at or len(open_) == 1:
            continue
        before = token[: max(at - start, 0)]
        texts = {name: before + rest[name][max(start - at, 0) :] for name in open_}
        for other, chance in alternatives.items():
            fits = [] if other == token else [name for name, text in texts.items() if _begins(other, text)]
            for name in fits:
                shares[name] += left * math.exp(chance) / len(fits)
        open_ = [name for name, text in texts.items() if _begins(token, text)]
        left *= math.exp(logprob)
    shares[said] += left
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()} if 0 < total < math.inf else None


def _begins(token: bytes, text: bytes) -> bool:
    """Whether a token is the begin of an answer, or all of it and more."""
    return bool(token) and (text.startswith(token) or (len(text) > 1 and token.startswith(text)))


def _written(name: str) -> bytes:
    return json.dumps(name, ensure_ascii=False)[1:-1].encode()


def _short(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 2 * _MOST_SHOWN])
    return repr(shown if len(shown) <= _MOST_SHOWN else shown[: _MOST_SHOWN - 3] + "...")
