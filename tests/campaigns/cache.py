"""Kill two processes that write into one store of votes, again and again: it is never damaged and never lies."""

import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from metalwork.labeling._store import Entry, Store

LIMIT = 400_000
WRITER = """
import random, sys
from pathlib import Path
from metalwork.labeling._store import Store
from tests.campaigns.cache import LIMIT, entry
store, numbers = Store(Path(sys.argv[1]), LIMIT), random.Random(int(sys.argv[2]))
print("ready", flush=True)
while True:
    wanted = [entry(numbers.randrange(300)) for _ in range(numbers.randrange(1, 20))]
    found = store.get([one.key for one in wanted])
    assert all(found.get(one.key, one) == one for one in wanted)
    store.put(one for one in wanted if one.key not in found)
"""


def entry(number: int) -> Entry:
    """An entry whose value follows from its key."""
    key = hashlib.sha256(str(number).encode()).digest()[:20]
    return Entry(key, f"lf {number % 7}", "[]", random.Random(number).randbytes(200 + 40 * (number % 100)))


def run(trials: int | None, seed: int) -> int:
    """So many kills; exit status 1 where one left damage."""
    numbers, faults, times = random.Random(seed), list[str](), list[float]()
    trials = 100 if trials is None else trials
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "votes"
        for trial in range(trials):
            delay = numbers.uniform(0, 0.25)
            times.append(delay)
            said = kill_writers(path, [2 * trial, 2 * trial + 1], delay)
            faults += [f"trial {trial}: {fault}" for fault in (*said, *faults_of(path))]
        size = path.stat().st_size
    print(f"kills                {2 * trials} (two writers at once, {trials} times, after 0 to 0.25 s of writing)")
    print(f"damaged or lying     {len(faults)}")
    print(f"largest file         {size:,} bytes, with a bound of {LIMIT:,}")
    for fault in faults[:10]:
        print(fault)
    return int(bool(faults))


def kill_writers(path: Path, seeds: list[int], delay: float) -> list[str]:
    """Start a writer a seed, kill all after ``delay`` seconds of writing; what they said against it."""
    command = [sys.executable, "-c", WRITER, str(path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    writers = [subprocess.Popen([*command, str(seed)], **pipes) for seed in seeds]  # type: ignore[call-overload]
    for writer in writers:
        writer.stdout.readline()
    time.sleep(delay)
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
    ends = [writer.communicate()[1].decode() for writer in writers]
    return [f"a writer said: {text}" for text in ends if text]


def faults_of(path: Path) -> list[str]:
    """What is wrong with a store whose values follow from their keys."""
    connection = sqlite3.connect(path)
    try:
        said = connection.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        said = str(error)
    finally:
        connection.close()
    faults = [] if said == "ok" else [str(said)]
    wanted = [entry(number) for number in range(300)]
    found = Store(path, LIMIT).get([one.key for one in wanted])
    faults += [f"{one.owner} has another value" for one in wanted if found.get(one.key, one) != one]
    return faults
