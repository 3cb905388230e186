"""What the read model listens to, with nothing running."""

from events import invoice, payment
from events.fact import Event
from reporting import handlers
from reporting.subscriptions import SUBSCRIPTIONS


def test_every_money_fact_that_exists_is_heard_and_has_a_fold() -> None:
    """A new fact of the settlement ledger must not pass the read model by."""
    moves_nothing: set[type[Event]] = {
        payment.EntryRejected,
        payment.RefundRequested,
        payment.RefundRejected,
        payment.DepositReleased,
        payment.InstalmentOverdue,
        payment.PaymentPolicyPublished,
        *handlers.FINDINGS,
        *handlers.SUGGESTING,
        invoice.DocumentRejected,
        invoice.InstalmentFellDue,
        invoice.LateChargeAssessed,  # Its debit memo is what moves.
        invoice.WriteOffApproved,  # What the payment service posts is what moves.
        invoice.WriteOffRejected,
        invoice.ConsolidatedBillIssued,
        invoice.InvoicePolicyPublished,
    }
    published = {
        each
        for module in (invoice, payment)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Event) and each not in (Event, invoice.Billed)
    }
    heard = {event for event, handler in SUBSCRIPTIONS.handlers.items() if handler is handlers.fold_money}
    assert published - moves_nothing == set(handlers.FOLDS) == heard
