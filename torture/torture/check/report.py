"""What an audit found, in figures and in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from torture.check.evidence import Evidence
from torture.check.expected import Outcome
from torture.check.finding import Finding, Harm
from torture.check.invariants import INVARIANTS
from torture.check.invariants.endurance import WARM_S
from torture.check.rows import Parked, Refused
from torture.check.seen import seen_in
from torture.check.topology import SERVICES
from torture.check.vitals import slope_bytes_per_minute

FINDINGS_TOLD_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Report:
    """
    The figures of an audit; all of `lost`, `double`, `inversions` and `residual_minor` have to be 0.

    `events` are distinct facts of the services, `records` everything in Kafka. `set_aside` compares what was sent to be parked or refused
    with what was. `redriven` counts what was set aside and brought back, `seen` what happened to money that a run has to see.
    """

    findings: Sequence[Finding]
    invariants: int
    events: int
    records: int
    duplicates_in_kafka: int
    lost: int
    double: int
    inversions: int
    residual_minor: int
    set_aside: Mapping[str, int]
    redriven: int
    replayed: int
    aged: int
    balances: int
    seen: Mapping[str, int] = field(default_factory=dict)
    rss_mb_per_minute: Mapping[str, float] = field(default_factory=dict)
    tracebacks: Mapping[str, int] = field(default_factory=dict)
    unanswered_samples: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def is_sound(self) -> bool:
        """Whether everything holds."""
        return not self.findings

    def to_json(self) -> dict[str, Any]:
        """Return the whole as JSON takes it, the first findings as sentences."""
        told = [str(finding) for finding in self.findings[:FINDINGS_TOLD_MAX]]
        figures = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "findings"}
        return {"is_sound": self.is_sound, **figures, "found": len(self.findings), "findings": told}


def report_of(evidence: Evidence, findings: Sequence[Finding], *, unanswered: Mapping[str, int], seconds: float) -> Report:
    """Count what was looked at and what was found."""
    harm = {kind: sum(finding.harm is kind for finding in findings) for kind in Harm}
    return Report(
        findings=findings,
        invariants=len(INVARIANTS),
        events=len(evidence.log.firsts),
        records=len(evidence.log.records),
        duplicates_in_kafka=evidence.log.repeats,
        lost=harm[Harm.LOST],
        double=harm[Harm.DOUBLE],
        inversions=harm[Harm.INVERTED],
        residual_minor=sum(finding.residual_minor for finding in findings),
        set_aside=_set_aside(evidence),
        redriven=_redriven(evidence),
        replayed=len(evidence.replays),
        aged=sum(len(answer.rows) for answer in evidence.aging),
        balances=len(evidence.folded.sums("invoiced", "memo", "unapplied")),
        seen=seen_in(evidence),
        rss_mb_per_minute=_slopes(evidence),
        tracebacks={name: n for name, n in evidence.vitals.tracebacks.items() if n},
        unanswered_samples=dict(unanswered),
        seconds=seconds,
    )


def _set_aside(evidence: Evidence) -> dict[str, int]:
    poisons = evidence.expected.poisons
    parked = {(p.topic, p.partition, p.offset) for service in SERVICES for p in evidence.books.rows(service, Parked)}
    refused = {(r.topic, r.partition, r.offset) for service in SERVICES for r in evidence.books.rows(service, Refused)}
    return {
        "to_be_parked": sum(one.outcome is Outcome.PARKED for one in poisons),
        "parked": len(parked),
        "to_be_refused": sum(one.outcome is Outcome.REFUSED for one in poisons),
        "refused": len(refused),
    }


def _redriven(evidence: Evidence) -> int:
    parked = sum(one.state == "redriven" for service in SERVICES for one in evidence.books.rows(service, Parked))
    return parked + sum(one.redriven for service in SERVICES for one in evidence.books.rows(service, Refused))


def _slopes(evidence: Evidence) -> dict[str, float]:
    """The steepest rise of each instance's memory, over its lives that are long enough to say."""
    slopes: dict[str, float] = {}
    for (instance, _), looks in evidence.vitals.lives().items():
        slope = slope_bytes_per_minute(looks, warm_s=WARM_S)
        if slope is not None:
            rises_mb = round(slope / 1024 / 1024, 2)
            slopes[instance] = max(slopes.get(instance, rises_mb), rises_mb)
    return slopes
