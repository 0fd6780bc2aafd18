"""Clients of AWS as this package uses them, and which addresses they may talk to."""

from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from o2c.delivery.limits import MOST_AT_ONCE

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_CONNECT_SECONDS = 5
# What a stand-in on this machine is shown in place of credentials: the real AWS would not let it in.
_NOBODY = {"aws_access_key_id": "loopback", "aws_secret_access_key": "loopback"}


class CarrierError(ValueError):
    """The carrier cannot be used as configured, or does not say what it was asked. Nothing was sent."""


def one_attempt(request_timeout: timedelta) -> Config:
    """How every client that sends asks: once, not through a proxy of the environment, not for ever."""
    return Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=min(_CONNECT_SECONDS, request_timeout.total_seconds()),
        read_timeout=request_timeout.total_seconds(),
        proxies={},
        ignore_configured_endpoint_urls=True,
        tcp_keepalive=True,
        max_pool_connections=MOST_AT_ONCE,
        user_agent_extra="o2c",
    )


def refuse_retries(client: Any) -> None:
    """A client that tries again by itself sends letters twice: it is not used.

    Raises:
        CarrierError: it would.
    """
    config = client.meta.config
    if config.retries != {"total_max_attempts": 1, "mode": "standard"} or config.proxies:
        raise CarrierError("the client retries by itself or goes through a proxy. Nothing was sent.")


def aws_client(
    service: str,
    region: str,
    request_timeout: timedelta,
    session: boto3.Session | None = None,
    *,
    loopback: str | None = None,
    **more: Any,
) -> Any:
    """A client that makes one attempt.

    Args:
        loopback: a stand-in on this machine, as ``loopback_url`` spells it; it never sees credentials.
        more: for tests, what else ``Session.client`` takes.
    """
    if loopback is not None:
        more = _NOBODY | {"endpoint_url": loopback} | more
    session = session or boto3.Session()
    return session.client(service, region_name=region, config=one_attempt(request_timeout), **more)


def loopback_url(url: str) -> str:
    """The address of a stand-in, spelled anew from its parts so that no parser reads it otherwise.

    Raises:
        CarrierError: it is not plainly on this machine. Names are not resolved: they may change their mind.
    """
    try:
        parts = urlsplit(url)
        address = ip_address("127.0.0.1" if parts.hostname == "localhost" else parts.hostname or "")
        port = parts.port
    except ValueError:
        raise _refused() from None
    plain = parts.path in ("", "/") and not (parts.query or parts.fragment or set("@%") & set(parts.netloc))
    if parts.scheme not in ("http", "https") or not plain or not any(address in net for net in _LOOPBACK):
        raise _refused()
    host = f"[{address}]" if address.version == 6 else str(address)
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def _refused() -> CarrierError:
    return CarrierError(
        "O2C_SES_ENDPOINT_URL: not an address of this machine, like http://127.0.0.1:8080. Nothing was sent."
    )
