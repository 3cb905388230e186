"""The house rules a program can check: this checkout keeps them, and each of them finds a violation that is planted."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from chassis.service import Subscriptions, subscribe
from events import facts as every_fact
from events import kind_of
from sqlalchemy import CHAR, BigInteger, Column, Date, DateTime, Float, ForeignKey, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeEngine
from testkit.tidy import clock, days, facts, leaks, money, shape, words
from testkit.tidy.checkout import Checkout

ROOT = Path(__file__).parents[1]
SERVICES = ("credit", "dunning", "invoice", "payment", "reporting")
CURRENCY_ELSEWHERE = {"invoice": ["movement", "settled"]}  # An application may come before the document that says its currency.

Rule = Callable[[Checkout], list[str]]
RULES: list[Rule] = [
    shape.long_functions,
    shape.long_files,
    shape.unequal_services,
    shape.readmes_without_headings,
    shape.undeclared_members,
    words.uses_of_refused_words,
    words.empty_names,
    words.promises_without_an_issue,
    words.glossary_too_long,
    money.floats,
    clock.clock_reads,
    clock.clock_reads_in_sql,
    leaks.unknown_hosts,
    leaks.places,
    leaks.secrets,
]


@pytest.fixture(scope="module")
def ours() -> Checkout:
    """This checkout."""
    return Checkout(ROOT)


@pytest.fixture(scope="module")
def subscriptions() -> dict[str, Subscriptions]:
    """What each service listens to."""
    return {service: import_module(f"{service}.subscriptions").SUBSCRIPTIONS for service in SERVICES}


@pytest.fixture(scope="module")
def heard(subscriptions: Mapping[str, Subscriptions]) -> dict[str, list[str]]:
    """The wire names each service subscribes to."""
    return {service: [kind_of(event).type for event in heard.handlers] for service, heard in subscriptions.items()}


@pytest.fixture
def planted(tmp_path: Path) -> Callable[[Mapping[str, str]], Checkout]:
    """Make a checkout of the files given."""

    def plant(files: Mapping[str, str]) -> Checkout:
        for path, text in files.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return Checkout(tmp_path)

    return plant


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_this_checkout_keeps_the_rule(rule: Rule, ours: Checkout) -> None:
    found = rule(ours)
    assert not found, "\n".join(found)


def test_the_rules_read_what_is_there(ours: Checkout) -> None:
    assert tuple(ours.services) == SERVICES
    assert {"README.md", "libs/chassis/chassis/protocol.sql", "services/payment/payment/app.py"} <= set(ours.files)
    assert not [path for path in ours.files if path.startswith((".venv/", ".local/"))]


README = "# shop\n\n## Owns\n\n## Publishes\n\n## Consumes\n\n## HTTP (port 8009)\n\n## Invariants\n"
LONG_AGO = "from datetime import date\n\ndef age(on):\n    return date.today() - on\n"
GLOSSARY = "# Words\n\n| **item** | `item` |\n\n## Words we refuse\n\n| refused | say |\n|---|---|\n| `grok`, `old style` | understand |\n"
MAKEFILE = "members := libs/money \\\n           services/shop\npackages := money shop\n"
PROJECT = '[tool.uv.sources]\nreceivables-money = {}\n[tool.mypy]\nmypy_path = "libs/money:services/shop"\n'


@pytest.mark.parametrize(
    ("rule", "files", "found"),
    [
        (shape.long_functions, {"a.py": "def f():\n" + "    g()\n" * 60}, "a.py:1: f has 61 lines"),
        (shape.long_files, {"a.py": "a = 1\n" * 401}, "a.py: 401 lines"),
        (shape.unequal_services, {"services/shop/shop/helpers.py": ""}, "services/shop/shop/helpers: not one of the modules"),
        (shape.unequal_services, {"services/shop/shop/app.py": ""}, "services/shop/shop/domain.py is missing"),
        (shape.unequal_services, {"services/shop/shop/app.py": ""}, "services/shop/tests/test_domain.py is missing"),
        (shape.readmes_without_headings, {"services/shop/README.md": README.replace("Owns", "Has")}, "the headings Owns"),
        (shape.readmes_without_headings, {"services/shop/README.md": README.replace("# shop", "# Store", 1)}, "the title"),
        (
            shape.undeclared_members,
            {"services/shop/pyproject.toml": "", "Makefile": MAKEFILE, "pyproject.toml": PROJECT},
            "shop is not among [tool.uv.sources]",
        ),
        (
            shape.undeclared_members,
            {"demo/pyproject.toml": "", "Makefile": MAKEFILE, "pyproject.toml": PROJECT},
            "demo is not among the members of the Makefile",
        ),
        (words.uses_of_refused_words, {"docs/glossary.md": GLOSSARY, "a.py": "grokked = 1\n"}, "a.py:1: 'grok' is refused, say understand"),
        (words.uses_of_refused_words, {"docs/glossary.md": GLOSSARY, "a.md": "An Old-style.\n"}, "a.md:1: 'old style' is refused"),
        (words.empty_names, {"a.py": "class ReceiptManager: ...\n"}, "a.py:1: the class name ReceiptManager"),
        (words.empty_names, {"a.py": "class BaseReceipt: ...\n"}, "a.py:1: the class name BaseReceipt"),
        (words.empty_names, {"a.py": "class ReceiptImpl: ...\n"}, "a.py:1: the class name ReceiptImpl"),
        (words.empty_names, {"a.py": "async def _process_receipt(): ...\n"}, "a.py:1: the function name _process_receipt"),
        (words.empty_names, {"shop/utils.py": ""}, "shop/utils.py: a drawer"),
        (words.empty_names, {"shop/common/money.py": ""}, "shop/common/money.py: a drawer"),
        (words.promises_without_an_issue, {"a.py": "a = 1  # TO" + "DO: round\n"}, "a.py:1: left for later"),
        (words.promises_without_an_issue, {"Makefile": "# FIX" + "ME(soon)\n"}, "Makefile:1: left for later"),
        (words.glossary_too_long, {"docs/glossary.md": "| **a** | `a` |\n" * 31}, "31 words"),
        (words.glossary_too_long, {"docs/glossary.md": "Words come later.\n"}, "0 words"),
        (money.floats, {"services/shop/shop/domain.py": "half = 0.5\n"}, "services/shop/shop/domain.py:1: a float"),
        (money.floats, {"services/shop/shop/handlers/sales.py": "def f(a: float): ...\n"}, "sales.py:1: a float"),
        (money.floats, {"libs/money/money/split.py": "float('1')\n"}, "libs/money/money/split.py:1: a float"),
        (clock.clock_reads, {"a.py": LONG_AGO}, "a.py:4: reads the clock"),
        (clock.clock_reads, {"a.py": "import datetime as dt\nnow = dt.datetime.now\n"}, "a.py:2: reads the clock"),
        (clock.clock_reads_in_sql, {"services/shop/shop/queries.py": 'Q = "SELECT Now ()"\n'}, "queries.py:1: a statement"),
        (
            clock.clock_reads_in_sql,
            {"services/shop/migrations/versions/1.py": 'Q = "x date DEFAULT CURRENT_DATE"\n'},
            "1.py:1: a statement",
        ),
        (clock.clock_reads_in_sql, {"a.sql": "SELECT 1,\n clock_timestamp()\n"}, "a.sql:2: a statement"),
        (
            leaks.unknown_hosts,
            {"a.toml": 'index = "https:' + '//nexus.corp.internal/simple"\n'},
            "a.toml: names the host nexus.corp.internal",
        ),
        (leaks.unknown_hosts, {"requirements.lock": "--index" + "-url somewhere\n"}, "requirements.lock: names a package index"),
        (leaks.places, {"a.md": "In `/ho" + "me/ann/books`.\n"}, "a.md:1: a path of one machine"),
        (leaks.secrets, {"a.json": "-----BEGIN " + "PRIVATE KEY-----"}, "a.json: contains a private key"),
        (leaks.secrets, {"a.toml": "url = 'postgresql:" + "//shop:pa55@db/shop'"}, "a.toml: contains a password in a URL"),
    ],
)
def test_a_planted_violation_is_found(
    rule: Rule, files: Mapping[str, str], found: str, planted: Callable[[Mapping[str, str]], Checkout]
) -> None:
    assert found in "\n".join(rule(planted(files)))


def test_names_that_only_look_alike_are_left_alone(planted: Callable[[Mapping[str, str]], Checkout]) -> None:
    text = '"""Says now() and float."""\nfrom shop import date\n\n\nclass Basement:\n    def do_GET(self):\n        return date.today()\n'
    checkout = planted({"services/shop/shop/domain.py": text, "services/shop/tests/test_domain.py": "half = 0.5\n"})
    for rule in (words.empty_names, money.floats, clock.clock_reads, clock.clock_reads_in_sql, words.promises_without_an_issue):
        assert rule(checkout) == []


# --- facts ---


def test_every_fact_is_documented_and_has_an_example(ours: Checkout) -> None:
    assert facts.undocumented(ours, every_fact()) == []


def test_a_fact_without_documents_is_found(planted: Callable[[Mapping[str, str]], Checkout]) -> None:
    name, kind = next(iter(every_fact().items()))
    assert len(facts.undocumented(planted({"docs/events.md": "# Facts\n"}), {name: kind})) == 3


def test_every_fact_is_heard_or_is_for_somebody_else(heard: Mapping[str, list[str]]) -> None:
    assert facts.unheard(every_fact(), {name for names in heard.values() for name in names}) == []


def test_a_fact_that_nobody_hears_and_a_stale_mark_are_found() -> None:
    found = facts.unheard(
        ["a.Told.v1", "a.Heard.v1", "a.Marked.v1"], ["a.Heard.v1", "a.Marked.v1"], {"a.Marked.v1": "an auditor", "a.Gone.v1": "nobody"}
    )
    assert [sentence for sentence in found if sentence.startswith("nobody hears a.Told.v1")]
    assert "a.Marked.v1 is marked as for others and one of ours hears it" in found
    assert "a.Gone.v1 is marked as for others and there is no such fact" in found


def test_every_service_publishes_its_own_facts_only(ours: Checkout) -> None:
    assert facts.published_by_strangers(ours, every_fact()) == []


@pytest.mark.parametrize(
    "text",
    [
        "from events import invoice\n\ndef f():\n    return invoice.InvoiceIssued()\n",
        "from events.invoice import InvoiceIssued as Billed\n\ndef f():\n    return Billed()\n",
        "import events.invoice\n\ndef f():\n    return events.invoice.InvoiceIssued()\n",
        "from events.business_day import BusinessDayStarted\n\ndef f():\n    return BusinessDayStarted()\n",
    ],
)
def test_a_fact_of_another_service_is_found(text: str, planted: Callable[[Mapping[str, str]], Checkout]) -> None:
    checkout = planted({"services/credit/credit/handlers.py": text})
    (found,) = facts.published_by_strangers(checkout, every_fact())
    assert "handlers.py:4: credit publishes events." in found


def test_the_readmes_name_what_is_published_and_consumed(ours: Checkout, heard: Mapping[str, list[str]]) -> None:
    assert facts.unnamed_in_readmes(ours, every_fact(), heard) == []


def test_a_readme_that_leaves_a_fact_out_is_found(planted: Callable[[Mapping[str, str]], Checkout]) -> None:
    checkout = planted({"services/credit/README.md": "# credit\n\n## Consumes\n\n`CreditLimitChanged`, `InvoiceIssued`\n"})
    found = facts.unnamed_in_readmes(checkout, every_fact(), {"credit": ["receivables.InvoiceIssued.v1", "receivables.PaymentApplied.v1"]})
    assert found == [
        "services/credit/README.md: Publishes does not name CreditLimitChanged",
        "services/credit/README.md: Consumes does not name PaymentApplied",
    ]


# --- business days ---


def test_no_day_waits_for_itself(subscriptions: Mapping[str, Subscriptions]) -> None:
    assert days.cycles(subscriptions) == []


def test_a_circle_of_waiting_is_found() -> None:
    circle = {
        "invoice": subscribe(forward=["erp.documents", "receivables.credit"]),
        "payment": subscribe(forward=["receivables.invoice"]),
        "credit": subscribe(forward=["receivables.payment"]),
    }
    assert "invoice waits for credit waits for payment waits for invoice" in days.cycles(circle)


def test_awaited_feedback_closes_no_circle_because_it_is_of_the_day_before() -> None:
    invoice = subscribe(forward=["erp.documents"], feedback=["receivables.payment"], feedback_awaited=["receivables.payment"])
    assert days.cycles({"invoice": invoice, "payment": subscribe(forward=["receivables.invoice"])}) == []


def test_feedback_that_is_waited_for_twice_or_not_heard_is_found() -> None:
    twice = subscribe(forward=["receivables.invoice"], feedback=["receivables.invoice"])
    unheard = subscribe(forward=["erp.documents"], feedback_awaited=["receivables.payment"])
    assert days.cycles({"payment": twice}) == ["payment waits for receivables.invoice twice, and with it for its own day"]
    assert days.cycles({"invoice": unheard}) == ["invoice awaits receivables.payment of the day before and does not hear it"]


def test_the_table_of_what_a_day_waits_for_is_true(ours: Checkout, subscriptions: Mapping[str, Subscriptions]) -> None:
    assert days.undescribed(ours, subscriptions) == []


def test_a_table_that_says_too_much_or_too_little_is_found(planted: Callable[[Mapping[str, str]], Checkout]) -> None:
    checkout = planted({days.PAGE: "| service | waits for | hears at once |\n| credit | `erp.orders` | `erp.customers` |\n"})
    found = days.undescribed(checkout, {"credit": subscribe(forward=["erp.reference"], feedback=["erp.customers"])})
    assert found == [
        f"{days.PAGE}: credit waits for erp.reference, which is not said",
        f"{days.PAGE}: credit waits for erp.orders, which is not so",
    ]


# --- columns ---


@pytest.mark.parametrize("service", SERVICES)
def test_the_columns_of_every_service_are_exact(service: str) -> None:
    metadata = import_module(f"{service}.tables").Table.metadata
    assert any(column.name.endswith("_minor") for table in metadata.sorted_tables for column in table.columns)
    assert money.loose_columns(metadata, currency_elsewhere=CURRENCY_ELSEWHERE.get(service, ())) == []


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("paid_minor", Integer(), "paid_minor is not BIGINT"),
        ("paid_minor", BigInteger(), "neither a currency nor a reference"),
        ("currency", Text(), "currency is not CHAR(3)"),
        ("currency", CHAR(4), "currency is not CHAR(3)"),
        ("rate", Float(), "rate is not exact"),
        ("paid_at", DateTime(), "paid_at is not timestamptz"),
        ("paid_at", Text(), "paid_at is not timestamptz"),
        ("paid_on", DateTime(timezone=True), "paid_on is not a date"),
    ],
)
def test_a_loose_column_is_found(name: str, kind: TypeEngine[Any], found: str) -> None:
    metadata = MetaData()
    Table("sale", metadata, Column("id", BigInteger, primary_key=True), Column(name, kind))
    assert found in "\n".join(money.loose_columns(metadata))


def test_an_amount_has_the_currency_of_the_row_it_refers_to() -> None:
    metadata = MetaData()
    Table("sale", metadata, Column("id", BigInteger, primary_key=True), Column("currency", CHAR(3)), Column("sold_on", Date))
    Table("line", metadata, Column("sale_id", ForeignKey("sale.id")), Column("amount_minor", BigInteger))
    assert money.loose_columns(metadata) == []
