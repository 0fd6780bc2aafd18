"""What the business decides, as data: models of ``policies/*.yml``, one loader, one error."""

from o2c.policy.base import CurrencyAmounts, PolicyError
from o2c.policy.controls import ControlsPolicy
from o2c.policy.dunning import DunningPolicy
from o2c.policy.load import Policies, load_policies
from o2c.policy.matching import REFERENCE_RULES, MatchingPolicy, ReasonCodesPolicy
from o2c.policy.measures import KPIS, ExpectedLossPolicy, KpisPolicy
from o2c.policy.receivables import AgingPolicy, SegmentsPolicy, TermsPolicy
from o2c.policy.recovery import AgencyPolicy, CreditPolicy, WorklistPolicy
from o2c.policy.reporting import ReportingPolicy
from o2c.policy.tables import policy_tables

__all__ = [
    "KPIS",
    "REFERENCE_RULES",
    "AgencyPolicy",
    "AgingPolicy",
    "ControlsPolicy",
    "CreditPolicy",
    "CurrencyAmounts",
    "DunningPolicy",
    "ExpectedLossPolicy",
    "KpisPolicy",
    "MatchingPolicy",
    "Policies",
    "PolicyError",
    "ReasonCodesPolicy",
    "ReportingPolicy",
    "SegmentsPolicy",
    "TermsPolicy",
    "WorklistPolicy",
    "load_policies",
    "policy_tables",
]
