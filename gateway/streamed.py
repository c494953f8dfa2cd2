"""Answers of any length, sent as fast as the client reads them and no faster."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PIECE_BYTES = 256 * 1024
"""What is there whole is sent in pieces of so many bytes."""


class _GoneError(Exception):
    """The client has left."""


class Streamed(Response):
    """Sends what a generator yields; closes it whatever happens, also when the client leaves.

    A client that reads nothing for `patience_seconds` is hung up.
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes],
        patience_seconds: float,
        *,
        status_code: int = 200,
        media_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._chunks = chunks
        self._patience_seconds = patience_seconds
        self.status_code = status_code
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        async with aclosing(self._chunks):
            try:
                async with asyncio.TaskGroup() as tasks:
                    leaving = tasks.create_task(_until_gone(receive))
                    await self._send(send)
                    leaving.cancel()
            except* _GoneError:
                pass
            except* TimeoutError:
                # To close politely would wait for the client to read what it does not.
                scope["state"]["abort"]()

    async def _send(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        async for chunk in self._chunks:
            async with asyncio.timeout(self._patience_seconds):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            # A client that reads as fast as we send would never let the others run.
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def streamed(data: bytes, patience_seconds: float, media_type: str) -> Streamed:
    """Answer with bytes that are there whole, with their length."""
    # As a header it gets no charset: a diff's files may be in any.
    headers = {"content-length": str(len(data)), "content-type": media_type}
    return Streamed(_pieces(data), patience_seconds, media_type=media_type, headers=headers)


async def _pieces(data: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(data), PIECE_BYTES):
        yield data[start : start + PIECE_BYTES]


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    raise _GoneError
