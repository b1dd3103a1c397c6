"""A run that is killed has paid for its answers once."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from metalwork.sources._llm._store import Store
from tests.unit.sources._llm.asking import named, record_of
from tests.unit.sources._llm.endpoint import Reply, completion, fake_endpoint

N, CONCURRENCY = 60, 4
RUN = f"""
import sys, metalwork as mw
lf = mw.llm("kind", "small", sys.argv[1], cache=sys.argv[2], concurrency={CONCURRENCY}, name="m")
texts = [{{"text": f"ham {{i}}"}} for i in range({N})]
votes = mw.apply([lf], texts, mw.TaskSchema.flat(["ham", "spam"], task="kind"), chunk_size=25)
print(votes.codes[:, 0].tolist())
"""


@pytest.mark.parametrize("seed", range(3))
def test_no_answer_is_asked_for_again_after_a_kill(seed: int, tmp_path: Path) -> None:
    path, environment = tmp_path / "answers.sqlite", {**os.environ, "OPENAI_API_KEY": ""}
    last = random.Random(seed).randrange(2, N - 5)
    with fake_endpoint(lambda prompt: Reply(completion(named(prompt)), wait=0.01)) as endpoint:
        command = [sys.executable, "-c", RUN, endpoint.url, str(path)]
        process = subprocess.Popen(command, env=environment)
        while len(endpoint.prompts) < last:
            assert process.poll() is None
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        while endpoint.at_once:  # what was under way
            time.sleep(0.01)
        first = [record_of(prompt) for prompt in endpoint.prompts]
        with Store(path) as store:
            kept = len(store)
        assert len(first) - CONCURRENCY <= kept <= len(first) < N
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str([0] * N)
        later = [record_of(prompt) for prompt in endpoint.prompts[len(first) :]]
        assert len(set(first) & set(later)) == len(first) - kept  # those whose answer had not arrived
        assert len(later) == N - kept
