"""The label matrix: what every labeling function said about every record."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from metalwork import _html
from metalwork._arrays import load_arrays, reading, save_arrays
from metalwork._checks import ABSTAIN, FAILED, FloatArray, IntArray, check_instance, check_names
from metalwork.errors import VotesError
from metalwork.schema import TaskSchema, unknown_name
from metalwork.votes._alphabet import Alphabet, read_alphabet
from metalwork.votes._incidents import Incident, incidents_of, plain_incidents, read_incidents
from metalwork.votes._long import RecordId, read_long
from metalwork.votes._metal import as_codes, metal_alphabets, read_metal
from metalwork.votes._soft import distinct_votes

_FORMAT = "metalwork label matrix 1"


class LabelMatrix:
    """Votes of labeling functions (LFs) on records.

    Parameters
    ----------
    codes : int array (n_points, n_lfs)
        ``codes[i, j]`` is the label code that LF ``j`` gave record ``i`` within its task, or ``ABSTAIN`` (-1);
        where LF ``j`` has an alphabet of its own, the position of what it said in that. -3 says that it failed
        there, which is no abstain. A scipy sparse matrix is made dense: what it leaves out is 0, a vote for the
        first label. For sparse votes in Snorkel MeTaL's convention see :class:`metalwork.votes.SparseVotes`.
    schema : TaskSchema
    tasks : sequence of str (n_lfs,), optional
        The task each LF votes on; may be left out where the schema has one task.
    names : sequence of str (n_lfs,), optional
        Distinct LF names; ``lf_0, lf_1, ...`` by default.
    errors : int array (n_lfs,), optional
        On how many records each LF failed, where ``codes`` do not say on which.
    outcomes : mapping of LF name to Alphabet or float array (n_outcomes, n_labels + 1), optional
        Alphabets of LFs that say more than one label, as :class:`metalwork.votes.Alphabet` takes their rows. By
        default an LF's outcomes are the labels of its task.
    record_ids : sequence of str or int (n_points,), optional
        What the records are called, where rows alone do not tell; kept by ``rows``, ``lfs`` and ``save``.
    incidents : iterable of Incident, optional
        What went wrong on some of the records on which an LF failed; at most ten are kept an LF.

    Attributes
    ----------
    codes : int array (n_points, n_lfs)
        As given, but ``ABSTAIN`` where an LF failed: it has nothing to say there.
    failed : int64 array (n_failures, 2)
        Row and LF of every failure, row after row; ``stored_codes`` are the codes with -3 there.
    errors : int64 array (n_lfs,)
        On how many records each LF failed.
    alphabets : tuple of Alphabet (n_lfs,)
        What each LF's codes say.

    Raises
    ------
    VotesError
        For a code that is no label of its LF's task, naming row and LF; for wrong shapes or names.
    """

    codes: IntArray
    failed: IntArray
    schema: TaskSchema
    tasks: tuple[str, ...]
    names: tuple[str, ...]
    errors: IntArray
    alphabets: tuple[Alphabet, ...]
    record_ids: tuple[RecordId, ...] | None
    incidents: tuple[Incident, ...]

    def __init__(
        self,
        codes: Any,
        schema: TaskSchema,
        tasks: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        errors: Any = None,
        outcomes: Mapping[str, Any] | None = None,
        record_ids: Sequence[RecordId] | None = None,
        incidents: Iterable[Any] = (),
    ) -> None:
        array, schema = as_codes(codes), check_instance("schema", schema, TaskSchema)
        n_lfs = array.shape[1]
        self.schema = schema
        self.tasks = _check_tasks(tasks, schema, n_lfs)
        self.names = _check_names(names, n_lfs)
        self.alphabets = _read_alphabets(outcomes or {}, self)
        self.failed = _check_codes(array, self)
        self.codes = array.astype(_smallest_dtype(self), copy=len(self.failed) > 0)
        if len(self.failed):
            self.codes[self.failed[:, 0], self.failed[:, 1]] = ABSTAIN
        self.errors = _check_errors(errors, self.failed[:, 1], self.names)
        self.incidents = read_incidents(incidents)
        self.record_ids = _check_ids(record_ids, self.n_points)

    @property
    def n_points(self) -> int:
        """Number of records."""
        return int(self.codes.shape[0])

    @property
    def n_lfs(self) -> int:
        """Number of labeling functions."""
        return int(self.codes.shape[1])

    def __len__(self) -> int:
        return self.n_points

    def __repr__(self) -> str:
        return f"LabelMatrix(n_points={self.n_points}, n_lfs={self.n_lfs}, tasks={list(self.schema.tasks)})"

    def _repr_html_(self) -> str:
        n_votes = [int(np.count_nonzero(column >= 0)) for column in self.codes.T]
        rows = [(n, t, v, v / max(len(self), 1)) for n, t, v in zip(self.names, self.tasks, n_votes, strict=True)]
        title = f"Votes of {self.n_lfs:,} labeling functions on {self.n_points:,} records"
        return _html.block(title, _html.table(["LF", "task", "votes", "coverage"], rows, n_text=2))

    def lfs_of(self, task: str) -> IntArray:
        """Positions of the LFs that vote on ``task``."""
        self.schema.task_index(task)
        return np.flatnonzero(np.array([name == task for name in self.tasks], dtype=bool))

    @property
    def stored_codes(self) -> IntArray:
        """int array (n_points, n_lfs): the codes, with -3 where an LF failed, as files hold them."""
        if not len(self.failed):
            return self.codes
        codes = self.codes.copy()
        codes[self.failed[:, 0], self.failed[:, 1]] = FAILED
        return codes

    @property
    def outcomes(self) -> dict[str, FloatArray]:
        """Rows of the alphabets of LFs whose outcomes are not just the labels of their task, by LF name."""
        return {name: alphabet.rows for name, alphabet in _own(self).items() if not alphabet.plain}

    def rows(self, index: Any) -> "LabelMatrix":
        """The same LFs on the records that ``index`` (slice, int or bool array) picks; without incidents."""
        ids = None if self.record_ids is None else np.array(self.record_ids, dtype=object)[index].tolist()
        codes = self.stored_codes[index]
        return LabelMatrix(codes, self.schema, self.tasks, self.names, outcomes=_own(self), record_ids=ids)

    def lfs(self, index: Sequence[int] | IntArray) -> "LabelMatrix":
        """The same records with the LFs at positions ``index`` only."""
        chosen = [int(j) for j in index]
        names, tasks = [self.names[j] for j in chosen], [self.tasks[j] for j in chosen]
        outcomes = {name: self.alphabets[j] for name, j in zip(names, chosen, strict=True)}
        codes, errors = self.stored_codes[:, chosen], self.errors[chosen]
        incidents = incidents_of(self.incidents, names)
        return LabelMatrix(codes, self.schema, tasks, names, errors, outcomes, self.record_ids, incidents)

    def vote_name(self, lf: int, code: int) -> str:
        """What a code of the LF at position ``lf`` says: ``"a"``, ``"a or b"``, ``"not c"`` or ``"a 0.8"``."""
        return self.alphabets[lf].name(code, self.schema.labels(self.tasks[lf]))

    @classmethod
    def from_soft(
        cls,
        probabilities: Sequence[Any],
        schema: TaskSchema,
        tasks: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
    ) -> "LabelMatrix":
        """Soft votes: what classifiers or language models hold of the labels of a task, one array an LF.

        Each is a float array (n_points, n_labels of the LF's task) of probabilities that sum to 1. Up to seven
        labels they are rounded to a fixed grid, so that rows repeat: multiples of 1/20 for two or three labels,
        coarser ones for more. Beyond, an LF's outcomes are what it says, to six decimals; label models take any,
        whatever they were fitted on. Rows with NaN abstain, and so do rows that are nearly uniform.

        Raises
        ------
        VotesError
            For a wrong shape, or a row that is no distribution.
        """
        checked = _check_tasks(tasks, schema, len(probabilities))
        named = _check_names(names, len(probabilities))
        n_labels = [len(schema.labels(task)) for task in checked]
        given = zip(probabilities, n_labels, named, strict=True)
        found = [distinct_votes(rows, k, name) for rows, k, name in given]
        columns = [column for column, _ in found]
        if len({len(column) for column in columns}) > 1:
            lengths = ", ".join(str(len(column)) for column in columns)
            raise VotesError(f"probabilities must have one row a record each; got {lengths} rows.")
        codes = np.stack(columns, axis=1) if columns else np.empty((0, 0), np.int64)
        said = zip(named, n_labels, found, strict=True)
        outcomes = {name: Alphabet.of_soft_votes(k) if rows is None else rows for name, k, (_, rows) in said}
        return cls(codes, schema, checked, named, outcomes=outcomes)

    @classmethod
    def beside(cls, parts: Sequence["LabelMatrix"]) -> "LabelMatrix":
        """Put the LFs of matrices over the same records side by side, such as plain votes and soft ones."""
        first = _check_beside(parts)
        codes = np.concatenate([part.stored_codes for part in parts], axis=1)
        tasks = [task for part in parts for task in part.tasks]
        names = [name for part in parts for name in part.names]
        outcomes = {name: rows for part in parts for name, rows in _own(part).items()}
        errors, ids = np.concatenate([part.errors for part in parts]), {part.record_ids for part in parts} - {None}
        if len(ids) > 1:
            raise VotesError("parts must be over the same records in the same order; their ids differ.")
        incidents = [incident for part in parts for incident in part.incidents]
        return cls(codes, first.schema, tasks, names, errors, outcomes, ids.pop() if ids else None, incidents)

    @classmethod
    def concatenate(cls, parts: Sequence["LabelMatrix"]) -> "LabelMatrix":
        """Stack the rows of matrices with the same schema, tasks, names and outcomes; errors add up."""
        first = _check_stacked(parts)
        codes = np.concatenate([part.stored_codes for part in parts])
        errors = sum(part.errors for part in parts)
        ids = [part.record_ids for part in parts if part.record_ids is not None]
        known = [key for own in ids for key in own] if len(ids) == len(parts) else None
        incidents = [incident for part in parts for incident in part.incidents]
        return cls(codes, first.schema, first.tasks, first.names, errors, _own(first), known, incidents)

    @classmethod
    def from_long(
        cls, records: Any, workers: Any, labels: Any, schema: TaskSchema, task: str | None = None
    ) -> "LabelMatrix":
        """Crowd answers: who gave which record which label, an answer an element; each worker becomes an LF.

        Records (``record_ids``) and workers (``names``) stand in the order in which they first come up.

        Parameters
        ----------
        records, workers, labels : sequence (n_answers,)
            Lists, arrays or columns of a frame. Labels are names, a number counts by how it is written; where one
            is missing the worker was not asked.
        schema : TaskSchema
        task : str, optional
            The task that was asked. In a tree of several tasks without one, labels may be of any of them, by
            unique name or path, and ``"worker[task]"`` is the LF of a worker's answers on a task.

        Raises
        ------
        VotesError
            For a label that is none of the task, and a worker who gave a record two labels, naming the rows.
        """
        found = read_long(records, workers, labels, schema, task)
        return cls(found.codes, schema, found.tasks, found.names, record_ids=found.record_ids)

    def to_snorkel(self, task: str | None = None) -> IntArray:
        """Snorkel's matrix for one task: int array (n_points, LFs of the task), labels 0..k-1, -1 abstains.

        ``task`` may be left out where the schema has one task. Votes must be labels: Snorkel knows no others.
        """
        self.check_plain("Snorkel's matrix")
        return np.asarray(self.codes[:, self.lfs_of(_one_task(task, self.schema))], dtype=np.int64)

    @classmethod
    def from_snorkel(
        cls, matrix: Any, schema: TaskSchema, task: str | None = None, names: Sequence[str] | None = None
    ) -> "LabelMatrix":
        """A label matrix from Snorkel's (labels 0..k-1, -1 abstains), all of whose LFs vote on ``task``."""
        array = as_codes(matrix)
        return cls(array, schema, [_one_task(task, schema)] * array.shape[1], names)

    def to_metal(self) -> list[IntArray]:
        """Snorkel MeTaL's matrices: one a task, labels 1..k and 0 for an abstain. Votes must be labels."""
        self.check_plain("MeTaL's matrices")
        return [np.asarray(self.codes[:, self.lfs_of(task)], dtype=np.int64) + 1 for task in self.schema.tasks]

    @classmethod
    def from_metal(
        cls,
        matrices: Sequence[Any],
        schema: TaskSchema,
        names: Sequence[str] | None = None,
        last_is_not_applicable: bool = False,
    ) -> "LabelMatrix":
        """A label matrix from Snorkel MeTaL's, one a task (labels 1..k, 0 abstains), in schema order.

        With ``last_is_not_applicable``, k+1 says that the task does not apply, as in MeTaL's task hierarchies.
        """
        codes, tasks = read_metal(matrices, schema, last_is_not_applicable)
        named = _check_names(names, len(tasks))
        wide = metal_alphabets(schema, tasks, named) if last_is_not_applicable else None
        return cls(codes, schema, tasks, named, outcomes=wide)

    def check_plain(self, what: str) -> None:
        """Raise a ``VotesError`` where some LF votes for more than labels, which ``what`` cannot hold."""
        if self.outcomes:
            named = ", ".join(list(self.outcomes)[:5]) + (" ..." if len(self.outcomes) > 5 else "")
            raise VotesError(
                f"Votes for {what} must be labels; got sets or soft votes of {named}. "
                "Leave these LFs out (votes.lfs), or use HierarchicalLabelModel or MajorityVote."
            )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the matrix to one ``.npz`` file, whole or not at all."""
        own = _own(self)
        header: dict[str, Any] = {
            "schema": self.schema.to_dict(),
            "tasks": self.tasks,
            "names": self.names,
            "outcomes": list(own),
            "words": [alphabet.words for alphabet in own.values()],
        }
        if self.record_ids is not None:
            header["record_ids"] = self.record_ids
        if self.incidents:
            header["incidents"] = plain_incidents(self.incidents)
        arrays = {"codes": self.stored_codes, "errors": self.errors}
        save_arrays(path, _FORMAT, header, arrays | {_stored(i): own[lf].rows for i, lf in enumerate(own)})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a matrix that :meth:`save` wrote. Nothing in the file is executed."""
        header, arrays = load_arrays(path, _FORMAT)
        with reading(path, _FORMAT):
            schema, own = TaskSchema.from_dict(header["schema"]), header.get("outcomes", [])
            if set(arrays) != {"codes", "errors", *map(_stored, range(len(own)))}:
                raise VotesError("its arrays are not those of a label matrix")
            words = header.get("words", [None] * len(own))
            outcomes = {lf: Alphabet(arrays[_stored(i)], words[i]) for i, lf in enumerate(own)}
            tasks, names, ids = header["tasks"], header["names"], header.get("record_ids")
            incidents = header.get("incidents", [])
            return cls(arrays["codes"], schema, tasks, names, arrays["errors"], outcomes, ids, incidents)


def _check_tasks(tasks: Sequence[str] | None, schema: TaskSchema, n_lfs: int) -> tuple[str, ...]:
    if tasks is None:
        if schema.n_tasks > 1:
            raise VotesError(f"tasks must name the task of each LF; the schema has {schema.n_tasks} tasks.")
        return (schema.root,) * n_lfs
    tasks = check_names("tasks", tasks, "task names")
    if len(tasks) != n_lfs:
        raise VotesError(f"tasks must name one task an LF ({n_lfs}); got {len(tasks)}.")
    for task in tasks:
        schema.task_index(task)
    return tasks


def _check_names(names: Sequence[str] | None, n_lfs: int) -> tuple[str, ...]:
    if names is None:
        return tuple(f"lf_{j}" for j in range(n_lfs))
    names = check_names("names", names, "LF names")
    if len(names) != n_lfs:
        raise VotesError(f"names must hold one name an LF ({n_lfs}); got {len(names)}.")
    if len(set(names)) != n_lfs:
        twice = sorted({name for name in names if names.count(name) > 1})
        raise VotesError(f"LF names must be distinct; got twice: {', '.join(twice)}. Rename one.")
    return names


def _read_alphabets(outcomes: Mapping[str, Any], votes: LabelMatrix) -> tuple[Alphabet, ...]:
    for name in outcomes:
        if name not in votes.names:
            raise VotesError("outcomes: " + unknown_name("LF", name, votes.names))
    plain = {k: Alphabet.of_labels(k) for k in votes.schema.n_labels}
    pairs = [(name, len(votes.schema.labels(task))) for name, task in zip(votes.names, votes.tasks, strict=True)]
    return tuple(read_alphabet(outcomes[lf], lf, k) if lf in outcomes else plain[k] for lf, k in pairs)


def _own(votes: LabelMatrix) -> dict[str, Alphabet]:
    """The alphabets that are not just the labels of the LF's task and no other words for them, by LF name."""
    pairs = zip(votes.names, votes.alphabets, strict=True)
    return {name: alphabet for name, alphabet in pairs if not alphabet.plain or alphabet.words is not None}


def _stored(position: int) -> str:
    return f"outcomes.{position}"


def _check_ids(ids: Sequence[RecordId] | None, n_points: int) -> tuple[RecordId, ...] | None:
    if ids is not None and len(ids) != n_points:
        raise VotesError(f"record_ids must hold one id a record ({n_points}); got {len(ids)}.")
    return None if ids is None else tuple(ids)


def _check_beside(parts: Sequence[LabelMatrix]) -> LabelMatrix:
    """The first of ``parts``, all of which are over the same records."""
    if not parts:
        raise VotesError("parts must hold at least one label matrix; got none.")
    if any(part.schema != parts[0].schema for part in parts):
        raise VotesError("parts must share the schema; they differ.")
    if len({part.n_points for part in parts}) > 1:
        lengths = ", ".join(str(part.n_points) for part in parts)
        raise VotesError(f"parts must have one row a record each; got {lengths} rows.")
    return parts[0]


def _check_stacked(parts: Sequence[LabelMatrix]) -> LabelMatrix:
    """The first of ``parts``, all of which are of the same LFs."""
    if not parts:
        raise VotesError("parts must hold at least one label matrix; got none.")
    first = parts[0]
    for part in parts[1:]:
        if (part.schema, part.tasks, part.names) != (first.schema, first.tasks, first.names):
            raise VotesError("parts must share schema, tasks and names; they differ.")
        if part.alphabets != first.alphabets:
            raise VotesError("parts must share the outcomes of their LFs; they differ.")
    return first


def _check_errors(given: Any, failed: IntArray, names: tuple[str, ...]) -> IntArray:
    """Counts (n_lfs,) of failures, given or of those known by their row: ``failed`` holds the LF of each."""
    known = np.bincount(failed, minlength=len(names))
    if given is None:
        return known
    errors = np.asarray(given, dtype=np.int64)
    if errors.shape != known.shape:
        raise VotesError(f"errors must have one count an LF ({len(names)}); got shape {errors.shape}.")
    for j in np.flatnonzero(errors < known)[:1]:
        raise VotesError(
            f"errors must be counts of at least {known[j]}{', the failures in codes' if known[j] else ''}; "
            f"got {errors[j]} for LF {names[j]!r}."
        )
    return errors


def _check_codes(codes: IntArray, votes: LabelMatrix) -> IntArray:
    """Row and LF (n_failures, 2) of codes that say that an LF failed; ``VotesError`` where one says nothing."""
    if codes.size == 0:
        return np.empty((0, 2), np.int64)
    limits = np.array(list(map(len, votes.alphabets)))
    low, high = codes.min(axis=0), codes.max(axis=0)
    odd = np.flatnonzero((low < ABSTAIN) | (high >= limits))
    for j in odd:
        wrong = ((codes[:, j] < ABSTAIN) & (codes[:, j] != FAILED)) | (codes[:, j] >= limits[j])
        if wrong.any():
            row = int(np.argmax(wrong))
            raise VotesError(
                f"LF {votes.names[j]!r} votes on task {votes.tasks[j]!r}, so its codes must be -1 (abstain) or "
                f"0..{limits[j] - 1}; got {codes[row, j]} at row {row}."
            )
    failed = np.argwhere(codes[:, odd] == FAILED)
    failed[:, 1] = odd[failed[:, 1]]
    return failed


def _smallest_dtype(votes: LabelMatrix) -> type[np.signedinteger[Any]]:
    largest = max([*votes.schema.n_labels, *map(len, votes.alphabets)])
    return np.int8 if largest <= 127 else np.int16 if largest <= 32767 else np.int32


def _one_task(task: str | None, schema: TaskSchema) -> str:
    if task is None and schema.n_tasks > 1:
        raise VotesError(f"task must be named: Snorkel's matrix holds one task, the schema {schema.n_tasks}.")
    name = schema.root if task is None else task
    schema.task_index(name)
    return name
