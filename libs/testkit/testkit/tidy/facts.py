"""Facts: documented, shown by an example, heard by somebody, and published by nobody but their owner."""

from collections.abc import Collection, Mapping

from events.catalogue import OUTSIDE
from events.fact import FactKind
from events.topics import EVERY

from testkit.tidy.checkout import Checkout
from testkit.tidy.names import calls

FOR_OTHERS: Mapping[str, str] = {
    "receivables.DocumentRejected.v1": "the ERP or billing system that sent the document",
    "receivables.EntryRejected.v1": "the bank connection that sent the entry",
    "receivables.CreditLimitChanged.v1": "whoever shows limits",
    "receivables.InstalmentFellDue.v1": "whoever reminds and plans: the payment service says what is overdue",
    "receivables.LateChargeAssessed.v1": "whoever shows what was charged, and how it was computed",
    "receivables.WriteOffRejected.v1": "whoever asked for the write-off",
    "receivables.InvoicePolicyPublished.v1": "whoever audits which policy was in force",
    "receivables.InstalmentOverdue.v1": "whoever reminds outside: our own services judge what is overdue by dates",
    "receivables.DepositReleased.v1": "whoever keeps the order: its deposit is bound to it no more",
    "receivables.RefundRequested.v1": "whoever may approve it: asked over HTTP",
    "receivables.RefundRejected.v1": "whoever asked for the refund",
    "receivables.PaymentPolicyPublished.v1": "whoever audits which policy was in force",
    "receivables.BusinessDayStarted.v1": "the chassis of every service",
    "receivables.DayOpenedWithout.v1": "whoever watches the business day",
}
"""Facts that no service of ours subscribes to, and for whom they are."""


def undocumented(checkout: Checkout, facts: Mapping[str, FactKind]) -> list[str]:
    """Every fact stands in the catalogue and has a schema and an example message of its producer."""
    catalogue = checkout.read("docs/events.md")
    found = []
    for wire_name in facts:
        if f"`{wire_name}`" not in catalogue:
            found.append(f"docs/events.md does not mention {wire_name}")
        for path in (f"docs/events/{wire_name}.json", f"tests/contract/producers/{wire_name}.json"):
            if not checkout.has(path):
                found.append(f"{path} is missing")
    return found


def unheard(facts: Collection[str], heard: Collection[str], for_others: Mapping[str, str] = FOR_OTHERS) -> list[str]:
    """Every fact is heard by a service of ours or marked as being for somebody else, never both."""
    found = [
        f"nobody hears {wire_name}: subscribe to it or say in FOR_OTHERS for whom it is" for wire_name in {*facts} - {*heard, *for_others}
    ]
    found += [f"{wire_name} is marked as for others and one of ours hears it" for wire_name in {*heard} & {*for_others}]
    return sorted(found + [f"{wire_name} is marked as for others and there is no such fact" for wire_name in {*for_others} - {*facts}])


def published_by_strangers(checkout: Checkout, facts: Mapping[str, FactKind]) -> list[str]:
    """
    A service constructs the facts of its own module of `events` only; those in every topic are the chassis'.

    What comes from outside may be constructed: a command over HTTP is the same fact by another door.
    """
    owner_of = {f"events.{kind.owner}.{kind.event.__name__}": kind.owner for kind in facts.values() if kind.owner not in OUTSIDE}
    return [
        f"{module.path}:{line}: {service} publishes {name}, which belongs to {owner_of[name]}"
        for service in checkout.services
        for module in checkout.code_of(service)
        for name, line in calls(module)
        if owner_of.get(name, service) != service
    ]


def unnamed_in_readmes(checkout: Checkout, facts: Mapping[str, FactKind], heard: Mapping[str, Collection[str]]) -> list[str]:
    """
    The README of a service names every fact it publishes and every one it consumes.

    :param heard: the wire names each service subscribes to.
    """
    found = []
    for service in checkout.services:
        readme = checkout.read(f"services/{service}/README.md")
        published = [kind.type for kind in facts.values() if kind.owner == service and kind.topic != EVERY]
        for heading, wire_names in (("Publishes", published), ("Consumes", heard.get(service, ()))):
            section = readme.partition(f"## {heading}\n")[2].partition("\n## ")[0]
            named = [facts[wire_name].event.__name__ for wire_name in wire_names]
            found += [f"services/{service}/README.md: {heading} does not name {name}" for name in named if f"`{name}`" not in section]
    return found
