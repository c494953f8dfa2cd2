"""One bucket of S3, Google Cloud Storage or Azure Blob Storage, asked through obstore.

The blocking calls of obstore are used, in threads: its asynchronous ones can abort the process at
the interpreter's exit (obstore 0.12.1). Nothing prints a client either: Azure's `repr` can panic.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import obstore
import obstore.store
from obstore.exceptions import AlreadyExistsError, BaseError

from runtime.store.base import StoreUnavailableError

BULK_BYTES = 4 * 1024 * 1024
"""More bytes than this are written with patience; so many need 140 KB/s to be written in time."""

Client = obstore.store.S3Store | obstore.store.GCSStore | obstore.store.AzureStore

_KINDS: dict[str, type[Client]] = {
    "s3": obstore.store.S3Store,
    "gs": obstore.store.GCSStore,
    "az": obstore.store.AzureStore,
}

_NO_ANSWER = timedelta(seconds=30)
_BULK = timedelta(minutes=15)
_RETRIES = timedelta(seconds=20)


class Bucket:
    """Objects under one prefix, each written once.

    A call that gets no answer fails within about 35 s, one that is refused within 3 s; writing
    more than `BULK_BYTES` may take 15 minutes. Every method raises StoreUnavailableError when the
    bucket cannot be used.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        with self._asking():
            self._client = _client(url, read_timeout=_NO_ANSWER)
            # The time without an answer counts from the first byte sent, so it bounds a body too.
            self._bulk = _client(url, read_timeout=_BULK)
        self._stands = False

    def create(self, key: str, data: bytes | memoryview) -> bool:
        """Write an object; False when one has this key already.

        After a lost answer that may be the one that this very call wrote.
        """
        client = self._bulk if len(data) > BULK_BYTES else self._client
        with self._asking():
            try:
                obstore.put(client, key, data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
        self._stands = True
        return True

    def read(self, key: str) -> bytes | None:
        """Return an object's bytes, if there is one."""
        with self._asking():
            try:
                return bytes(obstore.get(self._client, key).bytes())
            except FileNotFoundError:
                self._require_bucket()
                return None

    def exists(self, key: str) -> bool:
        """Tell whether an object has this key."""
        with self._asking():
            try:
                obstore.head(self._client, key)
            except FileNotFoundError:
                self._require_bucket()
                return False
        return True

    def sizes(self, folder: str, *, after: str | None = None) -> dict[str, int]:
        """Return the sizes of the objects at any depth of a folder, those behind a key if given."""
        with self._asking():
            chunks = obstore.list(self._client, folder, offset=after)
            return {each["path"]: each["size"] for chunk in chunks for each in chunk}

    def names(self, folder: str) -> Iterable[str]:
        """Return the keys of the objects and folders directly in a folder."""
        with self._asking():
            found = obstore.list_with_delimiter(self._client, folder)
        return [*found["common_prefixes"], *(each["path"] for each in found["objects"])]

    def _require_bucket(self) -> None:
        # A missing bucket answers as a missing object does, but cannot be listed.
        if not self._stands:
            next(iter(obstore.list(self._client, chunk_size=1)), None)
            self._stands = True

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            message = f"the store {self.url} cannot be used: {_short(str(error))}"
            # Without its cause: that shows the request's query, which may hold a signature.
            raise StoreUnavailableError(message) from None


def _client(url: str, *, read_timeout: timedelta) -> Client:
    parts = urlsplit(url)
    return _KINDS[parts.scheme](
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        client_options={
            "connect_timeout": "3s",
            "read_timeout": read_timeout,
            "timeout": _BULK,
            # Which only counts for an endpoint that the environment names with http.
            "allow_http": True,
        },
        retry_config={"max_retries": 4, "retry_timeout": _RETRIES},
    )


def _short(text: str) -> str:
    """Say what went wrong, without the answer's XML and the request's query."""
    line = re.sub(r"\?\S+", "", text.partition("\n")[0].partition(": <")[0])[:300]
    code = re.search(r"<Code>(\w+)</Code>", text)
    return f"{line} ({code[1]})" if code else line
