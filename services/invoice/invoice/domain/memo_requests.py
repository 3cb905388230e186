"""
Credit memos above their maker's limit: asked for (`pending`) → approved, which issues the memo, or rejected, expired, withdrawn (INV-06).

Pure: values in, values out.
"""

from typing import Final, Literal, TypeAlias

import msgspec
from policies.approvals import Principal

from invoice.domain.approvals import Request, Rules, is_limited, judge_alone
from invoice.domain.documents import Document, Draft
from invoice.domain.faults import as_code

Status: TypeAlias = Literal["pending", "approved", "rejected", "expired", "withdrawn"]

PERSON: Final = "clerk"
"""The role people issue memos in; a `service` has had its approval in its own house."""


def request_id(entity: str, document_no: str, number: int) -> str:
    """The id of the `number`th request for a document number, from 1."""
    return f"{entity}|cmr|{document_no}|{number}"


def needs_approval(memo: Document, rules: Rules, maker: Principal) -> bool:
    """Say whether somebody else has to approve a memo: where limits speak of memos and none of its maker's covers the amount."""
    if PERSON not in maker.roles or not is_limited(rules, "credit_memo"):
        return False
    return judge_alone(to_approve(memo, maker.sub), rules, maker).verdict != "approved"


def to_approve(memo: Document, maker: str) -> Request:
    """Return what is judged of a memo: its total, whatever of its invoice is open."""
    return Request("credit_memo", memo.currency, memo.total_minor, maker, open_minor=memo.total_minor)


def kept(draft: Draft) -> Draft:
    """Return the draft as it may be stored: a reason that is no code is left with its sender, for it may name people."""
    return msgspec.structs.replace(draft, reason=as_code(draft.reason))
