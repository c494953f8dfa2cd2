"""Frames as RFC 6455 has them, sent byte by byte."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from runtime.settings import gateway_token
from tests.gateway.conftest import Gateway
from tests.gateway.test_handshake import UNKNOWN
from tests.patience import PATIENCE_SECONDS
from workflows.contract.socket import PROTOCOL

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FIN = 0x80


def frame(
    opcode: int, data: bytes, *, fin: bool = True, masked: bool = True, reserved: int = 0
) -> bytes:
    first = (FIN if fin else 0) | reserved | opcode
    mask = 0x80 if masked else 0
    head = bytes([first, mask | len(data)]) if len(data) < 126 else b""
    if not head:
        head = bytes([first, mask | 126]) + struct.pack("!H", len(data))
    return head + (b"\0\0\0\0" if masked else b"") + data


class Raw:
    """A client that speaks frames itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def next(self) -> tuple[int, bytes]:
        """Read the next frame: opcode and data."""
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", await self.reader.readexactly(2))
        return first & 0x0F, await self.reader.readexactly(length)

    async def close_code(self) -> int:
        """Read on to the close frame."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                opcode, data = await self.next()
                if opcode == CLOSE:
                    return int.from_bytes(data[:2], "big")


@asynccontextmanager
async def opened(gateway: Gateway) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    lines = (
        f"GET {UNKNOWN}/ws HTTP/1.1",
        f"Host: 127.0.0.1:{gateway.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {PROTOCOL}",
        f"Authorization: Bearer {gateway_token(gateway.settings)}",
    )
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in head
        yield Raw(reader, writer)
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(TEXT, b"{}", masked=False), 1002),
        (frame(3, b""), 1002),
        (frame(11, b""), 1002),
        (frame(TEXT, b"{}", reserved=0x40), 1002),
        (frame(0, b"{}"), 1002),
        (frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"), 1002),
        (frame(PING, b"x" * 126), 1002),
        (frame(PING, b"", fin=False), 1002),
        (frame(CLOSE, b"\x03"), 1002),
        (frame(CLOSE, struct.pack("!H", 1005)), 1002),
        (frame(TEXT, b"\xc3", fin=False) + frame(0, b"\x28"), 1007),
        (frame(BINARY, b"{}"), 1003),
        (frame(CLOSE, struct.pack("!H", 1000)), 1000),
        (frame(TEXT, b'{"type": "sub', fin=False) + frame(0, b'scribe"}'), 4404),
    ],
)
async def test_a_frame_has_its_answer(edge: Gateway, sent: bytes, code: int) -> None:
    """What breaks the protocol closes with the code that the RFC names; fragments are joined."""
    async with opened(edge) as raw:
        raw.writer.write(sent)
        assert await raw.close_code() == code


async def test_a_ping_is_answered_with_its_data(edge: Gateway) -> None:
    """Before anything else was said."""
    async with opened(edge) as raw:
        raw.writer.write(frame(PING, b"still there?"))
        assert await raw.next() == (PONG, b"still there?")


async def test_bytes_may_come_one_by_one(edge: Gateway) -> None:
    """A message is whole when its last byte is."""
    async with opened(edge) as raw:
        for byte in frame(TEXT, b'{"type": "subscribe"}'):
            raw.writer.write(bytes([byte]))
            await raw.writer.drain()
        assert await raw.close_code() == 4404
