"""Amounts of memory, as people write them and as the machine has them."""

from typing import Any

import pytest

from metalwork.backends import ProcessesBackend, get_backend, read_bytes
from metalwork.errors import ConfigError


@pytest.mark.parametrize(
    ("written", "found"),
    [(1, 1), ("2 GB", 2 * 10**9), ("1.5kb", 1500), (" 3 MiB ", 3 << 20), ("17", 17), ("1 gib", 1 << 30)],
)
def test_amounts(written: Any, found: int) -> None:
    assert read_bytes("max_memory", written) == found


@pytest.mark.parametrize("written", [0, -1, True, 1.5, "much", "2 TB", "", None, "-1 GB", "0 MB"])
def test_what_is_no_amount(written: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        read_bytes("max_memory", written)
    assert str(caught.value) == (
        f"max_memory must be a number of bytes, or a text such as '2 GB'; got {written!r}."
    )


def test_only_watched_workers_have_a_limit() -> None:
    limited = get_backend("processes", 1, "1 GB")
    assert isinstance(limited, ProcessesBackend)
    assert limited.max_memory == 10**9
    with pytest.raises(ConfigError, match=r"^max_memory must be given with backend='processes'"):
        get_backend("serial", None, "1 GB")
