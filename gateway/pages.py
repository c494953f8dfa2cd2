"""The page's files as a browser gets them: openly, since what they show needs a sign-in.

They are read once, so whatever a path spells, it can only name one of them.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

FOLDER = Path(__file__).parent / "page"

INDEX = "index.html"

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""What a text that became a script after all could do: nothing."""

_HEADERS = {
    # Asked for again each time, so that a page never runs with another version's modules.
    "cache-control": "no-cache",
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-frame-options": "DENY",
}

_SESSION = re.compile(r"[a-z0-9-]{1,40}")


class _File(NamedTuple):
    content: bytes
    media_type: str
    etag: str


def create_pages(folder: Path) -> APIRouter:
    """Return the routes of the page: `/`, `/s/<session>` and `/page/<file>`.

    Raises:
        OSError: the folder or its `index.html` cannot be read.
    """
    files = {path.name: _read(path) for path in folder.iterdir() if path.suffix in _MEDIA_TYPES}
    if INDEX not in files:
        raise FileNotFoundError(folder / INDEX)
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    async def get_index(request: Request) -> Response:
        return _answer(files[INDEX], request)

    @router.api_route("/s/{session}", methods=["GET", "HEAD"])
    async def get_session_page(request: Request, session: str) -> Response:
        if not _SESSION.fullmatch(session):
            raise HTTPException(404)
        return _answer(files[INDEX], request)

    @router.api_route("/page/{name}", methods=["GET", "HEAD"])
    async def get_file(request: Request, name: str) -> Response:
        if name not in files:
            raise HTTPException(404)
        return _answer(files[name], request)

    return router


def _read(path: Path) -> _File:
    content = path.read_bytes()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return _File(content, _MEDIA_TYPES[path.suffix], etag)


def _answer(file: _File, request: Request) -> Response:
    headers = {**_HEADERS, "etag": file.etag}
    if _has(file.etag, request.headers.getlist("if-none-match")):
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)


def _has(etag: str, given: Iterable[str]) -> bool:
    """Tell whether a browser has this version (RFC 9110, 13.1.2; compared weakly)."""
    known = {each.strip().removeprefix("W/") for line in given for each in line.split(",")}
    return etag in known or "*" in known
