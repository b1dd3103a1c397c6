"""What deserves a look before and after labeling functions run; none of it stops a run."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from metalwork._checks import ABSTAIN, IntArray
from metalwork.pipeline._job import Job
from metalwork.pipeline._split import Split
from metalwork.votes import LabelMatrix

_NAMED = 5


def record_findings(job: Job) -> Iterator[str]:
    """Sentences on ids, and on the records of dev and test."""
    for split in job.splits:
        yield from _id_findings(job, split)
    if {"dev", "test"} <= set(job.splits):
        yield from _shared_findings(job)
    if "dev" in job.splits:
        yield from _dev_findings(job)
    if "test" in job.splits and not job.split("test").n_known:
        yield (
            "No record of test has a known label, so there are no figures on test. "
            "Name or fill its label column, or leave it out."
        )


def vote_findings(job: Job, parts: Iterable[LabelMatrix]) -> Iterator[str]:
    """A sentence on the end labels that no labeling function voted for on the training records."""
    votes, used = _used_codes(parts)
    names = job.schema.end_labels
    silent = [name for code, name in enumerate(names) if not _is_voted_for(job, votes, used, code)]
    if silent:
        yield (
            f"No labeling function votes for {_listed(map(repr, silent), len(silent))} on the training records: "
            "what is known of such a label comes from the class prior and from votes for others. "
            "Write labeling functions for each end label."
        )


def _used_codes(parts: Iterable[LabelMatrix]) -> tuple[LabelMatrix, list[IntArray]]:
    """Some of the votes, and the codes that each LF gave on any record."""
    used: list[set[int]] = []
    for votes in parts:
        found = [set(np.unique(column).tolist()) - {ABSTAIN} for column in votes.codes.T]
        used = found if not used else [known | new for known, new in zip(used, found, strict=True)]
    return votes, [np.array(sorted(codes), dtype=np.int64) for codes in used]


def _is_voted_for(job: Job, votes: LabelMatrix, used: Sequence[IntArray], end_label: int) -> bool:
    """Whether a vote on the deepest task of the path that has a choice admits the end label, and not all."""
    path = [(t, task) for t, task in enumerate(job.schema.tasks) if job.schema.task_codes[end_label, t] >= 0]
    choices = [(t, task) for t, task in path if len(job.schema.labels(task)) > 1]
    if not choices:
        return True
    place, task = choices[-1]
    label = int(job.schema.task_codes[end_label, place])
    for lf in (j for j, own in enumerate(votes.tasks) if own == task):
        rows = np.nan_to_num(votes.alphabets[lf].rows[:, :-1])[used[lf]]
        if ((rows[:, label] > 0) & (rows < 1).any(axis=1)).any():
            return True
    return False


def _id_findings(job: Job, split: str) -> Iterator[str]:
    found = job.split(split)
    ids = found.ids if isinstance(found, Split) else None
    if ids is None:  # or too many records to hold
        return
    if missing := ids.null_count():
        rows = ids.is_null().arg_true().to_list()
        yield (
            f"{missing:,} records of {split} have no id, such as {_rows(rows)}. Tables name them by row alone; "
            "give each an id."
        )
    known = ids.drop_nulls()
    if known.n_unique() < len(known):
        twice = known.filter(known.is_duplicated()).unique(maintain_order=True)
        named = _listed(map(repr, twice.to_list()), len(twice))
        yield (f"{len(twice):,} ids of {split} name several records: {named}. Give each record an id of its own.")


def _shared_findings(job: Job) -> Iterator[str]:
    dev, test = job.split("dev"), job.split("test")
    if not isinstance(dev, Split) or not isinstance(test, Split):  # too many records to hold
        return
    content = job.content(dev).is_in(job.content(test).drop_nulls().implode())
    if dev.ids is not None and test.ids is not None:
        content |= dev.ids.is_in(test.ids.drop_nulls().implode())
    rows = content.fill_null(False).arg_true().to_list()
    if rows:
        names = rows if dev.ids is None else dev.ids.gather(rows).to_list()
        what = ("row " if dev.ids is None else "id ") + _listed(map(str, names), len(rows))
        yield (
            f"{len(rows):,} records of dev also stand in test, such as {what}. "
            "Figures on test are then too good; take these records out of one of them."
        )


def _dev_findings(job: Job) -> Iterator[str]:
    dev = job.split("dev")
    if not dev.n_known:
        yield "No record of dev has a known label, so dev guides nothing. Fill its label column, or leave it out."
        return
    if not isinstance(dev, Split):
        return
    known = dev.gold[dev.known]
    classes = np.unique(known, axis=0)
    if len(classes) == 1 and job.schema.n_end_labels > 1:
        codes = [(task, int(code)) for task, code in zip(job.schema.tasks, classes[0], strict=True) if code >= 0]
        task, code = codes[-1]
        name, n_known = job.schema.labels(task)[code], len(known)
        yield (
            f"All {n_known:,} known records of dev have the label {name!r}: "
            "dev tells nothing of the others. Add records of other labels."
        )


def _rows(rows: Sequence[int]) -> str:
    return ("row " if len(rows) == 1 else "rows ") + _listed(map(str, rows), len(rows))


def _listed(names: Iterable[str], count: int) -> str:
    shown = [name for name, _ in zip(names, range(_NAMED), strict=False)]
    return ", ".join(shown) + (f" and {count - _NAMED:,} more" if count > _NAMED else "")
