"""Walks over a task tree, none of them recursive: trees may be deeper than Python's stack."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from metalwork.errors import SchemaError

Labels = Mapping[str, Sequence[str]]
Child = Mapping[tuple[str, str], str]

MOST_NESTED: Final = 100
"""Levels up to which a tree is written in its nested form; JSON and ``repr`` follow no deeper ones."""


def preorder(root: str, labels: Labels, child: Child) -> Iterator[str]:
    """Tasks, depth first: parents before their children."""
    stack = [root]
    while stack:
        task = stack.pop()
        yield task
        below = (child.get((task, label)) for label in labels[task])
        stack.extend(reversed([name for name in below if name is not None]))


def leaf_paths(root: str, labels: Labels, child: Child) -> Iterator[tuple[str, ...]]:
    """The labels on the way to each end label, depth first."""
    stack: list[tuple[str, tuple[str, ...]]] = [(root, ())]
    while stack:
        task, above = stack.pop()
        if task == "":
            yield above
            continue
        stack.extend((child.get((task, label), ""), (*above, label)) for label in reversed(labels[task]))


def leaf_names(paths: Sequence[tuple[str, ...]], at: str) -> tuple[str, ...]:
    """Names of end labels: that of the label where it is unique, else its path."""
    count = Counter(path[-1] for path in paths)
    names = tuple(path[-1] if count[path[-1]] == 1 else "/".join(path) for path in paths)
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        where = f"{at}: " if at else ""
        raise SchemaError([f"{where}two end labels are both called {name!r}. Rename one." for name in twice])
    return names


def nested(tasks: Sequence[str], labels: Labels, child: Child) -> dict[str, Any]:
    """The nested form of a tree; ``tasks`` are in preorder."""
    written: dict[str, Any] = {}
    for task in reversed(tasks):
        below = ((label, child.get((task, label))) for label in labels[task])
        entries = [label if opened is None else {label: written.pop(opened)} for label, opened in below]
        written[task] = {"task": task, "labels": entries}
    return dict(written[tasks[0]])


def table(tasks: Sequence[str], labels: Labels, child: Child) -> dict[str, Any]:
    """The table form of a tree: each task beside its parent, however deep."""
    above = {opened: {"parent": task, "when": label} for (task, label), opened in child.items()}
    return {"tasks": [{"task": task, "labels": [*labels[task]], **above.get(task, {})} for task in tasks]}


def drawn(root: str, labels: Labels, child: Child) -> Iterator[str]:
    """The tree as lines of text."""
    yield root
    stack = [(root, i, "") for i in reversed(range(len(labels[root])))]
    while stack:
        task, i, indent = stack.pop()
        label, last = labels[task][i], i == len(labels[task]) - 1
        opened = child.get((task, label))
        yield f"{indent}{'└── ' if last else '├── '}{label}" + (f"  [{opened}]" if opened else "")
        if opened is not None:
            below = indent + ("    " if last else "│   ")
            stack.extend((opened, i, below) for i in reversed(range(len(labels[opened]))))
