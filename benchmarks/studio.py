"""How long the studio takes to show its first page and to answer as one types, and how much memory it holds.

    python benchmarks/studio.py [--records 100000] [--folder DIR]

Writes a project of so many texts of 8 to 40 words, drawn from a vocabulary as skewed as language, with 18 word
lists on two levels and 500 labelled dev records, runs it once, and opens the studio on it as a process. Times are
those of a client in this process, from the request to the last byte; what is typed is sent a letter at a time.
Memory is the largest resident size of the studio and of the process that tries rules.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl

RULES = {
    "one common word, letter by letter": [{"words": "w"}, {"words": "w1"}],
    "one rare word, letter by letter": [{"words": f"w{n}"} for n in (1, 12, 123, 1234)],
    "ten words": [{"words": ", ".join(f"w{n}" for n in range(100, 110))}],
    "300 words": [{"words": ", ".join(f"w{n}" for n in range(300, 600))}],
    "a common word with negation": [{"words": "w3", "negation": "usual"}],
    "a pattern": [{"kind": "regex", "pattern": r"\bw1\d\b.*\bw2\d"}],
    "a pattern for Python's engine": [{"kind": "regex", "pattern": r"\b(w\d+) \1\b"}],
}
FORM = {
    "sent": "1",
    "kind": "keywords",
    "task": "top",
    "label": "A",
    "column": "text",
    "ignore_case": "1",
    "whole_words": "1",
    "votes": "1",
}
PAGES = ("/", "/lfs", "/records", "/records?uncertain=1", "/records?search=w77", "/rules/new", "/results")


def write_project(folder: Path, n_points: int) -> Path:
    """The texts, and the project file."""
    draw = np.random.default_rng(0)
    share = 1 / np.arange(1, 20_001)
    words = np.array([f"w{n}" for n in range(20_000)])
    frames = []
    for start in range(0, n_points + 500, 50_000):
        sizes = draw.integers(8, 40, min(50_000, n_points + 500 - start))
        drawn = words[draw.choice(20_000, sizes.sum(), p=share / share.sum())]
        frames.append([" ".join(part) for part in np.split(drawn, np.cumsum(sizes)[:-1])])
    texts = [text for frame in frames for text in frame]
    pl.DataFrame({"text": texts[500:]}).write_parquet(folder / "train.parquet")
    ends = ["a", "b", "c", "d"]
    labels = [ends[int(n)] for n in draw.integers(0, 4, 500)]
    pl.DataFrame({"text": texts[:500], "label": labels}).write_csv(folder / "dev.csv")
    levels = [("top", "A"), ("top", "B"), ("x", "a"), ("x", "b"), ("y", "c"), ("y", "d")] * 3
    rules = [
        f"    - {{keywords: [{', '.join(f'w{n}' for n in range(20 + 9 * k, 29 + 9 * k))}], "
        f"task: {task}, label: {label}, name: r{k}}}"
        for k, (task, label) in enumerate(levels)
    ]
    schema = "schema: {task: top, labels: [{A: {task: x, labels: [a, b]}}, {B: {task: y, labels: [c, d]}}]}\n"
    data = "data: {train: train.parquet, dev: dev.csv}\nfeatures: {text: text}\noutput: {format: parquet}\n"
    path = folder / "project.yaml"
    path.write_text(schema + data + "lfs:\n  cache: false\n  rules:\n" + "\n".join(rules) + "\n")
    return path


@contextmanager
def studio_of(project: Path) -> Iterator[tuple[str, int, float]]:
    """Its address and process, and the seconds until it answers."""
    start = time.perf_counter()
    command = [sys.executable, "-u", "-m", "metalwork", "studio", str(project), "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None, "the studio did not start"
        yield found[0], process.pid, time.perf_counter() - start
    finally:
        process.terminate()
        process.wait(30)


def memory_of(pid: int) -> list[int]:
    """The largest resident sizes, in MB, of a process and of those that it started."""
    children = [
        int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()
    ]
    found = []
    for one in [pid, *children]:
        sizes = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{one}/status").read_text())
        found.append(int(sizes[0]) // 1024)
    return found


def timed(client: httpx.Client, method: str, path: str, form: dict[str, str] | None = None) -> tuple[float, str]:
    """Milliseconds of a request, and what it gave."""
    start = time.perf_counter()
    answer = client.request(method, path, data=form, headers={"Origin": str(client.base_url).rstrip("/")})
    answer.raise_for_status()
    return 1e3 * (time.perf_counter() - start), answer.text


def _until_read(client: httpx.Client) -> float:
    """Milliseconds until the first page shows the last run."""
    start = time.perf_counter()
    while "Reading the last run" in timed(client, "GET", "/")[1]:
        time.sleep(0.1)
    return 1e3 * (time.perf_counter() - start)


def ask(address: str) -> dict[str, Sequence[float]]:
    """Milliseconds of pages (the first time and again) and of what is typed."""
    base, _, _ = address.partition("/?")
    found: dict[str, Any] = {}
    with httpx.Client(base_url=base, timeout=600) as client:
        client.get(address[len(base) :])
        found["the first page"] = [timed(client, "GET", "/")[0]]
        found["until it has its figures"] = [_until_read(client)]
        timed(client, "POST", "/rules/try", FORM | {"words": "w5"})  # the records are read while the page is open
        for path in PAGES:
            found[path] = [timed(client, "GET", path)[0] for _ in range(3)]
        for name, typed in RULES.items():
            answers = [timed(client, "POST", "/rules/try", FORM | one) for one in typed]
            found[f"typed: {name}"] = [ms for ms, _ in answers]
            seen = re.findall(r"Counted on ([\d,]+)", answers[-1][1])
            if seen:
                found[f"typed: {name} (counted on {seen[0]})"] = found.pop(f"typed: {name}")
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        project = folder / "project.yaml"
        if not project.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_project(folder, given.records)
            for step in ("apply", "fit"):
                subprocess.run(
                    [sys.executable, "-m", "metalwork", step, str(project)], check=True, stdout=subprocess.DEVNULL
                )
        with studio_of(project) as (address, pid, seconds):
            print(f"{given.records:,} records; it answers after {seconds:.1f} s")
            for name, milliseconds in ask(address).items():
                print(f"{name:60} " + "  ".join(f"{ms:7.0f} ms" for ms in milliseconds))
            print("largest resident sizes, MB:", memory_of(pid))


if __name__ == "__main__":
    main()
