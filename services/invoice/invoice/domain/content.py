"""What a document says, as a fingerprint: by it a repetition is told from another document of the same number (INV-01)."""

import hashlib
from collections.abc import Sequence
from dataclasses import astuple
from decimal import Decimal
from typing import Any, Final

import msgspec

from invoice.domain.components import LineMinor
from invoice.domain.drafts import Draft

_encode: Final = msgspec.json.Encoder().encode  # A third of the cost of the standard library's, on the way of every document.


def content_hash(
    draft: Draft,
    total_minor: int,
    tax_minor: int | None,
    lines: Sequence[LineMinor | None],
    instalments_minor: Sequence[int | None],
    reason: str | None,
) -> bytes:
    """
    Fingerprint what a sender said, however the numbers are written: "10.0" is "10.00".

    Only what was said: what policies, calendars and rates made of it is left out, because a repetition may come when those have changed.
    So `tax_minor` is the tax as stated. Stored with the document and compared for ever: another order or spelling of this list needs a
    migration.
    """
    content: list[Any] = [
        *(draft.kind, draft.type, draft.entity, draft.document_no, draft.customer, draft.currency, draft.issued_on.isoformat()),
        *((total_minor, tax_minor) if draft.net is None else ("net", _plain(draft.net))),
        *(lines, draft.terms, draft.ref_document_no, reason),
        [(due_on.isoformat(), minor) for (due_on, _), minor in zip(draft.instalments, instalments_minor, strict=True)],
        [(_plain(percent), days) for percent, days in draft.discounts],
    ]
    if draft.opening is not None:
        original = draft.opening.original_total
        content.append(("opening", draft.opening.as_of.isoformat(), None if original is None else _plain(original)))
    if draft.fx is not None:
        content.append(("fx", _plain(draft.fx.rate), draft.fx.rate_on.isoformat(), draft.fx.type))
    for tag in (draft.references, draft.project, draft.assignment):
        if tag is not None:
            content.append((type(tag).__name__, [None if part is None else str(part) for part in astuple(tag)]))
    if draft.dispute is not None:
        content.append(("dispute", draft.dispute))
    return hashlib.sha256(_encode(content)).digest()


def _plain(number: str) -> str:
    """Write a decimal string the shortest way."""
    return format(Decimal(number).normalize(), "f")
