"""Worker processes end with their parent, however it ends, and at one interrupt."""

import os
import signal
import subprocess
import sys
import time
import uuid

import pytest

from tests.campaigns.lfs import left_over

_SCRIPT = """
import time
import metalwork as mw

def waits(row):
    if row == 0:
        print("at work", flush=True)
        time.sleep(10_000)

schema = mw.TaskSchema.flat(["a", "b"])
lfs = [mw.from_callable(waits, "label")]
records = [{"row": row} for row in range(10)]
print("begin", flush=True)
mw.apply(lfs, records, schema, backend="processes", n_jobs=2, chunk_size=5)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_its_parent(number: int) -> None:
    mark = uuid.uuid4().hex
    parent = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT],
        env=os.environ | {"METALWORK_CAMPAIGN": mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "begin\n"
    time.sleep(3.0)  # whatever the workers are at by now
    parent.send_signal(number)
    _, errors = parent.communicate(timeout=60)
    assert parent.returncode != 0
    if number == signal.SIGINT:
        assert errors.rstrip().endswith("KeyboardInterrupt")
    deadline = time.monotonic() + 20
    while (found := left_over(mark, end=False)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert found == []
