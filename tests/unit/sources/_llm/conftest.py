"""An endpoint for each test, retries without a pause, and no key in the environment."""

from collections.abc import Iterator

import pytest

from metalwork.sources._llm import _asker
from tests.unit.sources._llm.asking import named
from tests.unit.sources._llm.endpoint import FakeEndpoint, fake_endpoint


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_asker, "_FIRST_WAIT_S", 0.002)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(name="endpoint")
def an_endpoint() -> Iterator[FakeEndpoint]:
    """Answers with a label that the record names, else with none of them."""
    with fake_endpoint(named) as found:
        yield found
