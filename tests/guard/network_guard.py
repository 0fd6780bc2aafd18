"""No test reaches anything but this machine: whoever tries is refused, and the test run fails at its end.

It listens to the interpreter's own audit events, so that no library gets past it; processes that tests start get it
by ``sitecustomize``. What they tried is written to the file that ``O2C_GUARD_LOG`` names.
"""

import ipaddress
import os
import socket
import sys
import traceback
from typing import Any

LOG = "O2C_GUARD_LOG"
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
# Binding to every address of the machine, or to an address that nothing is sent to, is no connection.
_NOWHERE = ("", "0.0.0.0", "::")  # noqa: S104
_LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
# The Prefect server looks for newer types of work pools when it starts, and does without. Refused, and no news.
_KNOWN_TO_TRY = ("raw.githubusercontent.com",)


class NetworkRefused(OSError):
    """A test tried to reach another machine."""


def is_loopback(host: str | bytes | None) -> bool:
    """Whether a host is this machine, by its address or by a name that only this machine has."""
    text = (host.decode(errors="replace") if isinstance(host, bytes) else host or "").partition("%")[0]
    if text in _NOWHERE or text in ("localhost", "localhost.localdomain", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in net for net in _LOOPBACK)


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        if isinstance(address, tuple) and not is_loopback(address[0]):
            _stop(event, address[0], NetworkRefused)
    elif event in _LOOKUPS and not is_loopback(arguments[0]):
        _stop(event, arguments[0], socket.gaierror)


def _stop(event: str, host: object, kind: type[OSError]) -> None:
    path = os.environ.get(LOG)
    name = host.decode(errors="replace") if isinstance(host, bytes) else host
    if path and name not in _KNOWN_TO_TRY:
        where = "".join(traceback.format_stack(limit=12)[:-2])
        with open(path, "a") as log:  # noqa: PTH123 - pathlib may not be there yet
            log.write(f"{event} {host!r} in process {os.getpid()} {sys.argv[:2]}\n{where}\n")
    raise kind(f"tests reach this machine alone, not {host!r}")


def install() -> None:
    """From now on; there is no way back."""
    sys.addaudithook(refuse)
