"""Browsers that are signed in: each holds a cookie, which the gateway's token signs.

So any gateway of the installation takes a cookie, after restarts too, and another token ends all.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable

LIFETIME_SECONDS = 30 * 24 * 3_600
_TIME_BYTES = 8
_CONTENT_BYTES = _TIME_BYTES + 16


class Browsers:
    """Signs browsers in and out, and knows them again."""

    def __init__(self, token: str) -> None:
        self._key = hashlib.sha256(b"overnight browser\0" + token.encode()).digest()
        self._left: dict[bytes, int] = {}
        # Cookies know no ports: two stacks on one host must not overwrite each other's.
        name = hashlib.sha256(b"overnight browser name\0" + token.encode()).hexdigest()
        self.cookie_name = f"overnight-{name[:8]}"

    def sign_in(self) -> str:
        """Return a new cookie's value: 75 letters, digits, `-` and `_`, good for 30 days."""
        expires = int(time.time()) + LIFETIME_SECONDS
        content = expires.to_bytes(_TIME_BYTES, "big")
        content += secrets.token_bytes(_CONTENT_BYTES - _TIME_BYTES)
        return base64.urlsafe_b64encode(content + self._sign(content)).decode().rstrip("=")

    def knows(self, cookies: Iterable[str]) -> bool:
        """Tell whether `Cookie` headers hold one of ours, not expired and not signed out here."""
        return any(map(self._is_signed_in, self.values(cookies)))

    def sign_out(self, values: Iterable[str]) -> None:
        """Take these cookies no more.

        Another gateway, or this one after a restart, would take a copy of them until they expire.
        """
        now = time.time()
        self._left = {content: until for content, until in self._left.items() if until > now}
        for value in values:
            content = self._content(value)
            if content is not None:
                self._left[content] = _expiry(content)

    def values(self, cookies: Iterable[str]) -> list[str]:
        """Return the values of our cookie in `Cookie` headers.

        There may be several: any program on this host can set one of the same name.
        """
        pairs = (pair.strip().partition("=") for line in cookies for pair in line.split(";"))
        return [value.strip('"') for name, _, value in pairs if name == self.cookie_name]

    def _is_signed_in(self, value: str) -> bool:
        content = self._content(value)
        return content is not None and content not in self._left

    def _content(self, value: str) -> bytes | None:
        """Return what a value says, if we signed it and it has not expired."""
        try:
            raw = base64.urlsafe_b64decode((value + "=" * (-len(value) % 4)).encode("ascii"))
        except ValueError:
            return None
        content, signature = raw[:_CONTENT_BYTES], raw[_CONTENT_BYTES:]
        if not hmac.compare_digest(signature, self._sign(content)):
            return None
        return content if _expiry(content) > time.time() else None

    def _sign(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")


def _expiry(content: bytes) -> int:
    return int.from_bytes(content[:_TIME_BYTES], "big")
