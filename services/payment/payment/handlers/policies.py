"""Policies of payments are published as a fact of this service."""

from events.payment import PaymentPolicyPublished
from policies.handlers import Approved


def publish_policy(policy: Approved) -> PaymentPolicyPublished:
    """Tell of a policy that was approved."""
    return PaymentPolicyPublished(
        entity=policy.entity,
        kind=policy.kind,
        version=policy.version,
        valid_from=policy.valid_from,
        body=policy.body,
        proposed_by=policy.proposed_by,
        approved_by=policy.approved_by,
    )
