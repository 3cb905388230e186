"""Which policies count on the open day of an entity: those approved before it, else the standard (XC-07)."""

from collections.abc import Mapping
from datetime import date

from chassis.database import Connection
from policies.queries import load_kinds_in_force
from policies.versions import in_force

from payment.domain import STANDARD, Policy
from payment.domain.policies import CASH_APPLICATION, TOLERANCES, policy_of


async def load_policies(db: Connection, open_on: Mapping[str, date]) -> dict[str, Policy]:
    """
    Return what the settlement of its open day follows, by entity, for every entity of `open_on`.

    One statement for all of them. On one day it is always the same: what is approved on the day counts from the next one.
    """
    found = await load_kinds_in_force(db, (CASH_APPLICATION.name, TOLERANCES.name), open_on)
    policies = dict.fromkeys(open_on, STANDARD)
    for entity in {entity for entity, _ in found}:
        day = open_on[entity]
        applying, version = CASH_APPLICATION.read(in_force(found.get((entity, CASH_APPLICATION.name), ()), day))
        tolerances, _ = TOLERANCES.read(in_force(found.get((entity, TOLERANCES.name), ()), day))
        policies[entity] = policy_of(applying, version, tolerances)
    return policies
