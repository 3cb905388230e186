"""The state folder: one command at a time, private keys private, no start without room."""

import stat
from pathlib import Path

import pytest
from launcher.folders import State
from launcher.trouble import AlreadyAtWork, NoDisk


def test_two_commands_never_work_on_one_folder_at_once(tmp_path: Path) -> None:
    with State(tmp_path).alone(), pytest.raises(AlreadyAtWork), State(tmp_path).alone():
        pytest.fail("both got in")
    with State(tmp_path).alone():
        pass


def test_the_secret_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.prepare()
    assert state.secret() == State(tmp_path).secret()
    assert stat.S_IMODE((state.keys / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.keys.stat().st_mode) == 0o700


def test_too_little_room_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(NoDisk, match="make room"):
        State(tmp_path).prepare(needed_mb=10**9)
