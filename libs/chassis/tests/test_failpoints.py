"""Failpoints are armed by name, hit once, and refused in production and where they are misspelt."""

import ast
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import chassis
import pytest
from chassis.failpoints import NAMES, FailpointHit, FailpointsRefused, arm, fp


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm("")


def test_a_point_is_hit_the_nth_time_and_only_then() -> None:
    arm("relay.read:3:raise, relay.sent_all:1:raise")
    fp("relay.read")
    fp("relay.read")
    with pytest.raises(FailpointHit, match=r"relay\.read"):
        fp("relay.read")
    fp("relay.read")
    with pytest.raises(FailpointHit):
        fp("relay.sent_all")


def test_a_sleep_blocks() -> None:
    arm("relay.read:1:sleep=0.05")
    begun_at = time.monotonic()
    fp("relay.read")
    assert time.monotonic() - begun_at >= 0.05


def test_a_kill_kills() -> None:
    code = "from chassis.failpoints import arm, fp; arm('relay.read:1:kill'); fp('relay.read')"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize("text", ["relay.reed:1:kill", "relay.read", "relay.read:x:kill", "relay.read:1:explode", "relay.read:1"])
def test_what_is_misspelt_is_refused_with_the_names_there_are(text: str) -> None:
    with pytest.raises(FailpointsRefused, match=r"consumer\.before_commit"):
        arm(text)


def test_production_has_none() -> None:
    with pytest.raises(FailpointsRefused, match="ENV=prod"):
        arm("relay.read:1:raise", production=True)
    arm("", production=True)
    fp("relay.read")


def test_every_mark_in_the_code_has_a_name_and_every_name_is_marked() -> None:
    marked = set()
    for path in Path(chassis.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "fp":
                (name,) = node.args
                assert isinstance(name, ast.Constant)
                marked.add(name.value)
    assert marked == NAMES
