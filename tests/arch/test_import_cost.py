"""What importing metalwork costs, counted in modules because seconds depend on the machine."""

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "sklearn", "pandas")

LABEL_MODEL = """
import numpy as np, metalwork as mw
schema = mw.TaskSchema.flat(["ham", "spam"])
votes = mw.LabelMatrix(np.array([[0, 1, 1], [0, -1, 0], [1, 1, -1]]), schema)
for model in (mw.MajorityVote(schema), mw.LogLinearLabelModel(schema), mw.HierarchicalLabelModel(schema)):
    assert model.fit(votes).predict_proba(votes).end.shape == (3, 2)
"""

LABELING = """
import metalwork as mw
schema = mw.TaskSchema.flat(["ham", "spam"], task="label")
votes = mw.apply([mw.keywords("label", "spam", ["offer"], field="text")], [{"text": "an offer"}], schema)
assert votes.codes.tolist() == [[1]]
"""


def modules_after(code: str) -> set[str]:
    """Modules loaded in a fresh interpreter that has run ``code``."""
    script = f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("import metalwork", 30),
        ("import metalwork.experiments", 30),
        ("import metalwork.end_models", 600),
        (LABEL_MODEL, 900),
        (LABELING, 900),
        ("import metalwork.cli", 1500),
    ],
    ids=["package", "experiments", "end_models", "label_model", "labeling", "cli"],
)
def test_light_parts_stay_light(code: str, limit: int) -> None:
    loaded = modules_after(code) - modules_after("")
    assert [name for name in HEAVY if name in loaded] == []
    assert len(loaded) <= limit


def test_the_count_sees_what_is_loaded() -> None:
    assert {"metalwork", "decimal"} <= modules_after("import metalwork, decimal")
