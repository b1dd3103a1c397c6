"""Hostile labeling functions lose their own rows and nobody else's: a short version of the campaign ``lfs``."""

import os
import uuid
import warnings

import pytest

import metalwork as mw
from tests.campaigns._hostile import KINDS, POISON, Kind
from tests.campaigns.lfs import SCHEMA, good_lfs, left_over, records, trial

QUICK = [kind for kind in KINDS if kind.serial and kind.name != "sleeps everywhere"]
DEADLY = ("os._exit(0)", "segfault", "kills itself", "fork that sleeps", "thread that sleeps", "closes stdout")
BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.mark.parametrize("kind", QUICK, ids=lambda kind: kind.name)
def test_one_process_survives_it(kind: Kind) -> None:
    assert trial(kind, "serial") == []


def test_worker_processes_survive_several_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = uuid.uuid4().hex
    monkeypatch.setenv("METALWORK_CAMPAIGN", mark)
    good = good_lfs()
    hostile = [BY_NAME[name] for name in DEADLY]
    lfs = [good[0], *(kind.lf() for kind in hostile), *good[1:]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        votes = mw.apply(lfs, records(), SCHEMA, backend="processes", n_jobs=2, chunk_size=100)
    expected = mw.apply(good, records(), SCHEMA)
    assert votes.lfs([0, *range(len(lfs) - 2, len(lfs))]).stored_codes.tolist() == expected.stored_codes.tolist()
    assert votes.failed.tolist() == [[POISON, 1 + DEADLY.index(name)] for name in DEADLY[:3]]
    assert [(incident.lf, incident.row, incident.message) for incident in votes.incidents] == [
        ("os._exit(0)", POISON, "it ended its process (exit code 0)"),
        ("segfault", POISON, "its process crashed or was killed (SIGSEGV)"),
        ("kills itself", POISON, "its process crashed or was killed (SIGKILL)"),
    ]
    assert left_over(mark) == []


def test_a_worker_that_cannot_be_interrupted_is_stopped() -> None:
    assert trial(BY_NAME["loop in C"], "processes") == []


def test_an_interrupt_of_a_worker_is_the_lfs_own_failure() -> None:
    assert trial(BY_NAME["KeyboardInterrupt"], "processes") == []


def test_the_helper_notices_what_goes_wrong() -> None:
    if not hasattr(os, "fork"):
        pytest.skip("needs POSIX")
    unexpected = Kind("raises", lambda *_: 1 / 0, "OSError", fails="all", warns="printed")
    assert trial(unexpected, "serial") == [
        "failures at [57] (1)",
        "wrong incident: LF 'raises' failed at row 57: ZeroDivisionError: division by zero",
        "the first incident names another row",
        "no warning: []",
    ]
