"""The names others build on: pinned, sorted, importable."""

import ast
import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import metalwork as mw

PACKAGE = Path(mw.__file__).parent

PUBLIC = (
    "ABSTAIN",
    "Categories",
    "Dates",
    "EndModel",
    "FeasibleLabels",
    "FeatureAwareLabelModel",
    "FineTuned",
    "ForestLabelModel",
    "HashedWords",
    "HierarchicalLabelModel",
    "Images",
    "LabelMatrix",
    "LabelingFunction",
    "LogLinearLabelModel",
    "MajorityVote",
    "MetalworkError",
    "NOT_APPLICABLE",
    "Not",
    "Predictor",
    "Run",
    "SentenceEmbeddings",
    "StaticEmbeddings",
    "TaskForest",
    "TaskProbabilities",
    "TaskSchema",
    "TfIdf",
    "WordCounts",
    "apply",
    "equals",
    "evaluate",
    "from_callable",
    "from_column",
    "from_crowd",
    "from_model",
    "from_probabilities",
    "from_skweak",
    "from_snorkel",
    "from_table",
    "keywords",
    "labeling_function",
    "least_certain",
    "lf_summary",
    "llm",
    "load_label_model",
    "preprocessor",
    "propose_schema",
    "prototypes",
    "regex",
    "spacy_entities",
    "spacy_patterns",
    "threshold",
    "zero_shot",
)

ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def test_the_public_names_are_these() -> None:
    assert tuple(mw.__all__) == PUBLIC


def test_the_public_names_are_sorted_and_each_has_a_home() -> None:
    assert list(mw.__all__) == sorted(mw.__all__)
    assert sorted(mw._HOMES) == list(mw.__all__)
    assert dir(mw) == sorted([*mw.__all__, "__version__"])


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    seen = {
        alias.asname or alias.name: f"{node.module}"
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {name: f"metalwork.{home}" for name, home in mw._HOMES.items()}


@pytest.mark.parametrize("name", mw.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(mw, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'metalwork' has no attribute 'Nothing'$"):
        mw.Nothing  # noqa: B018


@pytest.mark.parametrize("room", [*ROOMS, "errors", "probabilities", "schema"])
def test_rooms_are_there_whatever_was_touched_before(room: str) -> None:
    code = f"import metalwork as mw; assert mw.{room}.__name__ == 'metalwork.{room}'"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("room", ROOMS)
def test_classes_go_by_the_name_that_users_import(room: str) -> None:
    module = import_module(f"metalwork.{room}")
    for name in module.__all__:
        thing = getattr(module, name)
        if isinstance(thing, type) and thing.__module__.startswith("metalwork"):
            assert thing.__module__ == "metalwork" or "._" not in thing.__module__, name
            assert pickle.loads(pickle.dumps(thing)) is thing


def test_the_roots_classes_are_the_roots() -> None:
    for name in mw.__all__:
        thing = getattr(mw, name)
        if isinstance(thing, type):
            assert repr(thing) == f"<class 'metalwork.{name}'>"


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_names_what_it_offers(room: str) -> None:
    module = import_module(f"metalwork.{room}")
    names = module.__all__
    assert len(set(names)) == len(names)
    assert [name for name in names if name.startswith("_")] == []
    for name in names:
        getattr(module, name)


@pytest.mark.parametrize("module", ["metalwork", *(f"metalwork.{room}" for room in ROOMS)])
def test_every_public_class_and_function_says_what_it_is(module: str) -> None:
    names = import_module(module).__all__
    things = {name: getattr(import_module(module), name) for name in names}
    undocumented = [
        name for name, thing in things.items() if callable(thing) and not (thing.__doc__ or "").strip()
    ]
    assert undocumented == []
