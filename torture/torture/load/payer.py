"""Whose money a receipt is, recomputed from what was told and what was said, by the published rules of the payment service."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_WORD_WITH_DIGIT: Final = re.compile(r"[^\s,;/|:+&()]*\d[^\s,;/|:+&()]*")


@dataclass(slots=True)
class Debtors:
    """Who is known: documents and bank accounts with their account, by entity; `maybe` are documents or customers nobody is sure of."""

    of_document: dict[tuple[str, str], str] = field(default_factory=dict)
    of_bank_account: dict[tuple[str, str], str] = field(default_factory=dict)
    maybe: set[tuple[str, str]] = field(default_factory=set)

    def payers(self, entry: Mapping[str, Any]) -> tuple[tuple[str | None, ...], bool]:
        """
        Return the customers of whom one has paid a receipt, None for nobody, and whether that is certain.

        The first document named decides, then the debtor's bank account, then the customer number that came with the money. What was told
        of a bank account counts from the next business day, so one has to be started behind the last fact. Where documents of several
        customers are named, it depends on which was known first; else the plan gives no number but that customer's.
        """
        entity = entry["entity"]
        named = [line["document_no"].casefold() for line in entry.get("lines", ())]
        named += numbers_in(entry.get("remittance") or "")
        owners = [account for number in named if (account := self.of_document.get((entity, number))) is not None]
        if owners:
            return tuple(dict.fromkeys(owners)), True
        unsure = any((entity, number) in self.maybe for number in named)
        bank_account = normalised((entry.get("debtor") or {}).get("iban") or "")
        unsure |= (entity, bank_account) in self.maybe
        return (self.of_bank_account.get((entity, bank_account)) or entry.get("customer"),), not unsure


def numbers_in(remittance: str) -> Iterator[str]:
    """Yield what may be a document number in a payer's text, letter case aside, in the order it stands there."""
    for word in _WORD_WITH_DIGIT.findall(remittance):
        yield word.strip(".!?-_'\"").casefold()


def normalised(bank_account: str) -> str:
    """Return a bank account as it is compared: without spaces, in capitals."""
    return "".join(bank_account.split()).upper()
