"""The benchmarks are no part of the package, and use some of its insides: they must still find them."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks"


def test_every_benchmark_can_be_started() -> None:
    names = sorted(path.stem for path in FOLDER.glob("*.py"))
    assert "label_model_accuracy" in names
    code = "import sys; sys.path.insert(0, '.'); import " + ", ".join(names)
    done = subprocess.run([sys.executable, "-c", code], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
