"""HTTP of policies of documents: terms, splits, late charges, limits and tolerances."""

from policies.routes import policy_router

from invoice.domain.policy_kinds import KINDS
from invoice.handlers.policies import publish_policy

router = policy_router(KINDS, publish_policy)
