"""O1: processes do not grow, hoard files or connections, nor forget exceptions."""

from collections.abc import Iterator

from torture.check.evidence import Evidence
from torture.check.finding import Finding
from torture.check.vitals import slope_bytes_per_minute

SLOPE_BYTES_MAX = 1024 * 1024
WARM_S = 120.0
STEADY_S_MIN = 600.0
FILES_MORE_MAX = 20


def o1_processes_do_not_grow(evidence: Evidence) -> Iterator[Finding]:
    """O1: resident memory rises by less than 1 MB a minute once warm, over lives long enough to say so; open files stay flat."""
    for (instance, pid), looks in evidence.vitals.lives().items():
        where = f"{instance} pid {pid}"
        lived_s = looks[-1].at_s - looks[0].at_s
        slope = slope_bytes_per_minute(looks, warm_s=WARM_S)
        if slope is not None and slope >= SLOPE_BYTES_MAX and lived_s >= STEADY_S_MIN:
            yield Finding("O1", where, f"resident memory rises by {slope / SLOPE_BYTES_MAX:.1f} MB a minute")
        quarter = len(looks) // 4
        if quarter >= 5 and lived_s >= WARM_S:
            first, last = max(look.files for look in looks[:quarter]), min(look.files for look in looks[-quarter:])
            if last > first + FILES_MORE_MAX:
                yield Finding("O1", where, f"had at most {first} files open at first, at least {last} in the end")


def o1_connections_stay_within_their_pools(evidence: Evidence) -> Iterator[Finding]:
    """O1: a service never has more connections than its pools and listeners may hold."""
    for service, most in evidence.vitals.connections.items():
        if service in evidence.vitals.pools and most > evidence.vitals.pools[service]:
            yield Finding("O1", service, f"had {most} connections, its pools hold {evidence.vitals.pools[service]}")


def o1_nobody_forgets_an_exception(evidence: Evidence) -> Iterator[Finding]:
    """O1: no log says that an exception was never retrieved or a coroutine never awaited."""
    for instance, lines in evidence.vitals.complaints.items():
        for line in lines:
            yield Finding("O1", instance, line)
