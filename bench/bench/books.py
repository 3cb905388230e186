"""The books check behind every timed part: a run counts only if its books close."""

from bench.track import Track

_OPEN = {  # Each service's own answer to: what is open, by currency?
    "invoice": "SELECT currency, sum(open_minor)::bigint AS minor FROM chk.item GROUP BY currency",
    "payment": "SELECT currency, sum(open_minor)::bigint AS minor FROM chk.item GROUP BY currency",
    "credit": "SELECT currency, sum(open_minor)::bigint AS minor FROM chk.exposure GROUP BY currency",
    "dunning": "SELECT currency, sum(open_minor)::bigint AS minor FROM chk.item GROUP BY currency",
    "reporting": "SELECT currency, sum(open_minor)::bigint AS minor FROM chk.item GROUP BY currency",
}
_BALANCE = "SELECT currency, sum(balance_minor)::bigint AS minor FROM chk.balance GROUP BY currency"
_ASIDE = """
    SELECT (SELECT count(*) FROM chk.parked WHERE state = 'parked') AS parked, (SELECT count(*) FROM chk.refused) AS refused,
        (SELECT count(*) FROM chk.held) AS held
"""


async def differences(track: Track) -> list[str]:
    """
    Compare what is open with what was issued less what was paid, by currency, in every service; say what differs.

    What was issued and paid is counted by the bench itself while it publishes. Nothing may stand parked, refused or held either.
    """
    expected = {currency: minor for currency, minor in track.told.open_minor().items() if minor}
    found = []
    for service in track.services:
        open_minor = await _by_currency(track, service, _OPEN[service])
        if open_minor != expected:
            found.append(f"{service}: {open_minor} open instead of {expected} (minor units)")
        aside = dict(await track.dbs[service].fetchrow(_ASIDE))
        if any(aside.values()):
            found.append(f"{service}: {aside}")
    balance = await _by_currency(track, "reporting", _BALANCE)
    if balance != expected:
        found.append(f"reporting: a balance of {balance} instead of {expected} (minor units)")
    documents = await track.dbs["invoice"].fetchval("SELECT count(*) FROM chk.document")
    if documents != track.told.invoices:
        found.append(f"invoice: {documents} documents instead of {track.told.invoices}")
    return found


async def _by_currency(track: Track, service: str, query: str) -> dict[str, int]:
    return {row["currency"]: row["minor"] for row in await track.dbs[service].fetch(query) if row["minor"]}
