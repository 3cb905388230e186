"""Results on disk: one JSON file a run, named after the instant and the commit."""

import json
from pathlib import Path
from typing import Any, Final

from launcher.folders import checkout
from launcher.trouble import Trouble

from bench.case import SCHEMA

KEPT: Final = checkout() / "bench" / "results"
"""In git: only runs that somebody wants to keep."""

Result = dict[str, Any]


def write(result: Result, path: Path) -> None:
    """Write a result, its folder made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def kept_as(result: Result) -> Path:
    """Name the file under which a run is kept: `<utc>-<git>.json`."""
    at = result["measured_at"].replace("-", "").replace(":", "")
    return KEPT / f"{at}-{result['git'].rstrip('+') or 'nogit'}.json"


def read(path: Path) -> Result:
    """
    Read a result.

    :raises Trouble: there is no such file, or it is none of ours.
    """
    try:
        result: Result = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Trouble(f"There is no result {path}: `make bench JSON={path.name}` writes one.") from None
    except ValueError as error:
        raise Trouble(f"{path} is not JSON: {error}.") from None
    if result.get("schema") != SCHEMA:
        raise Trouble(f"{path} is no result of schema {SCHEMA}.")
    return result
