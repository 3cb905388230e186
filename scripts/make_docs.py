"""
Make docs/events.md, docs/asyncapi.json and docs/events/*.json from the code.

Without an option they are written. `--check` writes nothing and fails when they would change, or when a schema breaks a promise of the
last release. `--release` makes today's schemas the last release, if they break none.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from importlib.metadata import version
from pathlib import Path
from typing import Any

from composition import consumers, services
from events.asyncapi import dangling, document
from events.catalogue import render
from events.compatibility import breaks
from events.schema import schemas

ROOT = Path(__file__).parents[1]
SCHEMAS = ROOT / "docs" / "events"
RELEASED = ROOT / "tests" / "contract" / "released"
EXAMPLES = ROOT / "tests" / "contract" / "producers"
DIFF_LINES_MAX = 12


def pages() -> dict[Path, str]:
    """
    Return the content of every generated file.

    :raises ValueError: the AsyncAPI document refers to something that is not in it.
    """
    listeners = consumers(services())
    whole = document(listeners, examples(), version=version("receivables-events"))
    if lost := dangling(whole):
        raise ValueError(f"docs/asyncapi.json would refer to nothing: {', '.join(lost)}")
    made = {SCHEMAS / f"{wire_name}.json": as_json(schema) for wire_name, schema in schemas().items()}
    return {ROOT / "docs" / "events.md": render(listeners), ROOT / "docs" / "asyncapi.json": as_json(whole), **made}


def examples() -> dict[str, list[dict[str, Any]]]:
    """Return the golden messages of the producers in binary mode, by wire name."""
    return {
        path.stem: [message for message in json.loads(path.read_text())["messages"] if "data" in message]
        for path in sorted(EXAMPLES.glob("*.json"))
    }


def as_json(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def released() -> dict[str, Any]:
    """Return the schemas of the last release by wire name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(RELEASED.glob("*.json"))}


def stale(made: Mapping[Path, str]) -> list[str]:
    """Return, for every file that is not as it would be made, its name and where it first differs."""
    found = []
    for path, content in made.items():
        name = str(path.relative_to(ROOT))
        old = path.read_text() if path.exists() else ""
        if old != content:
            difference = list(unified_diff(old.splitlines(), content.splitlines(), name, "generated", n=0, lineterm=""))
            found.append("\n".join([*difference[:DIFF_LINES_MAX], *(["…"] if len(difference) > DIFF_LINES_MAX else [])]))
    return found + [f"{path.relative_to(ROOT)}: there is no such fact" for path in left_over(made)]


def left_over(made: Mapping[Path, str]) -> list[Path]:
    return [path for path in sorted(SCHEMAS.glob("*.json")) if path not in made]


def write(made: Mapping[Path, str]) -> None:
    SCHEMAS.mkdir(parents=True, exist_ok=True)
    for path, content in made.items():
        path.write_text(content)
    for path in left_over(made):
        path.unlink()


def release(current: Mapping[str, Any]) -> None:
    RELEASED.mkdir(parents=True, exist_ok=True)
    for wire_name, schema in current.items():
        (RELEASED / f"{wire_name}.json").write_text(as_json(schema))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="fail when a generated file is stale or a schema broke a promise")
    what.add_argument("--release", action="store_true", help="make today's schemas the last release")
    asked = parser.parse_args(arguments)
    if not asked.check:
        write(pages())
    problems = [*(stale(pages()) if asked.check else []), *breaks(released(), schemas())]
    if asked.release and not problems:
        release(schemas())
    if problems:
        sys.stderr.write("\n".join(problems) + "\n")
        if asked.check:
            sys.stderr.write("Run `make docs` and commit what it writes, unless a promise is broken.\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
