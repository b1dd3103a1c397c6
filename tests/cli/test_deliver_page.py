"""What docs/deliver.md says runs as it is written."""

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "deliver.md"


def test_the_page_runs_as_written(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    commands = [line.strip() for line in re.findall(r"^    metalwork .*$", text, re.MULTILINE)]
    assert commands[0] == "metalwork init tickets"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for command in commands:
        line = f"{sys.executable} -m {command.split('  #')[0]}"
        done = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    script = "\n".join(blocks)
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("['Refund', 'Crash']")
