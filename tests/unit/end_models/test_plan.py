"""Plans: where heads sit, what they read, how sizes fill up, and what is printed."""

import subprocess
import sys

import pytest

from metalwork.end_models import HeadPlan, LayerPlan, compile_plan
from metalwork.errors import ConfigError
from tests.unit.end_models.samples import FLAT, TRIAGE, UNEVEN, chain


def test_figure_3_right_panel() -> None:
    plan = compile_plan(TRIAGE, "hier", 6000)
    assert plan.layers == (LayerPlan(6000, 250), LayerPlan(250, 50))
    assert plan.heads == (
        HeadPlan("triage", ("Acute", "Non-acute"), 1, ("acute", "non_acute"), 50 + 2 + 2),
        HeadPlan("acute", ("Urgent", "Emergent"), 0, (), 250),
        HeadPlan("non_acute", ("Normal", "Non-urgent"), 0, (), 250),
    )


def test_figure_3_left_panel() -> None:
    plan = compile_plan(TRIAGE, "flat", 6000)
    assert [(head.task, head.layer, head.children, head.in_size) for head in plan.heads] == [
        ("triage", 1, (), 50),
        ("acute", 1, (), 50),
        ("non_acute", 1, (), 50),
    ]


def test_single_task_has_one_head_over_the_end_labels() -> None:
    plan = compile_plan(TRIAGE, "single", 6000)
    assert plan.heads == (HeadPlan(None, TRIAGE.end_labels, 1, (), 50),)
    assert plan.heads[0].name == "end labels"


def test_a_linear_model_has_heads_on_the_input_alone() -> None:
    plan = compile_plan(TRIAGE, "linear", 9)
    assert plan.layers == ()
    assert [(head.task, head.layer, head.children, head.in_size) for head in plan.heads] == [
        (task, -1, (), 9) for task in TRIAGE.tasks
    ]
    assert plan.n_parameters == 10 * 6


def test_the_default_is_one_layer_that_every_head_reads() -> None:
    plan = compile_plan(UNEVEN, n_features=9)
    assert (plan.architecture, plan.layers) == ("tree", (LayerPlan(9, 250),))
    assert [(head.task, head.layer, head.children, head.in_size) for head in plan.heads] == [
        (task, 0, (), 250) for task in UNEVEN.tasks
    ]
    assert compile_plan(UNEVEN, "tree", 9, (8, 4)).heads == compile_plan(UNEVEN, "flat", 9, (8, 4)).heads


def test_levels_are_hierarchical_heads_that_read_no_other() -> None:
    levels, hier = (compile_plan(UNEVEN, name, 9, (8, 6, 4)) for name in ("levels", "hier"))
    assert levels.layers == hier.layers
    assert [head.layer for head in levels.heads] == [head.layer for head in hier.heads]
    assert [(head.children, head.in_size) for head in levels.heads] == [((), 4), ((), 6), ((), 8), ((), 6)]


@pytest.mark.parametrize("architecture", ["tree", "flat", "single"])
def test_layers_that_no_level_needs_are_not_added(architecture: str) -> None:
    assert [layer.size for layer in compile_plan(UNEVEN, architecture, 9, (8,)).layers] == [8]
    assert [layer.size for layer in compile_plan(UNEVEN, "levels", 9, (8,)).layers] == [8, 8, 8]


def test_the_last_size_repeats_in_a_deep_tree() -> None:
    plan = compile_plan(chain(5), "hier", 7, (250, 50))
    assert [layer.size for layer in plan.layers] == [250, 50, 50, 50, 50]
    assert {head.task: head.layer for head in plan.heads} == {"t0": 4, "t1": 3, "t2": 2, "t3": 1, "t4": 0}
    assert [head.in_size for head in plan.heads] == [52, 52, 52, 52, 250]


def test_sizes_beyond_the_levels_stand_below_the_deepest_heads() -> None:
    assert [head.layer for head in compile_plan(TRIAGE, "hier", 7, (9, 8, 7)).heads] == [2, 1, 1]
    plan = compile_plan(FLAT, "hier", 7)
    assert [layer.size for layer in plan.layers] == [250, 50]
    assert [(head.layer, head.children) for head in plan.heads] == [(1, ())]


def test_leaves_at_different_depths() -> None:
    plan = compile_plan(UNEVEN, "hier", 10, (8, 6, 4))
    assert {head.task: (head.layer, head.children, head.in_size) for head in plan.heads} == {
        "a": (2, ("b", "d"), 4 + 2 + 2),
        "b": (1, ("c",), 6 + 3),
        "c": (0, (), 8),
        "d": (1, (), 6),
    }


def test_parents_stand_before_children() -> None:
    plan = compile_plan(UNEVEN, "hier", 10)
    order = {head.task: i for i, head in enumerate(plan.heads)}
    assert all(order[child] > order[head.task] for head in plan.heads for child in head.children)


def test_parameters_are_counted() -> None:
    plan = compile_plan(TRIAGE, "hier", 10, (5, 3))
    assert plan.n_parameters == (11 * 5) + (6 * 3) + (8 * 2) + 2 * (6 * 2)


def test_a_plan_prints_itself_from_the_top_layer_down() -> None:
    assert str(compile_plan(TRIAGE, "hier", 6000)) == "\n".join(
        [
            "hier: 6,000 features, 1,513,914 parameters",
            "layer 2: 250 -> 50",
            "└── triage: 54 -> 2 (Acute, Non-acute), reads acute, non_acute",
            "layer 1: 6,000 -> 250",
            "├── acute: 250 -> 2 (Urgent, Emergent)",
            "└── non_acute: 250 -> 2 (Normal, Non-urgent)",
            "input: 6,000 features",
        ]
    )


def test_many_labels_are_cut_short_in_print() -> None:
    assert "(stop 0, stop 1, stop 2, stop 3, stop 4, stop 5 and 3 more)" in str(
        compile_plan(chain(8), "single", 5)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("deep",),
            "architecture must be one of 'tree', 'hier', 'levels', 'flat', 'single', 'linear'; got 'deep'.",
        ),
        (("hier", 0), "n_features must be a whole number of at least 1; got 0."),
        (("hier", 2.5), "n_features must be a whole number of at least 1; got 2.5."),
        (
            ("hier", 5, ()),
            "hidden_sizes must be one or more whole numbers of at least 1; got (). "
            "Give one a layer, such as (250, 50).",
        ),
        (
            ("hier", 5, (10, True)),
            "hidden_sizes must be one or more whole numbers of at least 1; got (10, True). "
            "Give one a layer, such as (250, 50).",
        ),
        (
            ("hier", 5, 250),
            "hidden_sizes must be one or more whole numbers of at least 1; got 250. "
            "Give one a layer, such as (250, 50).",
        ),
    ],
)
def test_bad_arguments(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_plan(TRIAGE, *arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_plans_need_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from metalwork import TaskSchema\n"
        "from metalwork.end_models import compile_plan\n"
        "print(compile_plan(TaskSchema.flat(['a', 'b']), 'flat', 3, (4,)))\n"
        "try:\n    from metalwork import EndModel\n"
        "except ImportError as error:\n    print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == (
        "MissingExtraError The end model needs the package 'torch', which is not installed. "
        "Install it with: pip install 'metalwork[train]'."
    )
    assert done.stdout.startswith("flat: 3 features")
