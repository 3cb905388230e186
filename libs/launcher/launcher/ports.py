"""Free ports of 127.0.0.1, chosen once and kept for the next run, and who holds one that is not free."""

import random
import socket
import time
from contextlib import suppress
from pathlib import Path

from launcher.folders import State
from launcher.trouble import Trouble

HOST = "127.0.0.1"
_RANGE = range(20000, 32000)  # Below the kernel's own range for outgoing connections, which would take a port while we are down.
_TRIES = 200
_POLL_SECONDS = 0.05
PATIENCE_SECONDS = 1.0


def is_free(port: int, *, patience_seconds: float = 0) -> bool:
    """Say whether a server could listen on this port of 127.0.0.1; the threads of a process killed just now hold theirs a little longer."""
    deadline = time.monotonic() + patience_seconds
    while not _can_bind(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Say whether somebody listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def keep_or_choose(state: State, name: str) -> int:
    """
    Return the port this server had last time, or a new free one when there is none or somebody took it meanwhile.

    :raises Trouble: no port is free.
    """
    kept = state.recall("ports")
    port = kept.get(name)
    if isinstance(port, int) and is_free(port, patience_seconds=PATIENCE_SECONDS):
        return port
    for candidate in random.sample(_RANGE, _TRIES):
        if candidate not in kept.values() and is_free(candidate):
            state.remember("ports", {**kept, name: candidate})
            return candidate
    raise Trouble(f"No free port was found between {_RANGE.start} and {_RANGE.stop}: stop some servers of this machine.")


def holder(port: int) -> str | None:
    """Name the process that listens on a port, where we may look: `python3 (pid 4711)`."""
    inodes = _listening_inodes(port)
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _open_files(process) & inodes:
            with suppress(FileNotFoundError, ProcessLookupError):  # It ended meanwhile: the port is free, or another's.
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return None


def _open_files(process: Path) -> set[str]:
    """Read what a process has open; nothing where it is gone or another user's."""
    found = set()
    with suppress(OSError):
        for entry in (process / "fd").iterdir():
            with suppress(FileNotFoundError):  # Closed meanwhile.
                found.add(str(entry.readlink()))
    return found


def _listening_inodes(port: int) -> set[str]:
    """Read /proc/net/tcp*: local address in hexadecimal, state 0A = listening, inode in the tenth column."""
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{columns[9]}]")
    return found
