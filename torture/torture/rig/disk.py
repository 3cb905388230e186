"""A disk that can be full: a tmpfs of a given size, and a file that takes all the room there is left."""

import contextlib
import errno
import os
import subprocess
import tempfile
from pathlib import Path

_BLOCKS = (1 << 20, 1 << 16, 1 << 12)


class DiskRefused(Exception):
    """A file system could not be mounted or unmounted; the message is that of the command."""


class SmallDisk:
    """A tmpfs mounted at `folder`, of `mebibytes`; other users may enter it. All methods block, none for long."""

    def __init__(self, folder: Path, mebibytes: int) -> None:
        self.folder = folder
        self.mebibytes = mebibytes
        self._filler = folder / "filler"

    @staticmethod
    def available() -> str | None:
        """Return why no such disk can be had here (it takes the right to mount), None when it can."""
        with tempfile.TemporaryDirectory() as folder:
            disk = SmallDisk(Path(folder) / "disk", 1)
            try:
                disk.mount()
                disk.remove()
            except (DiskRefused, OSError) as refused:
                return f"no tmpfs can be mounted: {refused}"
        return None

    @property
    def is_mounted(self) -> bool:
        return self.folder.is_mount()

    @property
    def free_bytes(self) -> int:
        """What a server could still write."""
        told = os.statvfs(self.folder)
        return told.f_bavail * told.f_frsize

    def mount(self) -> None:
        """
        Mount it, empty, unless it is mounted.

        :raises DiskRefused: we may not, or cannot.
        """
        if not self.is_mounted:
            self.folder.mkdir(parents=True, exist_ok=True)
            _run("mount", "-t", "tmpfs", "-o", f"size={self.mebibytes}m,mode=0755", "tmpfs", str(self.folder))

    def remove(self) -> None:
        """
        Give it up with all that is on it, if it is there.

        :raises DiskRefused: somebody still uses it.
        """
        if self.is_mounted:
            _run("umount", str(self.folder))
        if self.folder.exists():
            self.folder.rmdir()

    def fill(self) -> None:
        """Leave no room at all."""
        with self._filler.open("ab", buffering=0) as file:
            for size in _BLOCKS:
                with contextlib.suppress(_Full):
                    while True:
                        _write(file.fileno(), bytes(size))

    def make_room(self) -> None:
        """Take the filler away."""
        self._filler.unlink(missing_ok=True)


class _Full(Exception):
    """Not even a part of the block could be written."""


def _write(file: int, block: bytes) -> None:
    try:
        written = os.write(file, block)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _Full from None
    if written < len(block):
        raise _Full


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DiskRefused(done.stderr.strip())
