"""Asking the endpoint of the tests."""

from pathlib import Path
from typing import Any

import pytest

import metalwork as mw
from metalwork.errors import LabelingError
from metalwork.sources import LanguageModelFunction
from tests.unit.sources._llm.endpoint import FakeEndpoint, label

FLAT = mw.TaskSchema.flat(["ham", "spam"], task="kind")
TREE = mw.TaskSchema.from_dict(
    {
        "task": "sector",
        "labels": [
            {"Corporate": {"task": "corporate", "labels": ["Performance", "Funding"]}},
            {"Markets": {"task": "markets", "labels": ["Money", "Commodity"]}},
        ],
    }
)
KEY = "sk-not-to-be-seen-0123456789"


def record_of(prompt: str) -> str:
    return prompt.rsplit("<record>\n", 1)[1].rsplit("\n</record>", 1)[0]


def named(prompt: str) -> str:
    record = record_of(prompt)
    return label(
        next((name for name in ("ham", "spam", "Markets/Money", "Corporate") if name in record), "none of these")
    )


def records(*texts: str | None) -> list[dict[str, str | None]]:
    return [{"text": text} for text in texts]


def model(endpoint: FakeEndpoint, tmp_path: Path, task: Any = "kind", **options: Any) -> LanguageModelFunction:
    return mw.llm(task, "small", endpoint.url, cache=tmp_path / "answers.sqlite", name="m", **options)


def codes(lf: LanguageModelFunction, *texts: str | None, **options: Any) -> list[int]:
    column: list[int] = mw.apply([lf], records(*texts), FLAT, **options).codes[:, 0].tolist()
    return column


def failures(lf: LanguageModelFunction, *texts: str | None) -> list[str]:
    votes = mw.apply([lf], records(*texts), FLAT, max_error_rate=1.0)
    assert (votes.codes[votes.failed[:, 0]] == -1).all()
    return [incident.message for incident in votes.incidents]


def stopped(lf: LanguageModelFunction, *texts: str | None) -> str:
    with pytest.raises(LabelingError) as caught:
        mw.apply([lf], records(*texts), FLAT, max_error_rate=1.0)
    return str(caught.value)
