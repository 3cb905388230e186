"""Where things are: the checkout, and the state of the local stack under it (git-ignored)."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from launcher.trouble import AlreadyAtWork, NoDisk, NotYours

NEEDED_MB = 500


def checkout() -> Path:
    """Return the root of the repository: members are installed from it, not copied."""
    return Path(__file__).resolve().parents[3]


class State:
    """
    One folder with all that a stack leaves behind: data, logs, ports, keys and who runs.

    Two stacks with two folders never meet: `make up` uses `.local`, the tests slots below it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or Path(os.environ.get("RECEIVABLES_STATE") or checkout() / ".local")).resolve()

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    def prepare(self, *, needed_mb: int = NEEDED_MB) -> None:
        """
        Make the folders.

        :raises NotYours: somebody else made them first.
        :raises NoDisk: the servers would soon fall over for want of room.
        """
        try:
            for folder in (self.logs, self.run, self.keys):
                folder.mkdir(parents=True, exist_ok=True)
            self.keys.chmod(0o700)
        except PermissionError:
            raise NotYours(self.folder) from None
        free_mb = shutil.disk_usage(self.folder).free // 2**20
        if free_mb < needed_mb:
            raise NoDisk(self.folder, free_mb, needed_mb)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """
        Keep other launcher commands off this folder meanwhile; the kernel frees the lock of a killed command.

        :raises AlreadyAtWork: one is at it already.
        """
        self.prepare()
        with (self.run / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyAtWork(self.folder) from None
            yield

    def secret(self) -> bytes:
        """Return the bytes that the passwords of this stack's database roles are derived from: random, made once, for the owner's eyes."""
        path = self.keys / "secret"
        if not path.exists():
            write_privately(path, secrets.token_hex(32))
        return path.read_bytes()

    def remember(self, name: str, values: dict[str, Any]) -> None:
        """Write a small JSON file, whole or not at all."""
        path = self.folder / f"{name}.json"
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(values, indent=1) + "\n")
        draft.replace(path)

    def recall(self, name: str) -> dict[str, Any]:
        """Read what `remember` wrote; empty when there is nothing."""
        path = self.folder / f"{name}.json"
        values: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return values


def write_privately(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    draft.replace(path)
