"""Everything about a job that can be found wrong before its first labeling function runs."""

from collections.abc import Iterator, Mapping, Sequence

from metalwork._documents import Key
from metalwork.errors import ConfigError, MetalworkError
from metalwork.labeling import column_faults, function_faults, names_read
from metalwork.pipeline._data import missing_column
from metalwork.pipeline._faults import Fault, dotted, list_faults, placed, prior_faults
from metalwork.pipeline._features import checked_featurizers, label_model_featurizer
from metalwork.pipeline._job import Job
from metalwork.pipeline._split import sizes_of
from metalwork.pipeline._trial import option_faults, tuning_faults
from metalwork.votes import FeasibleLabels


def check_job(job: Job) -> None:
    """Check labeling functions, columns, known labels, features and the models' options, once; run none of them.

    The headers of all splits are read, the records of dev and test, and the numeric columns for the end model.

    Raises
    ------
    ConfigError
        Listing every fault, by its place in the project file where there is one.
    """
    if job.checked:
        return
    faults = list(job_faults(job))
    if faults and job.project is not None:
        lines = [placed(fault, job.project.locate) for fault in faults]
        raise ConfigError(list_faults(f"The project file {job.project.path.name}", lines))
    if faults:
        raise ConfigError(list_faults(f"The job {job.name!r}", [text for _, text in faults]))
    job.checked = True


def job_faults(job: Job) -> Iterator[Fault]:
    """All that is wrong with a job, each with the key of the project file that it is about."""
    columns = job.columns
    if job.project is not None:
        yield from job.project.faults
    if not (job.labeling_functions or _declares_any(job)):
        yield (
            ("lfs",),
            "lfs must hold at least one labeling function; there is none yet. Begin with `metalwork suggest`, "
            "`metalwork lf new`, or a rule under lfs.rules.",
        )
    yield from ((("lfs",), text) for text in function_faults(job.labeling_functions, job.space))
    yield from ((("lfs",), text) for text in _read_faults(job, columns))
    yield from _feature_faults(job, columns)
    yield from _label_faults(job, columns)
    if job.label_model.class_prior is not None and job.project is None:
        yield from prior_faults(job.label_model.class_prior, job.schema)
    if isinstance(job.space, FeasibleLabels) and job.label_model.name == "log-linear":
        yield (
            ("label_model", "name"),
            "label_model.name must be hierarchical, soft-vote or hard-vote with label vectors, of which a vote is "
            "for a set; got 'log-linear'.",
        )
    else:
        yield from option_faults(job)
    yield from tuning_faults(job)


def _read_faults(job: Job, columns: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Columns that labeling functions read and the records do not have; what all splits lack, once."""
    functions, made = job.labeling_functions, job.preprocessors
    yield from column_faults(functions, columns["train"], made)
    lacking = set(names_read(functions, made)) - set(columns["train"])
    for split in job.splits:
        if split != "train":
            faults = column_faults(functions, columns[split], made, known=lacking)
            yield from (f"{job.origin(split)}: {text}" for text in faults)


def _feature_faults(job: Job, columns: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    """Columns for the end model that are not there, or hold something else than numbers or dates."""
    settings = job.features
    single = {key: getattr(settings, key) for key in ("text", "embeddings", "static", "fine_tuned", "images")}
    named: list[tuple[tuple[Key, ...], str]] = [(("features", k), name) for k, name in single.items() if name]
    for key in ("columns", "categories", "dates"):
        named += [(("features", key, i), name) for i, name in enumerate(getattr(settings, key) or ())]
    if job.label_model.features and label_model_featurizer(settings) is None:
        yield (
            ("label_model", "features"),
            "label_model.features must be false where the end model reads images alone, which a label model "
            "cannot; got true. Leave it out.",
        )
    for split in job.splits:
        missing = [(place, name) for place, name in named if name not in columns[split]]
        for place, name in missing:
            if split == "train" or name in columns["train"]:
                yield place, missing_column(dotted(place), name, job.origin(split), columns[split])
        for key, featurizer in {} if missing else checked_featurizers(settings).items():
            try:
                found, learner = job.split(split), featurizer.learner()
                for part in found.in_parts(sizes_of(found.n_points)):
                    learner.add(part.records)
                if split == "train":
                    learner.finish()
            except MetalworkError as error:
                yield ("features", key), f"{job.origin(split)}: {error}"


def _label_faults(job: Job, columns: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    """Columns of labels and ids that are not there, and known labels that are none of the tree's."""
    lacking: set[str] = set()
    if job.project is not None:
        settings = job.project.settings.data
        named = {"data.id": settings.id} if settings.id is not None else {}
        for split in job.splits:
            asked = named | ({"data.label": settings.label} if split == "dev" else {})
            for key, name in asked.items():
                if name not in columns[split] and name not in lacking:
                    yield tuple(key.split(".")), missing_column(key, name, job.origin(split), columns[split])
                    lacking.add(name)
    for split in ("dev", "test"):
        if split in job.splits and not lacking:
            try:
                job.split(split)
            except MetalworkError as error:
                yield ("data", split), str(error)


def _declares_any(job: Job) -> bool:
    """Whether the project file has labeling functions, be they faulty ones, which are told each."""
    lfs = None if job.project is None else job.project.settings.lfs
    return lfs is not None and bool(lfs.python or lfs.rules or lfs.crowds)
