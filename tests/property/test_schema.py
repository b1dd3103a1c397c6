"""Random task trees: every view of a schema tells the same tree."""

import pickle
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import metalwork as mw

Tree = dict[str, Any]


@st.composite
def trees(draw: st.DrawFn, max_depth: int = 5) -> Tree:
    """Nested task dicts of up to 12 tasks; end labels may share a name across tasks."""
    names = iter(f"task {i}" for i in range(1000))
    left = 12

    def task(depth: int) -> Tree:
        nonlocal left
        left -= 1
        name = next(names)
        labels: list[Any] = []
        for c in range(draw(st.integers(2 if depth == 1 else 1, 4))):
            if left > 0 and depth < max_depth and draw(st.booleans()):
                labels.append({f"{name}:{c}": task(depth + 1)})
            else:
                labels.append(f"Other {c}" if draw(st.booleans()) else f"{name}:{c}")
        return {"task": name, "labels": labels}

    return task(1)


def table_form(tree: Tree, parent: str | None = None, when: str | None = None) -> list[Tree]:
    """The same tree as a flat list with ``parent`` and ``when``."""
    names = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in tree["labels"]]
    rows: list[Tree] = [{"task": tree["task"], "labels": names}]
    if parent is not None:
        rows[0] |= {"parent": parent, "when": when}
    for entry in tree["labels"]:
        if isinstance(entry, dict):
            ((label, child),) = entry.items()
            rows += table_form(child, tree["task"], label)
    return rows


few = settings(max_examples=60, deadline=None, derandomize=True)


@few
@given(trees(), st.randoms(use_true_random=False))
def test_written_forms_give_one_schema(tree: Tree, random: Any) -> None:
    schema = mw.TaskSchema.from_dict(tree)
    assert schema.to_dict() == tree
    rows = table_form(tree)
    random.shuffle(rows)
    same = [
        mw.TaskSchema.from_dict({"tasks": rows}),
        pickle.loads(pickle.dumps(schema)),
        eval(repr(schema), vars(mw)),
    ]
    for again in same:
        assert again == schema
        assert hash(again) == hash(schema)
        assert again.tasks == schema.tasks
        assert (again.task_codes == schema.task_codes).all()


@few
@given(trees())
def test_codes_names_members_and_spans_agree(tree: Tree) -> None:
    schema = mw.TaskSchema.from_dict(tree)
    assert len(set(schema.end_labels)) == schema.n_end_labels == len(schema.task_codes)
    assert (schema.task_codes[:, 0] >= 0).all()
    for t, task in enumerate(schema.tasks):
        above = schema.parent(task)
        column = schema.task_codes[:, t]
        assert set(column.tolist()) - {mw.NOT_APPLICABLE} == set(range(len(schema.labels(task))))
        if above is not None:
            assert schema.tasks.index(above[0]) < t
            assert schema.child(*above) == task
            applies = schema.task_codes[:, schema.task_index(above[0])] == schema.label_code(*above)
            assert ((column >= 0) == applies).all()
        members = schema.members(task)
        for code, (start, stop) in enumerate(schema.spans(task).tolist()):
            assert np.flatnonzero(members[code]).tolist() == list(range(start, stop))
            assert (members[code] == (column == code)).all()
    assert schema.n_levels == 1 + max(schema.depth(task) for task in schema.tasks)


@few
@given(trees())
def test_conversions_undo_each_other(tree: Tree) -> None:
    schema = mw.TaskSchema.from_dict(tree)
    codes = np.arange(schema.n_end_labels)
    assert schema.end_codes(schema.end_names(codes)).tolist() == codes.tolist()
    assert schema.to_end_labels(schema.to_task_labels(schema.end_labels)).tolist() == codes.tolist()
    probs = mw.TaskProbabilities.from_labels(schema.end_labels, schema)
    for t, task in enumerate(schema.tasks):
        assert (probs[task].sum(axis=1) == (schema.task_codes[:, t] >= 0)).all()
