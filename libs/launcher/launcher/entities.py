"""What the launcher needs of the entities file: which services are deployed, and the entities to tick."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from launcher.trouble import Trouble

SERVICES = ("invoice", "payment", "credit", "dunning", "reporting")


@dataclass(frozen=True, slots=True)
class Entities:
    """The deployed services in the order of their ports, and the entities' codes."""

    path: Path
    deployed: tuple[str, ...]
    codes: tuple[str, ...]


def read_entities(path: Path) -> Entities:
    """
    Read the file; the services check the rest of it themselves.

    :raises Trouble: it is missing, is not TOML, or names an unknown service.
    """
    try:
        content = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise Trouble(f"There is no entities file {path}: name one with ENTITIES=path.toml.") from None
    except tomllib.TOMLDecodeError as wrong:
        raise Trouble(f"The entities file {path} is not valid TOML: {wrong}.") from None
    deployed = content.get("deployed", list(SERVICES))
    unknown = sorted(set(deployed) - set(SERVICES))
    if unknown:
        raise Trouble(f"The entities file {path} deploys {', '.join(unknown)}; there are {', '.join(SERVICES)}.")
    return Entities(path.resolve(), tuple(name for name in SERVICES if name in deployed), tuple(content.get("entities", {})))
