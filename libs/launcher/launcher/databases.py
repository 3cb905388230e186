"""
Databases on one server: a role and a database per service, and migrated templates that clean ones are copied from.

All names begin with `receivables_`; nothing else on the server is touched.
"""

import hashlib
import hmac
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
from asyncpg.exceptions import PostgresError

from launcher.blocking import wait_for
from launcher.folders import State, checkout
from launcher.processes import last_words
from launcher.trouble import ServerDied, Trouble

_PREFIX = "receivables_"
TEST_PREFIX = "receivables_test_"  # Whatever is named so may be dropped when no test runs.
_MIGRATED_SECONDS_MAX = 120
_FILE_BY_FILE = "STRATEGY FILE_COPY"
"""Takes a third of what it costs to copy through the log, page by page, where nobody waits for the disk: databases of tests."""


class Cluster:
    """
    One Postgres server, seen by its superuser.

    Passwords of the services' roles are derived from the state folder's secret, so nothing but that needs to be kept.
    """

    def __init__(self, admin_dsn: str, state: State) -> None:
        self.admin_dsn = admin_dsn
        self._state = state
        self._roles: set[str] = set()

    def dsn(self, service: str, database: str | None = None) -> str:
        """Return the address of a database for the service's own role; its usual database by default."""
        parts = urlsplit(self.admin_dsn)
        host = parts.netloc.rpartition("@")[2]
        name = quote(database or database_of(service))
        return urlunsplit(parts._replace(netloc=f"{role_of(service)}:{self._password(service)}@{host}", path=f"/{name}"))

    def ensure(self, services: Iterable[str]) -> None:
        """Make the roles and databases that are missing."""
        wait_for(self._ensure(list(services)))

    def clean(self, service: str) -> bool:
        """Replace the service's database by a clean one; say whether it is migrated already, being the copy of a template."""
        return wait_for(self._clean(service))

    def keep_as_template(self, service: str) -> None:
        """Take the service's database, just migrated and never used, as the template for the next clean ones. Nobody may be connected."""
        wait_for(self._copy(database_of(service), _template_of(service), service))

    def template(self, service: str) -> str:
        """
        Return a migrated template, made now if there is none for the present migrations.

        :raises ServerDied: the migration failed.
        """
        name = _template_of(service)
        if not wait_for(self._exists(name)):
            draft = f"{TEST_PREFIX}draft_{service}_{os.getpid()}"
            wait_for(self._drop(draft))
            wait_for(self._create(draft, service))
            wait_for_migration(begin_migration(service, self.dsn(service, draft), self._state), service, self._state)
            wait_for(self._rename_template(draft, name, service))
        return name

    def create(self, name: str, service: str, template: str | None = None) -> str:
        """Create a database, owned by the service's role and closed to the others; return its address."""
        wait_for(self._create(name, service, template, _FILE_BY_FILE))
        return self.dsn(service, name)

    def drop(self, name: str) -> None:
        """Drop a database of ours, with the connections to it."""
        wait_for(self._drop(name))

    def drop_all(self, prefix: str) -> None:
        """Drop every database whose name begins so: what tests left behind."""
        wait_for(self._drop_all(prefix))

    def _password(self, service: str) -> str:
        return hmac.new(self._state.secret(), role_of(service).encode(), hashlib.sha256).hexdigest()

    async def _ensure(self, services: list[str]) -> None:
        for service in services:
            await self._ensure_role(service)
            if not await self._exists(database_of(service)):
                await self._create(database_of(service), service)

    async def _ensure_role(self, service: str) -> None:
        role = role_of(service)
        if role in self._roles:
            return
        async with self._admin() as admin:
            known = await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
            verb = "ALTER" if known else "CREATE"
            await admin.execute(f"{verb} ROLE {role} LOGIN PASSWORD '{self._password(service)}'")
        self._roles.add(role)

    async def _clean(self, service: str) -> bool:
        name, template = database_of(service), _template_of(service)
        await self._drop(name)
        migrated = await self._exists(template)
        await self._create(name, service, template if migrated else None)
        return migrated

    async def _copy(self, source: str, name: str, service: str) -> None:
        if not await self._exists(name):
            await self._drop_all(f"{_PREFIX}template_{service}_")
            await self._create(name, service, source)

    async def _rename_template(self, draft: str, name: str, service: str) -> None:
        await self._drop_all(f"{_PREFIX}template_{service}_")
        async with self._admin() as admin:
            await admin.execute(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')

    async def _create(self, name: str, service: str, template: str | None = None, strategy: str = "") -> None:
        await self._ensure_role(service)
        role = role_of(service)
        async with self._admin() as admin:
            await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template0"}" {strategy}')
            await admin.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
            await admin.execute(f'ALTER DATABASE "{name}" OWNER TO {role}')

    async def _exists(self, name: str) -> bool:
        async with self._admin() as admin:
            return await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name) is not None

    async def _drop(self, name: str) -> None:
        if not name.startswith(_PREFIX):
            raise ValueError(f"{name} is not ours")
        async with self._admin() as admin:
            await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _drop_all(self, prefix: str) -> None:
        async with self._admin() as admin:
            rows = await admin.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix)
        for row in rows:
            await self._drop(row["datname"])

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[asyncpg.Connection]:
        try:
            connection = await asyncpg.connect(self.admin_dsn, timeout=10)
        except (OSError, PostgresError) as refused:
            raise Trouble(f"PostgreSQL at {urlsplit(self.admin_dsn).netloc.rpartition('@')[2]} does not let us in: {refused}") from None
        try:
            yield connection
        finally:
            await connection.close()


def role_of(service: str) -> str:
    """Name the role a service connects as."""
    return f"{_PREFIX}{service}"


def database_of(service: str) -> str:
    """Name the service's usual database."""
    return f"{_PREFIX}{service}"


def begin_migration(service: str, dsn: str, state: State) -> subprocess.Popen[bytes]:
    """Start `python -m chassis <service> migrate` on a database; five of them run side by side."""
    environment = {**os.environ, "DATABASE_URL": dsn, "ENTITIES_FILE": str(checkout() / "entities.toml"), "ENV": "dev"}
    with _migration_log(service, state).open("wb") as log:
        command = [sys.executable, "-m", "chassis", service, "migrate"]
        return subprocess.Popen(command, env=environment, cwd=checkout(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


def wait_for_migration(migration: subprocess.Popen[bytes], service: str, state: State) -> None:
    """
    Wait until a migration is done.

    :raises ServerDied: it failed, or took longer than two minutes.
    """
    log = _migration_log(service, state)
    try:
        failed = migration.wait(_MIGRATED_SECONDS_MAX) != 0
    except subprocess.TimeoutExpired:
        migration.kill()
        failed = True
    if failed:
        raise ServerDied(f"The migration of the {service} database", log, _error(log), "failed")


def _error(log: Path) -> str:
    """Find the exception in a traceback that ends with the whole statement."""
    told = re.findall(r"^[\w.]+(?:Error|Exception).*", log.read_text(errors="replace"), re.MULTILINE)
    return told[-1][:300] if told else last_words(log)


def _migration_log(service: str, state: State) -> Path:
    return state.logs / f"migrate-{service}.log"


def _template_of(service: str) -> str:
    """Name a template by what made it: the service's migrations and tables, and the chassis with its own SQL."""
    root = checkout()
    folders = [root / "services" / service / "migrations", root / "libs" / "chassis" / "chassis", root / "services" / service / service]
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".sql"):
                digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{_PREFIX}template_{service}_{digest.hexdigest()[:12]}"
