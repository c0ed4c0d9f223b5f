"""However the child ends, the parent goes on, says why, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.domain.video import child
from shared.domain.video.refusals import (
    REFUSALS,
    DecoderCrashed,
    OutOfMemory,
    ReaderFailed,
    ReaderStopped,
    ReadingTooSlow,
)
from shared.errors import PipelineError
from shared.models import Limits

MISBEHAVING = "tests.unit.domain.video.misbehaving"


@pytest.fixture(autouse=True)
def _a_misbehaving_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "WORKER", MISBEHAVING)


@pytest.mark.parametrize("deed", ["hang", "hang deaf"])
def test_a_child_that_stalls_is_ended_at_the_deadline(deed: str) -> None:
    pids: list[int] = []
    began = time.monotonic()
    with pytest.raises(ReadingTooSlow, match=r"0\.5 s"):
        child.read_in_child(
            {"do": deed},
            Limits(deadline_seconds=0.5),
            lambda _share, step: pids.append(int(step)),
        )
    assert time.monotonic() - began < 3
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (signal.SIGSEGV, DecoderCrashed),
        (signal.SIGILL, DecoderCrashed),
        (signal.SIGKILL, ReaderStopped),
        (signal.SIGTERM, ReaderStopped),
        (signal.SIGABRT, OutOfMemory),
        (signal.SIGXCPU, ReadingTooSlow),
    ],
)
def test_a_killed_child_is_a_refusal(number: int, wanted: type[PipelineError]) -> None:
    with pytest.raises(wanted):
        child.read_in_child({"do": "signal", "signal": number}, Limits())


def test_a_child_out_of_memory_is_a_refusal() -> None:
    with pytest.raises(OutOfMemory):
        child.read_in_child({"do": "memory"}, Limits())


def test_our_own_bug_is_not_the_files_fault() -> None:
    with pytest.raises(ReaderFailed, match="we made a mistake"):
        child.read_in_child({"do": "bug"}, Limits())


def test_a_child_that_ends_without_a_word_is_our_failure() -> None:
    with pytest.raises(ReaderFailed, match="silent"):
        child.read_in_child({"do": "nothing"}, Limits())


def test_the_decoders_noise_does_not_reach_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    assert child.read_in_child({"do": "noise"}, Limits()) == {"fine": True}
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_every_refusal_comes_back_as_its_own_class(code: str) -> None:
    with pytest.raises(REFUSALS[code], match="no good") as refusal:
        child.read_in_child({"do": "refuse", "code": code}, Limits())
    assert refusal.value.code == code


def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from shared.domain.video import child, worker\n"
            "from shared.models import Limits\n"
            f"child.WORKER = '{__package__ or 'tests.unit.domain.video'}.orphan'\n"
            "child.read_in_child({'limits': Limits().model_dump()}, Limits(),"
            " lambda share, step: print(step, flush=True))",
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=child.ROOT,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 5
    while _lives(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _lives(pid)


def _lives(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    if not status.exists():
        return False
    # An orphan that nobody reaps stays as a zombie; that is dead enough.
    return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
