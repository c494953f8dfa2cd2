"""Tickets: stand in for the token once, where the token itself must not be seen.

Signed with the gateway's token, so that any gateway of the installation takes them; each gateway
takes a ticket once.
"""

import base64
import hashlib
import hmac
import secrets
import time
from enum import StrEnum

_RANDOM_BYTES = 16
_TIME_BYTES = 8


class Purpose(StrEnum):
    """What a ticket is good for."""

    SOCKET = "socket"
    """Open one websocket: a browser cannot send headers with it."""

    SIGN_IN = "sign_in"
    """Sign one browser in: its link is shown in a terminal and may have to be copied."""


LIFETIMES_SECONDS = {Purpose.SOCKET: 30, Purpose.SIGN_IN: 120}


class Tickets:
    """Issues tickets of one purpose and takes them back; those of another purpose are forged."""

    def __init__(self, token: str, purpose: Purpose) -> None:
        self._key = hashlib.sha256(f"overnight ticket {purpose}\0{token}".encode()).digest()
        self.lifetime_seconds = LIFETIMES_SECONDS[purpose]
        self._used: dict[str, float] = {}

    def issue(self) -> str:
        """Return a new ticket; 60 letters, digits, `-` and `_`."""
        expires = int(time.time()) + self.lifetime_seconds
        content = secrets.token_bytes(_RANDOM_BYTES) + expires.to_bytes(_TIME_BYTES, "big")
        return base64.urlsafe_b64encode(content + self._sign(content)).decode().rstrip("=")

    def redeem(self, ticket: str) -> bool:
        """Take a ticket; false when it is forged, expired or was used here before."""
        try:
            padded = ticket + "=" * (-len(ticket) % 4)
            raw = base64.urlsafe_b64decode(padded.encode("ascii"))
        except ValueError:
            return False
        content, signature = raw[: _RANDOM_BYTES + _TIME_BYTES], raw[_RANDOM_BYTES + _TIME_BYTES :]
        if not hmac.compare_digest(signature, self._sign(content)):
            return False
        now = time.time()
        expires = int.from_bytes(content[_RANDOM_BYTES:], "big")
        self._used = {used: until for used, until in self._used.items() if until > now}
        # By its content: base64 has several spellings of the same bytes.
        name = content.hex()
        if expires < now or name in self._used:
            return False
        self._used[name] = expires + 1
        return True

    def _sign(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")[:21]
