"""A short version of the campaign ``cache``."""

import pytest

from tests.campaigns import cache


def test_killed_writers_leave_a_sound_store(capsys: pytest.CaptureFixture[str]) -> None:
    assert cache.run(2, 1) == 0
    assert "damaged or lying     0" in capsys.readouterr().out
