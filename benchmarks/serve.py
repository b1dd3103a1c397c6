"""How many requests `metalwork serve` answers a second, how long they take, and whether its memory stays flat.

    python benchmarks/serve.py [--requests 100000] [--clients 32] [--records 1] [RUN]

Starts the server on a free port of the loopback interface, for RUN or for a run of the project that
`metalwork init` makes, and asks from this process over connections that are kept. Memory is what the server says
of itself.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

TEXTS = (
    "I was charged twice and want my money back",
    "The app crashes whenever I open the dashboard",
    "Please send me the invoice of last month again",
    "I cannot log in, the password is refused",
)
QUIET = subprocess.DEVNULL


def make_run(folder: Path) -> Path:
    """A small finished run."""
    command = [sys.executable, "-m", "metalwork"]
    subprocess.run([*command, "init", "tickets"], cwd=folder, check=True, stdout=QUIET)
    subprocess.run(
        [*command, "run", "tickets/project.yaml", "--run", "first"],
        cwd=folder,
        check=True,
        stdout=QUIET,
        stderr=QUIET,
    )
    return folder / "tickets/runs/first"


@contextmanager
def serving(run: Path) -> Iterator[int]:
    """The port at which a server answers."""
    command = [sys.executable, "-u", "-m", "metalwork", "serve", str(run), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)", server.stdout.readline())
        assert found is not None, "the server did not start"
        yield int(found[1])
    finally:
        server.terminate()
        server.wait(30)


class Client:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status code and body of the answer to a request."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None
        return int(head[9:12]), await self._reader.readexactly(int(length[1]))

    def close(self) -> None:
        self._writer.close()


def post(records: list[dict[str, str]]) -> bytes:
    body = json.dumps({"records": records}).encode()
    head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def megabytes(port: int) -> float:
    """Resident memory of the server."""
    client = Client(port)
    await client.open()
    _, text = await client.ask(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    client.close()
    found = re.search(rb"\nprocess_resident_memory_bytes (\S+)", text)
    assert found is not None
    return float(found[1]) / 1e6


async def load(port: int, n_requests: int, n_clients: int, n_records: int) -> tuple[list[float], float]:
    """Seconds of each request, and of all together; every answer must be right."""
    requests = [post([{"text": TEXTS[(i + k) % 4]} for k in range(n_records)]) for i in range(4)]
    taken: list[float] = []
    left = iter(range(n_requests))

    async def work() -> None:
        client = Client(port)
        await client.open()
        for i in left:
            start = time.perf_counter()
            code, body = await client.ask(requests[i % 4])
            taken.append(time.perf_counter() - start)
            assert (code, body.count(b'"end_label"')) == (200, n_records), body[:200]
        client.close()

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(n_clients)))
    return taken, time.perf_counter() - start


async def measure(port: int, n_requests: int, n_clients: int, n_records: int) -> None:
    """Print rates, times, and memory after each tenth of the requests."""
    await load(port, 200, n_clients, n_records)
    memory, taken, total = [await megabytes(port)], list[float](), 0.0
    for _ in range(10):
        times, seconds = await load(port, n_requests // 10, n_clients, n_records)
        taken, total = taken + times, total + seconds
        memory.append(await megabytes(port))
    middle, high = np.percentile(np.array(taken) * 1000, [50, 99])
    rate = len(taken) / total
    print(f"{len(taken):,} requests of {n_records} records by {n_clients} clients at a time")
    print(f"{rate:,.0f} requests/s, {rate * n_records:,.0f} records/s; p50 {middle:.1f} ms, p99 {high:.1f} ms")
    print("memory (MB) after each tenth:", " ".join(f"{size:.0f}" for size in memory))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", nargs="?", type=Path)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--records", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = make_run(Path(folder)) if given.run is None else given.run
        with serving(run) as port:
            asyncio.run(measure(port, given.requests, given.clients, given.records))


if __name__ == "__main__":
    main()
