"""Migrations: `migrations/versions/*.py` of a service, run by Alembic from code. Only this role imports SQLAlchemy."""

from pathlib import Path

from alembic import command
from alembic.config import Config

ENV = Path(__file__).parent / "migrations"


class NotMigrated(Exception):
    """The database is behind the code; the message says which command to run."""


def config_of(versions: Path, database_url: str) -> Config:
    """Alembic's configuration for a folder of versions: our own env.py, no ini file."""
    config = Config()
    config.set_main_option("script_location", str(ENV))
    config.set_main_option("version_locations", str(versions))
    config.set_main_option("path_separator", "os")
    config.attributes["database_url"] = database_url
    return config


def migrate(versions: Path, database_url: str, revision: str = "head") -> None:
    """Bring a database to a revision; raises what Alembic or Postgres raise."""
    command.upgrade(config_of(versions, database_url), revision)
