"""A disk that is full: nothing more can be written, and a database on it survives."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from launcher.folders import State
from launcher.postgres import Postgres
from torture.rig.disk import SmallDisk
from torture.rig.server import Database, wal_settings

refused_because = SmallDisk.available()
pytestmark = pytest.mark.skipif(refused_because is not None, reason=str(refused_because))
READY_S_MAX = 30.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can enter, as the database's must be able to."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def disk(folder: Path) -> Iterator[SmallDisk]:
    disk = SmallDisk(folder / "disk", 160)
    disk.mount()
    yield disk
    disk.remove()


def test_a_full_disk_takes_nothing_more_until_there_is_room(disk: SmallDisk) -> None:
    disk.fill()
    disk.fill()
    assert disk.free_bytes == 0
    with pytest.raises(OSError) as refused:
        (disk.folder / "more").write_bytes(b"x")
    assert refused.value.errno == errno.ENOSPC
    disk.make_room()
    disk.make_room()
    assert disk.free_bytes > 150 * 2**20
    (disk.folder / "more").write_bytes(b"x")


def test_a_removed_disk_is_gone_with_all_it_held(disk: SmallDisk) -> None:
    (disk.folder / "file").write_bytes(b"x")
    disk.remove()
    disk.remove()
    assert not disk.folder.exists()
    disk.mount()
    assert not (disk.folder / "file").exists()


@pytest.mark.db
async def test_a_database_on_it_refuses_when_it_is_full_and_keeps_what_it_had_promised(disk: SmallDisk, folder: Path) -> None:
    state = State(folder / "state")
    state.prepare()
    postgres = Postgres(state, print, home=disk.folder / "postgres", settings=wal_settings(disk))
    database = Database(postgres, state)
    try:
        await database.start()
        connection = await asyncpg.connect(postgres.admin_dsn)
        await connection.execute("CREATE TABLE filler AS SELECT repeat('x', 1000) AS words FROM generate_series(1, 1000)")
        disk.fill()
        with pytest.raises((asyncpg.exceptions.PostgresError, OSError)):
            while True:
                await connection.execute("INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 1000)")
        connection.terminate()
        disk.make_room()
        await database.ended(1.0)
        await database.start()
        await database.wait_ready(READY_S_MAX)
        connection = await asyncpg.connect(postgres.admin_dsn)
        kept = await connection.fetchval("SELECT count(*) FROM filler")
        assert kept >= 1000
        assert kept % 1000 == 0
        await connection.close()
    finally:
        database.kill()
        await database.ended(READY_S_MAX)
