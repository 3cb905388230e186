"""The protocol's tables as SQL, for the first migration of every service."""

from importlib.resources import files


def protocol_sql() -> str:
    """Return the statements that make schemas `chassis` and `chk` and every table of the delivery protocol."""
    return files("chassis").joinpath("protocol.sql").read_text(encoding="utf-8")
