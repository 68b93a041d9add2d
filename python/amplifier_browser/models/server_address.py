"""The address of a server: what is meant, which permission it needs, and whether text goes there unprotected."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from .custom import NotAdded

EXAMPLE = "http://localhost:11434"
# what people paste: the address of a page or of one interface of the server's
ENDINGS = re.compile(r"(/v1)?(/(chat/completions|completions|models|responses))?/*$")
OWN_NETWORK = (".localhost", ".local", ".lan", ".internal", ".home.arpa", ".fritz.box")


@dataclass(frozen=True)
class Address:
    """`url` ends in /v1; `host` with its port, for people; `permission` is a match pattern of that host alone."""

    url: str
    host: str
    permission: str
    warning: str


def read_address(text: str) -> Address:
    """Takes an address as people write it; without a scheme it is http on the user's own network and https elsewhere.
    Raises NotAdded."""
    given = text.strip()
    if "://" not in given:
        given = f"{'http' if _is_near(_host(f'//{given}')) else 'https'}://{given}"
    parts = urlsplit(given)
    host = _host(given)
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s/\\*]", host):
        raise NotAdded("This is not the address of a server", f"It should look like {EXAMPLE}.")
    if parts.username or parts.password:
        raise NotAdded("An address must not hold a name or password", "Enter the key, if the server wants one, in its own field.")
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise NotAdded("This port does not exist", "A port is a number from 1 to 65535.") from error
    shown = f"[{host}]" if ":" in host else host
    path = ENDINGS.sub("", parts.path)
    warning = "" if parts.scheme == "https" or _is_near(host) else unprotected(shown)
    return Address(f"{parts.scheme}://{shown}{port}{path}/v1", f"{shown}{port}", f"{parts.scheme}://{shown}/*", warning)


def unprotected(host: str) -> str:
    """What is said of a server on the internet without encryption."""
    return (
        f"What you ask and read goes to {host} unencrypted: anyone on the way can read and change it. Use https://, or a server "
        "on your own network."
    )


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_near(host: str) -> bool:
    """Whether it is this computer or on the user's own network."""
    if host == "localhost" or host.endswith(OWN_NETWORK):
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host
    return found.is_private or found.is_loopback or found.is_link_local
