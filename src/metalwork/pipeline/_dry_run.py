"""What the language models of a job would be asked, counted without asking them."""

from collections.abc import Iterator

from metalwork.pipeline._job import Job
from metalwork.sources import DryRun, LanguageModelFunction


def dry_run(job: Job) -> Iterator[tuple[str, str, DryRun]]:
    """Name, split and needs of each labeling function that asks a language model, one after another."""
    for lf in job.labeling_functions:
        if isinstance(lf, LanguageModelFunction):
            for split in job.splits:
                yield lf.name, split, lf.dry_run(job.split(split).source, job.space)
