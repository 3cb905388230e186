"""
Processes the launcher starts: detached, logged, found again, and never confused with somebody else's.

Linux only: identities are read from /proc.
"""

import hashlib
import json
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

from launcher.trouble import ServerDied

MARK = "RECEIVABLES_PROCESS"
LOG_BYTES_MAX = 20 * 2**20
_POLL_SECONDS = 0.05
_KILLED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Which process is meant: the kernel reuses pids, so the start time (clock ticks since boot) and the command line go with it."""

    pid: int
    started: int
    command: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """Read the identity of a running process; none when there is no such process or it is only waiting to be reaped."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = stat.rpartition(")")[2].split()  # The name before it may hold blanks and brackets.
        if fields[0] in "ZX":
            return None
        return cls(pid, int(fields[19]), hashlib.sha256(command).hexdigest() if command else "")

    def alive(self) -> bool:
        """Say whether this very process still runs, or is about to end: then it has lost its command line but not yet its ports."""
        now = Identity.of(self.pid)
        return now is not None and now.started == self.started and now.command in (self.command, "")


class Register:
    """Who runs for one state folder: a small file per process, and a mark in its environment in case the file was never written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def status(self, name: str) -> int | None:
        """Return how the last process of that name ended, negative its signal; None while it runs, or when it is not our child."""
        child = self._children.get(name)
        return child.poll() if child else None

    def is_over(self, name: str) -> bool:
        """Say whether nothing is left of the last process of that name: the threads of a killed one may live a little longer than it."""
        child = self._children.get(name)
        return self.find(name) is None and (child is None or child.poll() is not None)

    def find(self, name: str) -> Identity | None:
        """Return the process of that name if it is alive and ours."""
        path = self._path(name)
        if path.exists():
            known = Identity(**json.loads(path.read_text()))
            if known.alive():
                return known
            path.unlink(missing_ok=True)
        return self._marked(name)

    def start(
        self, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str], folder: Path, user: str | None = None
    ) -> Identity:
        """
        Start a process in a session of its own, so that Ctrl-C at the launcher does not reach it, and write down who it is.

        :raises ServerDied: it ended at once.
        """
        if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
            log.replace(log.with_suffix(".old"))
        with log.open("ab") as output:
            child = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**environment, MARK: self._mark(name)},
                cwd=folder,
                start_new_session=True,
                **become(user),
            )
        self._children[name] = child
        identity = Identity.of(child.pid)
        while identity and not identity.command:  # The kernel fills in the command line a moment after the call has returned.
            identity = Identity.of(child.pid)
        if identity is None:
            raise ServerDied(name, log, last_words(log))
        draft = self._path(name).with_suffix(".draft")
        draft.write_text(json.dumps(asdict(identity)))
        draft.replace(self._path(name))
        return identity

    def stop(self, name: str, *, patience_seconds: float, politely: signal.Signals = signal.SIGTERM) -> bool:
        """Ask the process to end, then insist; say whether there was one."""
        identity = self.find(name)
        if identity is None:
            return False
        stop([identity], patience_seconds=patience_seconds, politely=politely)
        self._path(name).unlink(missing_ok=True)
        return True

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.pid.json"

    def _mark(self, name: str) -> str:
        return f"{self._folder}:{name}"

    def _marked(self, name: str) -> Identity | None:
        wanted = f"{MARK}={self._mark(name)}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                variables = (entry / "environ").read_bytes().split(b"\0")
            except OSError:  # It is gone, or another user's: not ours either way.
                continue
            identity = Identity.of(int(entry.name)) if wanted in variables else None
            if identity:
                found.append(identity)
        return min(found, key=lambda one: (one.started, one.pid), default=None)  # Its children carry the mark too, and are younger.


def stop(identities: Sequence[Identity], *, patience_seconds: float, politely: signal.Signals = signal.SIGTERM) -> None:
    """Ask processes to end, all at once, wait, and kill what is left."""
    _signal(identities, politely)
    if not _gone(identities, patience_seconds):
        _signal(identities, signal.SIGKILL)
        _gone(identities, _KILLED_SECONDS)


class Become(TypedDict, total=False):
    """The arguments of `subprocess` that change the user."""

    user: str
    group: int
    extra_groups: list[int]


def become(user: str | None) -> Become:
    """Give the arguments that make `subprocess` run a command as another user, none for ourselves. Only root may ask for one."""
    return {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def last_words(log: Path) -> str:
    """Return the last line of a log that says something, short enough for a terminal."""
    if not log.exists():
        return ""
    with log.open("rb") as handle:
        handle.seek(max(0, log.stat().st_size - 4096))
        lines = [line.strip() for line in handle.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _signal(identities: Sequence[Identity], which: signal.Signals) -> None:
    for identity in identities:
        if identity.alive():
            try:
                os.kill(identity.pid, which)
            except ProcessLookupError:  # It ended between the look and the call.
                continue


def _gone(identities: Sequence[Identity], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(identity.alive() for identity in identities):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
