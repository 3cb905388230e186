"""
The checker: proves the invariants from outside, over the `chk` views, Kafka and HTTP, with code that shares nothing with the services.

`sample` asks, at any moment, what has to hold at any moment; `audit` asks everything, at rest. Every invariant is a pure function of the
`Evidence` (`invariants/`); its id is that of the list of invariants: M money, D effects of commands, E log and delivery, R read model,
W business day, A approval, S belonging, O endurance. Not there yet, because what they look at is not: the audit chain (A1), row-level
security (half of S1). R1, a rebuild that equals the live read model, is asked by the rebuild itself. `selftest` bends sound evidence in
every way that matters and wants an alarm each time.
"""

from torture.check.auditing import audit
from torture.check.expected import (
    Command,
    Expected,
    ExpectedAdjustment,
    ExpectedDocument,
    ExpectedPoison,
    ExpectedReceipt,
    ExpectedRefund,
    ExpectedTransfer,
    Outcome,
)
from torture.check.finding import Finding, Harm
from torture.check.report import Report
from torture.check.sampling import sample, sampler_of

__all__ = [
    "Command",
    "Expected",
    "ExpectedAdjustment",
    "ExpectedDocument",
    "ExpectedPoison",
    "ExpectedReceipt",
    "ExpectedRefund",
    "ExpectedTransfer",
    "Finding",
    "Harm",
    "Outcome",
    "Report",
    "audit",
    "sample",
    "sampler_of",
]
