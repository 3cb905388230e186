import hashlib
from datetime import date

from demo.books import Difference, compare, compare_counted, compare_unidentified, digest, figures_of
from demo.counted import Counted
from demo.figures import Figures, bucket, figures_at
from demo.ledger import House, Invoice, Ledger, month_ends
from demo.oracle import fold
from demo.postings import Posting

DAY = date(2026, 3, 31)
LEDGER = Ledger(House("US01", "USD", "UTC", ""), (Invoice("I-1", "C-1", "USD", date(2026, 1, 5), date(2026, 2, 4), 12_050),))
ANSWER = {
    "rows": [
        {
            "currency": "USD",
            "customer": "C-1",
            "buckets": {"current": "0.00", "1-30": "0.00", "31-60": "120.50", "61-90": "0.00", "90+": "0.00"},
            "open": "120.50",
            "unapplied": "0.00",
            "on_account": "0.00",
        }
    ]
}


def test_an_aging_answer_that_says_what_the_ledger_says_has_no_differences() -> None:
    assert compare(figures_at(fold(LEDGER), DAY), figures_of(ANSWER), DAY, None) == []


def test_one_cent_in_one_bucket_is_a_difference_of_that_bucket_and_of_the_total() -> None:
    wrong = {"rows": [{**ANSWER["rows"][0], "buckets": {**ANSWER["rows"][0]["buckets"], "31-60": "120.49"}}]}

    assert compare(figures_at(fold(LEDGER), DAY), figures_of(wrong), DAY, None) == [
        Difference(DAY, None, "C-1", "USD", "open", 12_050, 12_049),
        Difference(DAY, None, "C-1", "USD", "31-60", 12_050, 12_049),
    ]


def test_a_customer_who_is_missing_or_too_many_is_a_difference() -> None:
    somebody = {("C-2", "USD"): Figures(on_account=5)}

    assert compare({}, somebody, DAY, DAY) == [Difference(DAY, DAY, "C-2", "USD", "on_account", 0, 5)]
    assert compare(somebody, {}, DAY, DAY) == [Difference(DAY, DAY, "C-2", "USD", "on_account", 5, 0)]


def test_unidentified_money_is_compared_by_currency() -> None:
    postings = [Posting(("", "USD"), "unidentified", 300, DAY, DAY)]
    kpis = {"rows": [{"currency": "USD", "unidentified": "3.00"}, {"currency": "EUR", "unidentified": "0.01"}]}

    assert compare_unidentified(postings, kpis, DAY) == [Difference(DAY, None, "", "EUR", "unidentified", 0, 1)]


def test_a_kind_of_case_that_came_to_something_else_is_a_difference_in_its_currency() -> None:
    same = Counted("deposits, left", 1, {"EUR": 500}, {"EUR": 500})
    other = Counted("money for several customers, moved", 2, {"EUR": 7, "USD": 100}, {"EUR": 7, "GBP": 1})

    assert compare_counted([same, other], DAY) == [
        Difference(DAY, None, "", "GBP", other.name, 0, 1),
        Difference(DAY, None, "", "USD", other.name, 100, 0),
    ]


def test_the_digest_is_of_sorted_lines_and_changes_with_any_balance_and_any_notice() -> None:
    item = {
        "item": "US01|I-1|1",
        "invoice": "US01|I-1",
        "customer": "C-1",
        "account": "C-1",
        "currency": "USD",
        "due_on": "2026-02-04",
        "total": "2.00",
        "open": "1.00",
        "booked_on": "2026-01-05",
    }
    other = {**item, "item": "US01|I-2|1"}
    notice = {
        "notice": "n",
        "account": "C-1",
        "currency": "USD",
        "noticed_on": "2026-02-09",
        "level": 1,
        "total": "1.00",
        "items": [{"item": "b"}, {"item": "a"}],
    }
    line = b'["item","US01|I-1|1","C-1","USD","2026-02-04","2.00","1.00","2026-01-05"]\n'

    assert digest([item], []) == hashlib.sha256(line).hexdigest()
    assert digest([item, other], [notice]) == digest([other, item], [{**notice, "items": notice["items"][::-1]}])
    assert len({digest([item], []), digest([{**item, "open": "1.01"}], []), digest([item], [notice]), digest([item, other], [])}) == 4


def test_buckets_begin_on_the_day_after_the_due_date() -> None:
    due_on = date(2026, 1, 31)

    named = [bucket(due_on, date.fromordinal(due_on.toordinal() + days)) for days in (-5, 0, 1, 30, 31, 60, 61, 90, 91)]
    assert named == ["current", "current", "1-30", "1-30", "31-60", "31-60", "61-90", "61-90", "90+"]


def test_month_ends_are_those_of_the_span_and_its_last_day() -> None:
    assert list(month_ends(date(2026, 1, 15), date(2026, 3, 10))) == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 10)]
    assert list(month_ends(date(2026, 1, 31), date(2026, 1, 31))) == [date(2026, 1, 31)]
