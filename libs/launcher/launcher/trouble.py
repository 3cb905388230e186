"""What can go wrong on somebody's machine. Every message is one sentence or two that say what to do."""

from collections.abc import Sequence
from pathlib import Path


class Trouble(Exception):
    """The launcher cannot go on; the text is for the person at the keyboard."""


class PortTaken(Trouble):
    """A port that a service needs belongs to somebody else."""

    def __init__(self, port: int, holder: str | None, other_base: int) -> None:
        by = f" by {holder}" if holder else ""
        super().__init__(f"Port {port} is in use{by}: stop it, or choose other ports with `make up PORT_BASE={other_base}`.")


class NoDisk(Trouble):
    """Too little room for the servers' data."""

    def __init__(self, folder: Path, free_mb: int, needed_mb: int) -> None:
        super().__init__(f"Only {free_mb} MB are free under {folder}, and {needed_mb} MB are needed: make room and run the command again.")


class NoJava(Trouble):
    """Neither a system Java nor the one from the requirements can be run."""

    def __init__(self, tried: Sequence[str]) -> None:
        super().__init__(
            f"No Java runtime >= 17 could be run (tried {', '.join(tried)}): run `make setup` again, or install one and set JAVA_HOME."
        )


class JarsUnreachable(Trouble):
    """Kafka's jars are neither cached nor downloadable."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The jars of Apache Kafka could not be downloaded from Maven Central ({reason}): check the network or the proxy settings "
            "(HTTPS_PROXY) and run the command again, or point RECEIVABLES_KAFKA at a broker you have."
        )


class ServerDied(Trouble):
    """A process ended, or did not answer in time, while we waited for it."""

    def __init__(self, name: str, log: Path, tail: str, what: str = "ended") -> None:
        last = f" Its last words: {tail}" if tail else ""
        super().__init__(f"{name} {what}: read {log} and run the command again.{last}")


class AlreadyAtWork(Trouble):
    """Another launcher command holds the lock of the same state folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"Another command is starting or stopping the servers of {folder}: wait until it is done.")


class NotYours(Trouble):
    """The state folder belongs to another user."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} belongs to another user: run the command as that user, or set RECEIVABLES_STATE to a folder of yours.")
