"""Imports point down only, and enter other rooms by their door."""

from pathlib import Path

import pytest

import metalwork
from tests.arch.layers import LAYERS, imports, layer_faults, level

PACKAGE = Path(metalwork.__file__).parent


def test_imports_keep_to_the_layers() -> None:
    assert layer_faults(PACKAGE) == []


def test_every_room_stands_in_a_layer() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert [room for room in sorted(rooms - {"__init__", "__main__"}) if level(room) is None] == []
    assert len({room for rooms in LAYERS for room in rooms}) == sum(map(len, LAYERS))


def test_experiments_use_public_names_alone() -> None:
    """What a user could not write has no place in the protocol; only the front door itself is plumbing."""
    found = [item for path in sorted((PACKAGE / "experiments").glob("*.py")) for item in imports(PACKAGE, path)]
    private = {
        item.target
        for item in found
        if not item.target.startswith("metalwork.experiments.")
        and any(part.startswith("_") for part in item.target.split("."))
    }
    assert private == {"metalwork._public.on_first_use"}


def plant(folder: Path, files: dict[str, str]) -> Path:
    package = folder / "metalwork"
    for name, text in {"__init__.py": "_HOMES = {'Run': 'pipeline', 'Schema': 'schema'}", **files}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return package


UP = "{} imports {}, which is above it."
INSIDE = "{} imports {}, an inside of another room."


@pytest.mark.parametrize(
    ("path", "text", "fault"),
    [
        ("votes.py", "from metalwork.labeling import apply", UP.format("votes", "metalwork.labeling.apply")),
        ("votes.py", "import metalwork.cli", UP.format("votes", "metalwork.cli")),
        ("schema.py", "if x: from metalwork.votes import V", UP.format("schema", "metalwork.votes.V")),
        ("data/_read.py", "from ..pipeline import run", UP.format("data", "metalwork.pipeline.run")),
        ("data/__init__.py", "from .. import cli", UP.format("data", "metalwork.cli")),
        ("data/_read.py", "from metalwork import Run", UP.format("data", "metalwork.Run")),
        ("inference/_x.py", "import_module(f'metalwork.report.{n}')", UP.format("inference", "metalwork.report")),
        (
            "data/_read.py",
            "from metalwork.labeling._lf import f",
            INSIDE.format("data", "metalwork.labeling._lf.f"),
        ),
        ("data/_read.py", "from metalwork.labeling.lf import f", INSIDE.format("data", "metalwork.labeling.lf.f")),
        ("cli/_run.py", "from metalwork.data import _read", INSIDE.format("cli", "metalwork.data._read")),
        (
            "data/_read.py",
            "import metalwork as mw",
            "data imports the whole of metalwork, whose names reach above it.",
        ),
        ("attic.py", "import metalwork.votes", "metalwork.attic stands in no layer. Give it one in LAYERS."),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, path: str, text: str, fault: str) -> None:
    assert layer_faults(plant(tmp_path, {path: text})) == [f"metalwork/{path}:1: {fault}"]


def test_siblings_in_a_circle_are_found(tmp_path: Path) -> None:
    package = plant(
        tmp_path, {"data/a.py": "import metalwork.labeling", "labeling/b.py": "from metalwork.data import a"}
    )
    (fault,) = layer_faults(package)
    assert fault.startswith("rooms import each other in a circle: ")


def test_what_the_layers_allow_is_not_a_fault(tmp_path: Path) -> None:
    allowed = {
        "cli/run.py": "import metalwork as mw\nfrom metalwork.examples import openi\nimport numpy",
        "data/_read.py": "from metalwork.labeling import apply\nfrom metalwork._files import f\nfrom . import _x",
        "labeling/_lf.py": "from metalwork import __version__, Schema\nfrom metalwork.votes import V",
        "pipeline.py": "from metalwork.data import read",
    }
    assert layer_faults(plant(tmp_path, allowed)) == []
