"""Functions of 50 lines at most (their docstring aside), classes of 300, files of 500."""

import ast
from collections.abc import Iterator
from pathlib import Path

import metalwork

ROOT = Path(metalwork.__file__).parents[2]
LIMITS = {"function": 50, "class": 300, "file": 500}


def size_faults(folder: Path) -> list[str]:
    """One line for everything under ``folder`` that is too long."""
    return [fault for path in sorted(folder.rglob("*.py")) for fault in _faults(path, folder)]


def _faults(path: Path, folder: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    sizes = [("file", "", 1, len(text.splitlines()))]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            sizes.append(("function", node.name, node.lineno, _lines(node) - _docstring_lines(node)))
        elif isinstance(node, ast.ClassDef):
            sizes.append(("class", node.name, node.lineno, _lines(node)))
    for kind, name, line, size in sizes:
        label = f"{kind} {name}".strip()
        if size > LIMITS[kind]:
            yield f"{path.relative_to(folder)}:{line}: {label} has {size} lines; {LIMITS[kind]} at most."


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return _lines(node.body[0]) if ast.get_docstring(node) is not None else 0


def test_nothing_is_too_long() -> None:
    assert size_faults(ROOT / "src") + size_faults(ROOT / "tests") + size_faults(ROOT / "benchmarks") == []


def test_what_is_too_long_is_found(tmp_path: Path) -> None:
    docstring = '    """' + "\n" * 60 + '    """\n'
    fits = "def fits():\n" + docstring + "    x = 1\n" * 49
    long = "def long():\n" + "    x = 1\n" * 50
    (tmp_path / "a.py").write_text(fits + long)
    (tmp_path / "b.py").write_text("class Long:\n" + "    x = 1\n" * 500)
    assert size_faults(tmp_path) == [
        f"a.py:{fits.count(chr(10)) + 1}: function long has 51 lines; 50 at most.",
        "b.py:1: file has 501 lines; 500 at most.",
        "b.py:1: class Long has 501 lines; 300 at most.",
    ]
