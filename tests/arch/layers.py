"""Reads the imports of a package and says where they break its layers."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = "metalwork"

LAYERS = (
    ("__main__",),
    ("cli",),
    ("experiments",),
    ("examples",),
    ("studio",),
    ("pipeline", "report", "delivery", "editing"),
    ("suggestions",),
    ("inspection",),
    (
        "labeling",
        "label_models",
        "end_models",
        "analysis",
        "data",
        "backends",
        "features",
        "sources",
        "proposals",
        "encoders",
    ),
    ("inference",),
    ("votes", "probabilities", "text"),
    ("schema", "errors"),  # and every top-level module that starts with an underscore
)
"""Rooms (top-level modules and packages) from the roof down. Imports point down, or to the root of a sibling; what
starts with an underscore inside a room is for that room alone."""


@dataclass(frozen=True)
class Import:
    """``module`` imports ``target`` (a module, or a name out of the package root) at ``place``."""

    module: str
    target: str
    place: str


def layer_faults(package: Path) -> list[str]:
    """One line for each import that points up, enters a room by the side, or closes a circle."""
    homes = public_homes(package)
    found = [item for path in sorted(package.rglob("*.py")) for item in imports(package, path)]
    faults = [fault for item in found if (fault := _fault(item, homes)) is not None]
    return faults + _circle(found, homes)


def public_homes(package: Path) -> Mapping[str, str]:
    """The ``_HOMES`` table of the package root: public name -> module below the root."""
    for node in ast.parse((package / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES":
            homes: dict[str, str] = ast.literal_eval(node.value)
            return homes
    return {}


def level(room: str) -> int | None:
    """Position of a room in ``LAYERS`` (0 is the roof), or None where it stands in none."""
    ground = len(LAYERS) - 1 if room.startswith("_") else None
    return next((position for position, rooms in enumerate(LAYERS) if room in rooms), ground)


def imports(package: Path, path: Path) -> Iterator[Import]:
    """What one file imports of the package."""
    relative = path.relative_to(package).with_suffix("")
    parts = [PACKAGE, *relative.parts]
    if parts[-1] == "__init__":
        parts.pop()
    if parts == [PACKAGE]:  # the root names every room on purpose; it imports them when asked
        return
    base = parts if path.name == "__init__.py" else parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for target in _targets(node, base):
            if target.split(".")[0] == PACKAGE:
                yield Import(".".join(parts), target, f"{path.relative_to(package.parent)}:{node.lineno}")  # type: ignore[attr-defined]


def _targets(node: ast.AST, base: list[str]) -> list[str]:
    """Dotted modules that a statement imports; ``from a import b`` counts as ``a.b``."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        above = base[: len(base) - node.level + 1] if node.level else []
        source = ".".join([*above, *([node.module] if node.module else [])])
        return [f"{source}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module") and node.args:
        return [text] if (text := _leading_text(node.args[0])) else []
    return []


def _leading_text(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0] if isinstance(node.values[0], ast.expr) else node
    return node.value.rstrip(".") if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _resolve(item: Import, homes: Mapping[str, str]) -> list[str]:
    """The target's parts below the root; a public name of the root stands for its home. Empty for the root."""
    below = item.target.split(".")[1:]
    return [*homes[below[0]].split("."), below[0]] if below and below[0] in homes else below


def _fault(item: Import, homes: Mapping[str, str]) -> str | None:
    room, parts = item.module.split(".")[1], _resolve(item, homes)
    here = level(room)
    if here is None:
        return f"{item.place}: {PACKAGE}.{room} stands in no layer. Give it one in LAYERS."
    if not parts:
        too_low = here >= min((level(home.split(".")[0]) or 0 for home in homes.values()), default=0)
        return (
            f"{item.place}: {room} imports the whole of {PACKAGE}, whose names reach above it."
            if too_low
            else None
        )
    if parts[0] in (room, "__version__"):
        return None
    there = level(parts[0])
    if there is None or there < here:
        return f"{item.place}: {room} imports {item.target}, which is above it."
    by_the_front = item.target.split(".")[1] in homes
    inside = any(part.startswith("_") for part in parts[1:]) or (there == here and len(parts) > 2)
    if inside and not by_the_front:
        return f"{item.place}: {room} imports {item.target}, an inside of another room."
    return None


def _circle(found: list[Import], homes: Mapping[str, str]) -> list[str]:
    graph: dict[str, set[str]] = {}
    for item in found:
        room, parts = item.module.split(".")[1], _resolve(item, homes)
        if parts and parts[0] != room and level(parts[0]) == level(room):
            graph.setdefault(room, set()).add(parts[0])
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return ["rooms import each other in a circle: " + " > ".join(reversed(error.args[1]))]
    return []
