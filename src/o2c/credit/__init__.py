"""Credit review: flags with reasons, holds and releases of orders. Proposals only, nothing is approved here."""

from o2c.credit.review import review_credit

__all__ = ["review_credit"]
