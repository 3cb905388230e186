"""What counts for the documents of a batch: policies, calendars, rates and parents booked before the open day of their entity."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from chassis.database import Connection
from chassis.entities import Entities
from chassis.service import Batch
from money import CurrencyUnknown, scale
from policies import queries as policies
from policies.customers import load_accounts
from policies.versions import PolicyVersion

from invoice.domain import Draft
from invoice.domain.documents import InForce
from invoice.domain.policy_kinds import DOCUMENTS, TERMS
from invoice.domain.terms import TermsVersion
from invoice.domain.valuation import Rate
from invoice.queries.documents import load_placed
from invoice.queries.reference import RateFound, RateWanted, load_calendars, load_rates


async def load_in_force(db: Connection, drafts: Sequence[Draft], batch: Batch) -> dict[str, InForce]:
    """
    Return what counts for the drafts by entity, those of unknown entities left out.

    Only what some draft needs is read: terms where one has any, the default where one has none, calendars where terms roll due dates, rates
    where a draft in another currency brings none, documents where one is about another.
    """
    ours = [draft for draft in drafts if draft.entity in batch.entities.by_id and draft.entity in batch.open_on]
    entities = sorted({draft.entity for draft in ours})
    without = sorted({draft.entity for draft in ours if _lacks_terms(draft)})
    with_terms = sorted({draft.entity for draft in ours if draft.terms is not None} | set(without))
    terms = await policies.load_in_force(db, TERMS.name, with_terms, batch.open_on) if with_terms else {}
    defaults = await policies.load_in_force(db, DOCUMENTS.name, without, batch.open_on) if without else {}
    versions = {entity: [_terms_version(one) for one in found] for entity, found in terms.items()}
    rolling = {entity for entity, found in versions.items() if any(_rolls(one) for one in found)}
    codes = {entity: batch.entities.by_id[entity].calendar for entity in rolling}
    calendars = await load_calendars(db, codes, batch.open_on) if codes else {}
    wanted = _rates_wanted(ours, batch.entities)
    rates = await load_rates(db, wanted, batch.open_on) if wanted else {}
    accounts = await load_accounts(db, [(draft.entity, draft.customer) for draft in ours if draft.account is None], batch.open_on)
    about = {(draft.entity, ref) for draft in ours if (ref := draft.ref_document_no) is not None and draft.account is None}
    placed = await load_placed(db, about, batch.open_on) if about else {}
    in_force = {}
    for entity in entities:
        known: dict[str, Any] = {"roll": calendars[entity].roll} if entity in calendars else {}
        in_force[entity] = InForce(
            currency=batch.entities.by_id[entity].currency,
            terms=versions.get(entity, ()),
            default_terms=[(one.valid_from, _default_terms(one)) for one in defaults.get(entity, ())],
            rates=_rates_of(entity, rates),
            accounts={customer: account for (of, customer), account in accounts.items() if of == entity},
            placed={document_no: where for (of, document_no), where in placed.items() if of == entity},
            **known,
        )
    return in_force


def _lacks_terms(draft: Draft) -> bool:
    return draft.terms is None and not draft.instalments and draft.kind != "credit_memo"


def _terms_version(policy: PolicyVersion) -> TermsVersion:
    codes, version = TERMS.read(policy)
    return TermsVersion(version, policy.valid_from, codes)


def _default_terms(policy: PolicyVersion) -> str | None:
    code, _ = DOCUMENTS.read(policy)
    return code


def _rolls(version: TermsVersion) -> bool:
    return any(definition.roll != "none" for definition in version.codes.values())


def _rates_wanted(drafts: Sequence[Draft], entities: Entities) -> set[RateWanted]:
    return {
        RateWanted(draft.entity, draft.currency, draft.issued_on)
        for draft in drafts
        if draft.fx is None and draft.currency != entities.by_id[draft.entity].currency and _is_currency(draft.currency)
    }


def _is_currency(code: str) -> bool:
    try:
        scale(code)
    except CurrencyUnknown:
        return False
    return True


def _rates_of(entity: str, rates: Mapping[RateWanted, RateFound]) -> dict[tuple[str, date], Rate]:
    return {
        (wanted.currency, wanted.on): Rate(found.rate, found.rate_on, found.type)
        for wanted, found in rates.items()
        if wanted.entity == entity
    }
