"""
Named places where a test may kill, stop or hurt the process: `FP=name:nth:action`, several separated by commas.

Actions: `kill` (SIGKILL to ourselves), `stop` (SIGSTOP), `raise` (FailpointHit), `sleep=<seconds>` (blocks the loop, as a starved process
would). Unarmed, a failpoint is one dictionary look-up; ENV=prod refuses to start with any armed.
"""

import os
import signal
import time
from dataclasses import dataclass

NAMES = frozenset(
    [f"api.{n}" for n in ("idem_inserted", "locked", "head_bumped", "outbox_inserted", "before_commit", "after_commit", "before_answer")]
    + [f"relay.{n}" for n in ("leader_got", "read", "sent_some", "sent_all", "before_delete", "after_delete", "producer_closed")]
    + [
        f"consumer.{n}"
        for n in (
            "polled",
            "pos_locked",
            "inbox_inserted",
            "handled",
            "parked",
            "before_commit",
            "after_commit",
            "before_kafka_commit",
            "after_kafka_commit",
            "revoked",
        )
    ]
    + [f"redrive.{n}" for n in ("read", "applied", "before_commit")]
    + [f"rebuild.{n}" for n in ("read", "before_switch", "after_switch")]
    + [f"day.{n}" for n in ("locked", "turning", "chunk", "passed_on")]
)


class FailpointHit(Exception):
    """An armed failpoint was reached."""


class FailpointsRefused(Exception):
    """FP names no failpoint of ours, is malformed, or is set in production."""


@dataclass(slots=True)
class _Armed:
    nth: int
    action: str
    hits: int = 0


_armed: dict[str, _Armed] = {}


def arm(text: str, *, production: bool = False) -> None:
    """
    Arm failpoints from the text of FP; replaces what was armed before.

    :raises FailpointsRefused: unknown name, malformed, or production.
    """
    _armed.clear()
    if text and production:
        raise FailpointsRefused("FP is set: failpoints are refused where ENV=prod")
    for one in filter(None, (part.strip() for part in text.split(","))):
        name, _, rest = one.partition(":")
        nth, _, action = rest.partition(":")
        known = action in ("kill", "stop", "raise") or action.startswith("sleep=")
        if name not in NAMES or not nth.isdigit() or not known:
            raise FailpointsRefused(f"FP={one}: use name:nth:kill|stop|raise|sleep=S with one of {', '.join(sorted(NAMES))}")
        _armed[name] = _Armed(int(nth), action)


def fp(name: str) -> None:
    """Mark a place in the protocol; does nothing unless armed for this very hit."""
    armed = _armed.get(name)
    if armed is None:
        return
    armed.hits += 1
    if armed.hits != armed.nth:
        return
    if armed.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif armed.action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif armed.action == "raise":
        raise FailpointHit(name)
    else:
        time.sleep(float(armed.action.removeprefix("sleep=")))
