"""Deciding about requests, whatever they ask for: the rules in force on a day (XC-05)."""

from datetime import date

from chassis.database import Connection
from policies.queries import read_in_force

from invoice.domain.approvals import Rules
from invoice.domain.policy_kinds import APPROVAL_LIMITS, TOLERANCES


async def load_rules(db: Connection, entity: str, open_on: date) -> Rules:
    """Read the approval limits and tolerances in force for a decision on the open day: those approved before it, or the standard."""
    limits, limits_version = await read_in_force(db, APPROVAL_LIMITS, entity, open_on)
    tolerances, tolerances_version = await read_in_force(db, TOLERANCES, entity, open_on)
    return Rules(limits, limits_version, tolerances, tolerances_version)
