"""What is kept of votes, shown and removed."""

import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

import metalwork as mw
from metalwork.cli import app

SCHEMA = mw.TaskSchema.flat(["ham", "spam"], task="kind")


def metalwork(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["cache", *map(str, arguments)])
    assert result.exit_code == status, result.output
    return result.output


def test_the_cache_is_shown_and_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METALWORK_CACHE", str(tmp_path))
    path = tmp_path / "votes.sqlite3"
    assert f"{path}: 0 entries, 0.0 MB of at most 1,073.7 MB" in metalwork()
    lfs = [mw.keywords("kind", "spam", [word], name=f"about {word}") for word in ("win", "free")]
    mw.apply(lfs, ["free", "no"], SCHEMA, cache=True, chunk_size=1)
    shown = metalwork()
    assert f"{path}: 4 entries" in shown
    assert "about win" in shown
    assert f"Removed 0.0 MB: {path}" in metalwork("--clear")
    assert not path.exists()


def test_only_a_store_is_removed(tmp_path: Path) -> None:
    own = tmp_path / "own"
    connection = sqlite3.connect(own)
    connection.execute("CREATE TABLE mine (a)")
    connection.close()
    for path in (own, tmp_path / "text"):
        (tmp_path / "text").write_text("text")
        message = f"{path} must be a store of votes; it is something else. Nothing was removed."
        assert message in metalwork("--clear", "--path", path, status=1)
        assert path.exists()
