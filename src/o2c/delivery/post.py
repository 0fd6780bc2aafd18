"""The post office: approved letters to a carrier, each at most once, however often and wherever it is called."""

from collections.abc import Collection

from sqlalchemy import Engine

from o2c.delivery.carrier import Carrier
from o2c.delivery.edge import Edge, MayLeave
from o2c.delivery.limits import AccountLimits
from o2c.delivery.rounds import BulkCarrier, DeliveryReport, Round
from o2c.ledger.outgoing import batches_of, expire_leases
from o2c.policy.controls import Delivery

__all__ = ["BulkCarrier", "DeliveryReport", "Edge", "MayLeave", "deliver"]


def deliver(
    engine: Engine,
    carrier: Carrier,
    policy: Delivery,
    edge: Edge,
    *,
    owner: str,
    account: AccountLimits | None = None,
    channels: Collection[str] | None = None,
    batch_ids: Collection[str] | None = None,
) -> DeliveryReport:
    """Give the carrier what is approved and may leave now; the rest waits for the next call, or goes stale.

    Letters whose worker was lost are settled first. Several workers may call at once on one ledger.

    Args:
        owner: names this worker; another for each.
        account: what the carrier's account allows; None for one without limits.
        channels: letters of these channels alone; by default of all.
        batch_ids: letters of these batches alone; by default of all.
    """
    if reason := edge.stop():
        return DeliveryReport({}, {}, {}, stopped=reason)
    settled = expire_leases(engine, edge.clock(), carrier.has, carrier=carrier.name)
    round_ = Round(engine, carrier, policy, edge, owner, account, channels, batch_ids)
    if isinstance(carrier, BulkCarrier):
        round_.in_bulk(carrier)
        if left := batches_of(engine, settled) - round_.batches:
            carrier.finish(left)
    else:
        round_.by_post()
    return round_.report(settled)
