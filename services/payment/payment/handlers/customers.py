"""Customers: which bank accounts they pay from, how they are called, and under whose account they settle."""

from collections.abc import Sequence

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events.erp import CustomerUpserted
from events.invoice import Reason
from policies.customers import NewParent, keep_parents, reasons_against

from payment.domain import BANK_ACCOUNT, digest_of, normalise_bank_account
from payment.domain.names import normalise_name
from payment.queries import identification, intake
from payment.queries.identification import NewName
from payment.queries.intake import ListedBankAccount

BANK_ACCOUNTS_MAX = 1_000


async def remember_customers(db: Connection, received: Sequence[Received[CustomerUpserted]], batch: Batch) -> list[Fact]:
    """
    Keep customers' lists of bank accounts, names and parents as of the open day; they count from the next opening (PAY-11).

    Publishes nothing.
    """
    listed: set[ListedBankAccount] = set()
    parents: list[NewParent] = []
    names: list[NewName] = []
    for one in received:
        customer, day = one.data, batch.open_on[one.entity]
        reasons = batch.entities.reasons_against(customer.entity, one.envelope) + reasons_against(customer)
        if len(customer.bank_accounts) > BANK_ACCOUNTS_MAX:
            reasons.append(Reason(code="TOO_MANY", field="bank_accounts"))
        if reasons:
            batch.refuse(one, reasons)
            continue
        numbers = sorted({number for text in customer.bank_accounts if (number := normalise_bank_account(text))})
        content = digest_of(customer.entity, "bank_accounts", "\0".join(numbers))
        digests = [digest_of(customer.entity, BANK_ACCOUNT, number) for number in numbers] or [b""]
        listed |= {ListedBankAccount(customer.entity, customer.customer, day, content, digest) for digest in digests}
        names.append(NewName(customer.entity, customer.customer, day, normalise_name(customer.name)))
        parents.append(NewParent(customer.entity, customer.customer, day, customer.parent))
    await identification.insert_names(db, names)
    await intake.insert_bank_accounts(db, listed)
    await keep_parents(db, parents)
    return []
