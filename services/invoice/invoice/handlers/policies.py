"""Policies of documents are published as a fact of this service."""

from events.invoice import InvoicePolicyPublished
from policies.handlers import Approved


def publish_policy(policy: Approved) -> InvoicePolicyPublished:
    """Tell of a policy that was approved."""
    return InvoicePolicyPublished(
        entity=policy.entity,
        kind=policy.kind,
        version=policy.version,
        valid_from=policy.valid_from,
        body=policy.body,
        proposed_by=policy.proposed_by,
        approved_by=policy.approved_by,
    )
