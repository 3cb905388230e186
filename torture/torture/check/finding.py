"""What the checker says when an invariant does not hold."""

from dataclasses import dataclass
from enum import StrEnum


class Harm(StrEnum):
    """What a finding did to facts or effects, where that can be told: these are counted in the report."""

    NONE = ""
    LOST = "lost"
    DOUBLE = "double"
    INVERTED = "inverted"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    An invariant that does not hold.

    `invariant` is its id (M1 ... O1), `where` the service, key or partition, `what` a sentence with the figures. `residual_minor` is how
    far a balance is off, in minor units.
    """

    invariant: str
    where: str
    what: str
    harm: Harm = Harm.NONE
    residual_minor: int = 0

    def __str__(self) -> str:
        return f"{self.invariant} {self.where}: {self.what}"
