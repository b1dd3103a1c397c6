"""The ``schema`` commands."""

from pathlib import Path
from typing import Any, Final

from metalwork._documents import load_document
from metalwork.cli._progress import step
from metalwork.cli._show import out
from metalwork.cli._streams import plain, say
from metalwork.errors import ConfigError
from metalwork.pipeline import Job, Progress, Run, label_model_featurizer, load_project, try_lfs
from metalwork.proposals import SchemaProposal, propose_schema
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix

_MOST_RECORDS: Final = 20_000
"""Records of a project that are looked at: a sample of more."""


def propose(source: Path, votes: Path | None, n_groups: int | None, words: bool, target: Path | None) -> None:
    """Show a proposal for the labels of a project or a schema file, and write it where a file is named."""
    if target is not None and target.exists():
        raise ConfigError(f"The file to write must be new; {target} exists already. Name another one.")
    given = None if votes is None else LabelMatrix.load(votes)
    if _is_project(source):
        found = _of_project(source, given, n_groups, words)
    else:
        schema = TaskSchema.from_yaml(source)
        with step("Looking for groups of labels"):
            found = _proposed(schema, given, None, n_groups, words)
    out().print(plain(found), soft_wrap=True)
    if target is not None:
        found.save(target)
        kind = "the labels, flat as they are" if found.accepted is False else "the tree"
        say(f"Wrote {kind}: {target}", err=True)


def _is_project(source: Path) -> bool:
    value = load_document(source).value
    return isinstance(value, dict) and "schema" in value


def _of_project(source: Path, votes: LabelMatrix | None, n_groups: int | None, words: bool) -> SchemaProposal:
    """A proposal from a project's own labeling functions and records, or from other votes and label names."""
    project = load_project(source)
    if not isinstance(project.space, TaskSchema):
        raise ConfigError("The project's schema must be flat labels; it has label vectors.")
    if votes is not None or project.schema.n_tasks > 1:  # the second is refused, before anything is run
        with step("Looking for groups of labels"):
            return _proposed(project.schema, votes, None, n_groups, words)
    for file in project.code:
        say(f"Running the project's own Python file {file}", err=True)
    job = Job.of_project(project)
    with step(f"Labeling up to {_MOST_RECORDS:,} records") as meter:
        tried = try_lfs(
            job, (), "train", _MOST_RECORDS, lambda done, of: meter(Progress("apply", "train records", done, of))
        )
        records = Run(job).split("train").records[tried.rows.tolist()]
        featurizer = label_model_featurizer(job.features)
        features = None if featurizer is None else featurizer.fit_transform(records)
    with step("Looking for groups of labels"):
        return _proposed(project.schema, tried.votes, features, n_groups, words)


def _proposed(
    schema: TaskSchema, votes: LabelMatrix | None, features: Any, n_groups: int | None, words: bool
) -> SchemaProposal:
    encoder = False if words else None
    return propose_schema(schema, votes, features, n_groups, encoder=encoder)
