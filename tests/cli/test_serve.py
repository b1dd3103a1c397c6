"""The command ``serve``, as a process on a free port of the loopback interface."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

import metalwork as mw
from metalwork.cli import app
from tests.unit.pipeline.projects import write_project


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_project(tmp_path_factory.mktemp("pets"))
    mw.Run.open(path, "first").run()
    return path.parent / "runs/first"


@pytest.fixture
def server(run: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-u", "-m", "metalwork", "serve", str(run), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    assert found is not None
    yield found[0], process
    if process.poll() is None:
        process.kill()
    process.communicate()


def ask(address: str, body: bytes) -> tuple[int, dict[str, object]]:
    request = urllib.request.Request(f"{address}/predict", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_many_clients_are_answered_and_it_ends_when_told(server: tuple[str, subprocess.Popen[str]]) -> None:
    address, process = server
    bodies = [
        b'{"records": [{"text": "fur and a meow"}]}',
        b'{"records": [{"text": "beak and quack"}]}',
        b"{",
    ] * 20
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda body: ask(address, body), bodies))
    assert [code for code, _ in answers] == [200, 200, 400] * 20
    names = [answer["predictions"][0]["end_label"] for code, answer in answers if code == 200]  # type: ignore[index]
    assert names == ["Cat", "Duck"] * 20
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors


def test_a_port_that_is_taken_is_one_error(run: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(app, ["serve", str(run), "--port", port])
    assert done.exit_code == 1
    assert f"host and port must be free on this machine; got 127.0.0.1:{port}" in done.output


def test_a_dockerfile_is_written_once(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    assert CliRunner().invoke(app, ["serve", str(run), "--dockerfile", str(path)]).exit_code == 0
    text = path.read_text()
    assert "COPY first /model\n" in text
    assert "docker build --file Dockerfile --tag pets .\n" in text
    assert '"$(ls metalwork-*.whl)[train,serve]"' in text
    done = CliRunner().invoke(app, ["serve", str(run), "--dockerfile", str(path)])
    assert (done.exit_code, "must be a new file" in done.output) == (1, True)
