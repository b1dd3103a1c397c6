"""The project file: what it may hold, and what is said about what it may not."""

from pathlib import Path

import pytest

from metalwork.errors import ConfigError
from metalwork.pipeline import Job, Run, check_job, load_project
from tests.unit.pipeline.projects import LFS, PROJECT, SCHEMA, write_project


def _message(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        Job.of_project(load_project(path))
    return str(caught.value).replace(f"{path.parent}/", "")


def test_reads_a_whole_project(tmp_path: Path) -> None:
    project = load_project(write_project(tmp_path))
    job = Job.of_project(project)
    assert project.output == tmp_path / "runs"
    assert job.schema.end_labels == ("Cat", "Dog", "Owl", "Duck")
    assert job.splits == ("train", "dev", "test")
    assert [lf.name for lf in job.labeling_functions] == [
        "furry",
        "meows",
        "barks",
        "hoots",
        "feathered",
        "quacks",
        "other tool",
    ]
    assert job.split("train").gold is None
    gold = job.split("dev").gold
    assert gold is not None
    assert job.schema.end_of(gold).tolist() == [0, 1, 2, 3]


def test_a_column_may_be_mapped_to_an_abstain(tmp_path: Path) -> None:
    path = write_project(tmp_path, project=PROJECT.replace("{c: Cat, d: Dog}", "{c: Cat, d: null}"))
    other = Job.of_project(load_project(path)).labeling_functions[-1]
    assert (other("c"), other("d")) == ("Cat", None)


def test_takes_the_name_of_its_folder(tmp_path: Path) -> None:
    path = write_project(tmp_path / "zoo", project=PROJECT.replace("name: pets", ""))
    assert load_project(path).name == "zoo"


def test_reads_an_inline_schema(tmp_path: Path) -> None:
    inline = PROJECT.replace("schema: schema.yaml", "schema: {task: kind, labels: [Mammal, Bird]}")
    only = inline[: inline.index("lfs:")] + "lfs: {python: lfs.py}\n    features: {text: text}\n"
    path = write_project(tmp_path, project=only)
    assert load_project(path).schema.end_labels == ("Mammal", "Bird")


def test_lists_every_fault_with_its_position(tmp_path: Path) -> None:
    project = """\
    schema:
      task: kind
      labels: [Mammal]
    data:
      trian: train.csv
      dev: nothing.csv
    lfs:
      rules:
        - {keyword: [fur], task: kind, label: Mammal}
        - {regex: '(', task: kind, label: Mammal}
        - {keywords: [fur], task: kind}
    feature: {text: text}
    end_model: {max_epochs: ten, architecture: hierarchical}
    random_state: -1
    """
    assert _message(write_project(tmp_path, project=project)) == (
        "The project file project.yaml has 10 faults:\n"
        "  - project.yaml:1:1: features must be given. Add it.\n"
        "  - project.yaml:2:3: a schema must have at least two end labels; got one, 'Mammal': nothing to tell.\n"
        "  - project.yaml:5:3: 'trian' is no key of data. Did you mean 'train'?\n"
        "  - project.yaml:9:8: 'keyword' is no key of lfs.rules[0]. Did you mean 'keywords'?\n"
        "  - project.yaml:10:8: lfs.rules[1].regex must be a regular expression "
        "(missing ), unterminated subpattern at position 0).\n"
        "  - project.yaml:11:7: lfs.rules[2] must have the key label beside keywords: the label it votes for.\n"
        "  - project.yaml:12:1: 'feature' is no key of the project file. Did you mean 'features'?\n"
        "  - project.yaml:13:13: end_model.max_epochs must be a valid integer; got 'ten'.\n"
        "  - project.yaml:13:30: end_model.architecture must be 'tree', 'hier', 'levels', 'flat', 'single', "
        "'linear' or 'none'; got 'hierarchical'.\n"
        "  - project.yaml:14:1: random_state must be greater than or equal to 0; got -1."
    )


def test_checks_names_and_files_against_schema_and_folder(tmp_path: Path) -> None:
    wrong = (
        PROJECT.replace("label: Bird", "label: Brid")
        .replace("task: bird,", "task: birds,")
        .replace("d: Dog", "d: Hound")
        .replace("train.csv", "trains.csv")
        .replace("python: lfs.py", "python: lf.py")
    )
    wrong += "    label_model: {class_prior: {Cat: 0.5, Cow: 0.5}}\n"
    assert _message(write_project(tmp_path, project=wrong)) == (
        "The project file project.yaml has 7 faults:\n"
        "  - project.yaml:4:8: data.train must be a file or a glob that matches one; got 'trains.csv'. "
        "Paths start at the project file's folder. Did you mean 'train.csv'?\n"
        "  - project.yaml:6:3: lfs.python must be a file; there is none at 'lf.py'. Did you mean 'lfs.py'?\n"
        "  - project.yaml:8:47: lfs.rules[0].label: 'Brid' is no label of task 'kind'. Did you mean 'Bird'?\n"
        "  - project.yaml:9:27: lfs.rules[1].task: 'birds' is no task. Did you mean 'bird'?\n"
        "  - project.yaml:10:55: lfs.rules[2].mapping.d: 'Hound' is no label of task 'mammal'. "
        "Known: 'Cat', 'Dog'.\n"
        "  - project.yaml:13:15: label_model.class_prior must have every end label; Dog, Owl, Duck are missing. "
        "Add the share of each.\n"
        "  - project.yaml:13:39: label_model.class_prior: 'Cow' is no end label. "
        "Known: 'Cat', 'Dog', 'Owl', 'Duck'."
    )


def test_names_the_schema_file_that_is_wrong(tmp_path: Path) -> None:
    path = write_project(tmp_path, schema=SCHEMA.replace("Owl, Duck", ""))
    assert _message(path) == (
        "The project file project.yaml has 1 fault:\n"
        "  - schema.yaml:5:12: task 'bird' has no label; a task must have at least one."
    )


def test_runs_no_code_outside_the_projects_folder(tmp_path: Path) -> None:
    path = write_project(tmp_path / "p", project=PROJECT.replace("python: lfs.py", "python: ../lfs.py"))
    (tmp_path / "lfs.py").write_text("raise SystemExit('run')")
    assert _message(path) == (
        "The project file project.yaml has 1 fault:\n"
        "  - project.yaml:6:3: lfs.python must lie in the project's folder, because it is run; got '../lfs.py'. "
        "Copy it there."
    )


def test_runs_no_code_through_a_link_out_of_the_folder(tmp_path: Path) -> None:
    path = write_project(tmp_path / "p")
    (tmp_path / "elsewhere.py").write_text("raise SystemExit('run')")
    (path.parent / "lfs.py").unlink()
    (path.parent / "lfs.py").symlink_to(tmp_path / "elsewhere.py")
    assert "must lie in the project's folder" in _message(path)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "def broken(:\n    pass\n",
            "lfs.py:1: the file must run without an error; got SyntaxError: invalid syntax",
        ),
        (
            "x = 1\ny = x / 0\n",
            "lfs.py:2: the file must run without an error; got ZeroDivisionError: division by zero",
        ),
        (
            "import nowhere\n",
            "lfs.py:1: the file must run without an error; got ModuleNotFoundError: No module named 'nowhere'",
        ),
        (
            "LABELING_FUNCTIONS = [len]\n",
            "lfs.py: LABELING_FUNCTIONS[0] must be a labeling function; got <built-in function len>. "
            "Decorate it with @mw.labeling_function(task=...).",
        ),
        (
            "x = 1\n",
            "lfs.py must define at least one labeling function; got none. "
            "Decorate a function with @mw.labeling_function(task=...).",
        ),
    ],
)
def test_names_the_line_of_a_broken_python_file(tmp_path: Path, code: str, message: str) -> None:
    assert _message(write_project(tmp_path, lfs=code)) == message


def test_a_crowd_is_named_in_the_project_file(tmp_path: Path) -> None:
    crowds = "lfs:\n      crowds: [{file: answers.csv, task: mammal, field: key, worker: who, labels: {c: Cat}}]"
    path = write_project(tmp_path, project=PROJECT.replace("lfs:", crowds))
    (tmp_path / "answers.csv").write_text("record,who,label\ntrain-Cat-0,Ann,c\ntrain-Cat-1,Bob,c\n")
    job = Job.of_project(load_project(path))
    assert [lf.name for lf in job.labeling_functions][-2:] == ["Ann", "Bob"]
    assert job.code is not None
    assert tmp_path / "answers.csv" in job.code.digests
    check_job(job)
    (tmp_path / "answers.csv").write_text("record,who,label\ntrain-Cat-0,Ann,d\n")
    assert _message(path) == (
        "project.yaml:6:12: lfs.crowds[0]: labels of LF 'Ann' must name every label of its table; 'd' is not "
        "among them. Map it to a label, or to None."
    )


def test_whole_records_and_preprocessors_run_in_a_project(tmp_path: Path) -> None:
    code = """
    from tests.unit.sources.snorkels import labeling_function

    @labeling_function()
    def whole(x):
        return 0 if "meow" in x.text and "label" not in x and x.guess == "c" else -1

    @mw.preprocessor(output="words")
    def split(text):
        return text.split()

    @mw.labeling_function(task="mammal")
    def by_words(words):
        return "Dog" if "bark" in words else None

    theirs = mw.from_snorkel([whole], "mammal")
    """
    run = Run.open(write_project(tmp_path, lfs=LFS + code))
    votes = run.votes["dev"]
    assert votes.errors.tolist() == [0] * votes.n_lfs
    assert votes.codes[:, votes.names.index("whole")].tolist() == [0, -1, -1, -1]
    assert votes.codes[:, votes.names.index("by_words")].tolist() == [-1, 1, -1, -1]


def test_lists_of_labeling_functions_count(tmp_path: Path) -> None:
    crowd = """
    crowd = mw.from_crowd("kind", [{"record": "1", "worker": w, "label": "Bird"} for w in ("Ann", "Bob")], "key")
    pair = (hoots, mw.keywords("mammal", "Dog", ["wags"], name="wags"))
    words = ["no", "functions"]
    """
    path = write_project(tmp_path, lfs=LFS + crowd)
    names = [lf.name for lf in Job.of_project(load_project(path)).labeling_functions]
    assert names[4:7] == ["Ann", "Bob", "wags"]
    assert names.count("hoots") == 1


def test_takes_the_listed_functions_only(tmp_path: Path) -> None:
    path = write_project(tmp_path, lfs=LFS + "\n    LABELING_FUNCTIONS = [hoots]\n")
    names = [lf.name for lf in Job.of_project(load_project(path)).labeling_functions]
    assert names == ["hoots", "feathered", "quacks", "other tool"]


def test_a_name_may_stand_once(tmp_path: Path) -> None:
    path = write_project(tmp_path, project=PROJECT.replace("name: quacks", "name: hoots"))
    assert _message(path) == (
        "Labeling functions must have distinct names; got twice in project.yaml: hoots. "
        "Give one of each another name."
    )


def test_gold_outside_the_schema_names_file_and_row(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    dev = tmp_path / "dev.csv"
    dev.write_text(dev.read_text().replace(",Owl", ",Ovl"))
    job = Job.of_project(load_project(path))
    with pytest.raises(ValueError) as caught:
        job.split("dev")
    assert str(caught.value).replace(f"{tmp_path}/", "") == (
        "dev.csv: column 'label': Row 2: 'Ovl' is no label. Did you mean 'Owl'? Correct the record or the schema."
    )


def test_a_label_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = write_project(tmp_path, project=PROJECT.replace("id: key", "id: key, label: gold"))
    job = Job.of_project(load_project(path))
    with pytest.raises(ConfigError) as caught:
        job.split("dev")
    assert str(caught.value).replace(f"{tmp_path}/", "") == (
        "data.label must be a column of dev.csv; got 'gold'. It has: key, text, guess, label. Correct the name."
    )
    assert job.split("test").gold is None  # a test split without labels is predicted, not scored


@pytest.mark.parametrize("lfs", ["", "lfs:\n", "lfs: {}\n", "lfs: {rules: []}\n", "lfs:\n  rules: # to come\n"])
def test_a_project_without_a_labeling_function_can_be_looked_at(tmp_path: Path, lfs: str) -> None:
    path = write_project(tmp_path)
    before, _, after = path.read_text().partition("lfs:\n")
    path.write_text(before + lfs + after[after.index("features:") :])
    run = Run.open(path)
    assert run.records(uncovered=True, split="train").total == run.split("train").n_points
    assert run.records(known="Cat").total == 1
    assert run.inspection.record("dev", 2).known == "Owl"
    assert run.records(wrong=True).total == 0
    with pytest.raises(ConfigError, match="lfs must hold at least one labeling function; there is none yet"):
        run.apply()
