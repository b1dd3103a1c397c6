"""What the documentation says: its examples run, its links resolve, its commands and constants exist."""

import ast
import doctest
import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from metalwork.cli import app
from metalwork.cli._scaffold import write_project
from metalwork.label_models import _constants, _hierarchical

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
_PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


def python_blocks(page: str) -> list[str]:
    return _PYTHON.findall((ROOT / page).read_text(encoding="utf-8"))


def with_examples() -> list[str]:
    """The modules whose docstrings hold examples."""
    files = [path for path in (ROOT / "src").rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")]
    return sorted(".".join(path.relative_to(ROOT / "src").with_suffix("").parts) for path in files)


def anchors(page: Path) -> set[str]:
    """GitHub's anchors of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        other = page.parent / path if path else page
        if not other.exists() or (anchor and anchor not in anchors(other)):
            found.append(target)
    return found


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_examples_run_in_a_fresh_interpreter(page: str, tmp_path: Path) -> None:
    write_project(tmp_path / "tickets")
    blocks = python_blocks(page)
    assert blocks
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout


@pytest.mark.parametrize(
    "page",
    [
        "docs/concepts.md",
        "docs/evaluation.md",
        "docs/label-models.md",
        "docs/llm.md",
        "docs/schemas.md",
        "docs/sources.md",
        "docs/votes.md",
    ],
)
def test_examples_give_what_they_show(page: str) -> None:
    source = "\n".join(python_blocks(page))
    test = doctest.DocTestParser().get_doctest(source, {}, page, str(ROOT / page), 0)
    failures: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=failures.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(failures)


@pytest.mark.parametrize("module", with_examples())
def test_docstring_examples_give_what_they_show(module: str) -> None:
    names = vars(importlib.import_module(module))
    tree = ast.parse(Path(names["__file__"]).read_text(encoding="utf-8"))
    defined = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.Module)]
    for text in filter(lambda text: ">>> " in text, (ast.get_docstring(node) or "" for node in defined)):
        test = doctest.DocTestParser().get_doctest(text, names.copy(), module, module, 0)
        result = doctest.DocTestRunner(verbose=False).run(test)
        assert result.attempted > 0
        assert result.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_resolve(page: Path) -> None:
    assert broken_links(page) == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A heading, here\n[a](none.md) [b](#a-heading-here) [c](#gone) [d](page.md#gone)\n")
    assert broken_links(page) == ["none.md", "#gone", "page.md#gone"]


def test_commands_exist() -> None:
    group = typer.main.get_command(app)
    known = set(group.commands)  # type: ignore[attr-defined]
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = set(re.findall(r"(?:^ {4}|`)metalwork ([a-z]+)", text, re.MULTILINE))
        assert named <= known, page.name


def test_constants_are_those_of_the_code() -> None:
    text = (ROOT / "docs/concepts.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"^\| `([A-Z_]+)` \| (\S+) \|", text, re.MULTILINE))
    assert found == {name: f"{value:g}" for name, value in vars(_constants).items() if name.isupper()}
    defaults = inspect.signature(_hierarchical.HierarchicalLabelModel).parameters
    assert defaults["precision"].default == _constants.PRECISION
    assert defaults["strength"].default == _constants.STRENGTH


ARGUMENTS = ["precision", "strength", "off_branch_ratio", "kind", "dev_weight"]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_defaults_are_those_of_the_code(name: str) -> None:
    text = (ROOT / "docs/label-models.md").read_text(encoding="utf-8")
    value = inspect.signature(_hierarchical.HierarchicalLabelModel).parameters[name].default
    shown = f'"{value}"' if isinstance(value, str) else f"{value:g}"
    assert f"| `{name}` ({shown}) |" in text
