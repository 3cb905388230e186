"""The oracle about money: whose it is, what left us of it, and where it went that people gave it to."""

import json
from urllib.parse import quote

from torture.check.expected import ExpectedReceipt, ExpectedRefund, ExpectedTransfer
from torture.load.byhand import Told

OWNER = ("US01", "C-01", "USD")


def test_a_payer_is_found_by_document_then_bank_account_then_number() -> None:
    told = Told()
    told.money("B-1", "1.00", remittance="Ref: inv-7.", debtor={"iban": "xx01 2"}, customer="C-03")
    told.money("B-2", "1.00", debtor={"iban": "xx01 2"}, customer="C-03")
    told.money("B-3", "1.00", debtor={"iban": "XX99"}, customer="C-03", remittance="as agreed")
    told.money("B-4", "1.00", remittance="INV-404")
    id_ = told.invoke("customer", "erp.customers", {"entity": "US01", "customer": "C-02", "name": "n", "bank_accounts": ["XX 012"]})
    told.came(id_, "ok", place=("erp.customers", 0, 0))
    told.invoice("INV-7", customer="C-01")  # Later than the money that names it.
    payers = {id_: (receipt.account, receipt.payer_open) for id_, receipt in told.oracle.receipts.items()}
    assert payers == {
        "US01|B-1": ("C-01", False),
        "US01|B-2": ("C-02", False),
        "US01|B-3": ("C-03", False),
        "US01|B-4": (None, False),
    }


def test_a_payer_that_hangs_on_something_uncertain_is_left_open() -> None:
    told = Told()
    told.invoice("INV-1", acknowledged=False)
    told.money("B-1", "1.00", remittance="INV-1")
    assert told.oracle.receipts["US01|B-1"].payer_open


def test_money_that_was_taken_back_and_paid_back_left_us() -> None:
    told = Told()
    for reference, amount in (("B-1", "100.00"), ("B-2", "50.00"), ("B-3", "9.00")):
        told.money(reference, amount, customer="C-01")
    told.returned("B-1")
    refund = told.refund("B-2", "20.00")
    told.refund_decided(refund, "approve", "approver-1")
    told.returned("B-3", route="POST /v1/receipts/B-3/reverse")
    oracle = told.oracle
    found = {name: (one.was_returned, one.refunded_minor, one.returned_minor) for name, one in oracle.receipts.items()}
    assert found == {"US01|B-1": (True, 0, 10000), "US01|B-2": (False, 2000, 0), "US01|B-3": (True, 0, 900)}
    assert oracle.nets == {OWNER: -5000 + 2000}
    assert oracle.refunds == {refund: ExpectedRefund(refund, "US01|B-2", 2000, "clerk-1", "approved", "approver-1")}
    assert {one.receipt for one in oracle.receipts.values() if one.payer_open} == {"US01|B-1", "US01|B-3"}
    assert not oracle.surprises


def test_what_is_paid_back_before_a_bank_takes_the_rest_is_not_taken_twice() -> None:
    told = Told()
    told.money("B-1", "100.00", customer="C-01")
    told.refund_decided(told.refund("B-1", "30.00"), "approve", "approver-1")
    told.returned("B-1")
    assert (told.oracle.receipts["US01|B-1"].returned_minor, told.oracle.nets) == (7000, {OWNER: 0})


def test_a_maker_who_was_let_approve_a_refund_and_money_taken_back_twice_are_surprises() -> None:
    told = Told()
    told.money("B-1", "100.00", customer="C-01")
    told.refund_decided(told.refund("B-1", "30.00"), "approve", "clerk-1")
    told.refund_decided("US01|refund|B-9|1", "reject", "approver-1")
    told.returned("B-1")
    told.returned("B-1", route="POST /v1/receipts/B-1/reverse")
    assert len(told.oracle.surprises) == 3


def test_a_payer_whom_a_person_named_and_what_was_released_are_known() -> None:
    told = Told()
    told.money("B-1", "1.00", remittance="thank you")
    for kind, verb in (("payer", "payer"), ("placing", "release")):
        body = {"entity": "US01", "customer": "C-07", "reason": "CALLED_THEM"}
        told.came(told.invoke(kind, f"POST /v1/receipts/B-1/{verb}", body), "ok", status=200, answer="{}")
    assert (told.oracle.receipts["US01|B-1"].account, set(told.oracle.released)) == ("C-07", {"US01|B-1"})


def test_of_money_that_names_documents_of_two_customers_it_is_open_who_paid_and_on_no_account() -> None:
    told = Told()
    told.invoice("INV-1", customer="C-01")
    told.invoice("INV-2", customer="C-02")
    told.money("B-1", "50.00", remittance="INV-2 and INV-1")
    receipt = told.oracle.receipts["US01|B-1"]
    assert (receipt.account, receipt.among, receipt.payer_open) == (None, ("C-02", "C-01"), False)
    assert told.oracle.nets == {OWNER: 10000, ("US01", "C-02", "USD"): 10000}


def test_a_transfer_is_what_the_answer_says_was_made_last() -> None:
    told = Told()
    told.money("B-1", "50.00", customer="C-01")
    made = [{"transfer": f"US01|transfer|B-1|{n}", "to_account": "C-02", "amount": amount} for n, amount in ((1, "5.00"), (2, "7.00"))]
    for n, amount in ((1, "5.00"), (2, "7.10")):
        body = {"entity": "US01", "to_customer": "C-02", "amount": amount}
        id_ = told.invoke("placing", "POST /v1/receipts/B-1/transfers", body, meant="either", subject="approver-1")
        told.came(id_, "ok", status=201, answer=json.dumps({"currency": "USD", "transfers": made[:n]}))
    assert told.oracle.transfers == {
        "US01|transfer|B-1|1": ExpectedTransfer("US01|transfer|B-1|1", "US01|B-1", "C-02", 500),
        "US01|transfer|B-1|2": ExpectedTransfer("US01|transfer|B-1|2", "US01|B-1", "C-02", 700),
    }
    assert len(told.oracle.surprises) == 1, "7.10 were asked for"
    assert told.oracle.nets == {OWNER: -5000}, "where it is in the end the log says"


def test_money_that_is_billed_anew_stays_with_us() -> None:
    """PAY-10"""
    told = Told()
    told.money("B-1", "50.00", customer="C-01")
    id_ = told.invoke("reversal", "POST /v1/receipts/B-1/reverse", {"entity": "US01", "as": "debit_memo"}, meant="either")
    told.came(id_, "ok", status=200, answer="{}")
    assert (told.oracle.debited, told.oracle.receipts["US01|B-1"].returned_minor) == ({"US01|B-1"}, 0)
    assert told.oracle.nets == {OWNER: -5000}
    told.returned("B-1", route="POST /v1/receipts/B-1/reverse")
    assert len(told.oracle.surprises) == 1


def test_who_takes_a_suggestion_has_found_the_payer_and_who_only_looks_sends_no_command() -> None:
    """PAY-06"""
    told = Told()
    for reference, verb in (("B-1", "accept"), ("B-2", "reject")):
        told.money(reference, "50.00", remittance="thank you")
        look = told.invoke("look", f"GET /v1/suggestions?entity=US01&receipt={reference}", {}, meant="either")
        told.came(look, "ok", status=200, answer="{}")
        route = f"POST /v1/suggestions/{quote(f'US01|{reference}|abc', safe='')}/{verb}"
        answer = {"suggestion": f"US01|{reference}|abc", "receipt": f"US01|{reference}", "account": "C-03"}
        told.came(told.invoke("suggestion", route, {"reason": "X"}, meant="either"), "ok", status=200, answer=json.dumps(answer))
    oracle = told.oracle
    assert [one.account for one in oracle.receipts.values()] == ["C-03", None]
    assert {(one.service, one.method, one.entity, one.route) for one in oracle.commands} == {
        ("payment", "POST", "US01", f"POST /v1/suggestions/{{suggestion:path}}/{verb}") for verb in ("accept", "reject")
    }


def test_a_group_is_under_its_topmost_parent() -> None:
    """PAY-11"""
    told = Told()
    for customer, parent in (("C-12", "C-09"), ("C-09", "C-03"), ("C-03", None)):
        body = {"entity": "US01", "customer": customer, "name": "n", "bank_accounts": [], "parent": parent}
        told.came(told.invoke("customer", "erp.customers", body), "ok", place=("erp.customers", 0, 0))
    assert told.oracle.groups == {("US01", "C-12"): "C-03", ("US01", "C-09"): "C-03"}
    assert [told.oracle.group("US01", one) for one in ("C-12", "C-03", None)] == ["C-03", "C-03", None]


def test_exchanged_money_is_kept_in_the_currency_of_what_it_pays_and_lines_name_its_payer() -> None:
    told = Told()
    told.invoice("INV-7", customer="C-02")
    told.money("B-1", "10.00", exchange={"currency": "EUR", "amount": "9.00"}, lines=[{"document_no": "inv-7", "amount": "9.00"}])
    assert told.oracle.receipts["US01|B-1"] == ExpectedReceipt("US01|B-1", "US01", "EUR", 900, "C-02")
