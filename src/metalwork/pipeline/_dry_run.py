"""What the language models of a job would be asked, counted without asking them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metalwork.pipeline._job import Job

if TYPE_CHECKING:
    from metalwork.sources import DryRun


def dry_run(job: Job) -> "Iterator[tuple[str, str, DryRun]]":
    """Name, split and needs of each labeling function that asks a language model, one after another."""
    from metalwork.sources import LanguageModelFunction  # which few projects need

    for lf in job.labeling_functions:
        if isinstance(lf, LanguageModelFunction):
            for split in job.splits:
                yield lf.name, split, lf.dry_run(job.split(split).source, job.space)
