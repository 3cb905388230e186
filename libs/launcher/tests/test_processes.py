"""A pid proves nothing: what is stopped must be what was started."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from launcher.processes import Identity, Register, last_words
from launcher.trouble import ServerDied

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    register = Register(tmp_path)
    yield register
    for name in ("one", "deaf"):
        register.stop(name, patience_seconds=0)


def start(register: Register, name: str, command: list[str], log: Path) -> Identity:
    return register.start(name, command, log=log, environment=os.environ, folder=Path("/"))


def test_a_started_process_is_found_again_and_stopped(register: Register, tmp_path: Path) -> None:
    started = start(register, "one", SLEEPER, tmp_path / "log")
    assert Register(tmp_path).find("one") == started
    assert register.stop("one", patience_seconds=5)
    assert register.find("one") is None
    assert not register.stop("one", patience_seconds=5)


def test_a_process_that_took_over_the_pid_is_not_ours(register: Register, tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEPER)
    try:
        identity = Identity.of(stranger.pid)
        assert identity is not None
        earlier = {"pid": stranger.pid, "started": identity.started - 100, "command": identity.command}
        (tmp_path / "one.pid.json").write_text(json.dumps(earlier))
        assert register.find("one") is None
        assert not register.stop("one", patience_seconds=1)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_process_whose_start_was_never_written_down_is_found_by_its_mark(register: Register, tmp_path: Path) -> None:
    started = start(register, "one", SLEEPER, tmp_path / "log")
    (tmp_path / "one.pid.json").unlink()
    assert register.find("one") == started
    assert Register(tmp_path / "elsewhere").find("one") is None


def test_what_does_not_listen_is_killed_when_patience_ends(register: Register, tmp_path: Path) -> None:
    identity = start(register, "deaf", STUBBORN, tmp_path / "log")
    while "deaf" not in last_words(tmp_path / "log"):
        time.sleep(0.02)
    assert register.stop("deaf", patience_seconds=0.2)
    assert not identity.alive()


def test_a_process_that_was_killed_is_not_found(register: Register, tmp_path: Path) -> None:
    identity = start(register, "one", SLEEPER, tmp_path / "log")
    os.kill(identity.pid, signal.SIGKILL)
    while identity.alive():
        time.sleep(0.02)
    assert register.find("one") is None


def test_the_log_keeps_what_a_process_said_last(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("first\nthe disk is full\n\n")
    assert last_words(log) == "the disk is full"
    assert last_words(tmp_path / "none") == ""
    assert "the disk is full" in str(ServerDied("Kafka", log, last_words(log)))


def test_how_a_process_ended_is_known_to_whoever_started_it(register: Register, tmp_path: Path) -> None:
    started = start(register, "one", SLEEPER, tmp_path / "log")
    assert (register.is_over("one"), register.status("one")) == (False, None)
    os.kill(started.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while not register.is_over("one"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert register.status("one") == -signal.SIGKILL
    assert Register(tmp_path).is_over("one")
    assert Register(tmp_path).status("one") is None
