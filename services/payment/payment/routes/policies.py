"""HTTP of policies of payments: cash application, tolerances, limits of refunds, revaluation."""

from policies.routes import policy_router

from payment.domain.policies import KINDS
from payment.handlers.policies import publish_policy

router = policy_router(KINDS, publish_policy)
