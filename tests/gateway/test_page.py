"""The page's files, as a browser that is not signed in gets them from a real gateway."""

from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from gateway.pages import FOLDER, create_pages
from tests.gateway.conftest import SESSIONS, Gateway
from tests.gateway.test_server import spoken

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)

NOBODY = {"authorization": ""}


async def get(edge: Gateway, path: str, **headers: str) -> httpx2.Response:
    return await edge.http.get(path, headers=NOBODY | headers)


async def test_every_file_is_served_as_it_is(edge: Gateway) -> None:
    """Without a token, with its own media type, and no other than the four kinds there are."""
    for path in FOLDER.iterdir():
        answer = await get(edge, f"/page/{path.name}")
        assert answer.status_code == 200, path.name
        assert answer.content == path.read_bytes()
        assert answer.headers["content-type"] == MEDIA_TYPES[path.suffix]


@pytest.mark.parametrize("path", ["/", f"/s/s-{'0' * 20}", "/s/s-12"])
async def test_the_page_is_the_same_for_the_list_and_for_each_session(
    edge: Gateway, path: str
) -> None:
    """Which of them it shows, and whether there is such a session, it finds out itself."""
    answer = await get(edge, path)
    assert answer.status_code == 200
    assert answer.content == (FOLDER / "index.html").read_bytes()


async def test_what_the_page_may_do_is_bounded(edge: Gateway) -> None:
    """Each of its files comes with the policy, and no other page can frame or use it."""
    for path in ("/", "/s/s-12", "/page/index.html"):
        headers = (await get(edge, path)).headers
        assert headers.get_list("content-security-policy") == [POLICY]
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["permissions-policy"] == "camera=(), geolocation=(), microphone=()"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


async def test_an_answer_of_the_interface_can_do_nothing_in_a_browser(edge: Gateway) -> None:
    """Should one be opened as a document, nothing in it runs, and no other origin may load it."""
    for path in (SESSIONS, "/healthz", "/nowhere"):
        headers = (await edge.http.get(path)).headers
        policy = "default-src 'none'; frame-ancestors 'none'"
        assert headers.get_list("content-security-policy") == [policy]
        assert headers["cross-origin-resource-policy"] == "same-origin"


async def test_a_file_that_a_browser_has_is_not_sent_again(edge: Gateway) -> None:
    """It asks each time, so that it never runs another version's modules."""
    first = await get(edge, "/page/index.html")
    assert first.headers["cache-control"] == "no-cache"
    etag = first.headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await get(edge, "/page/index.html", **{"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
        assert again.headers["cache-control"] == "no-cache"
    other = await get(edge, "/page/index.html", **{"if-none-match": '"other"'})
    assert other.content == first.content


@pytest.mark.parametrize("path", ["/", "/s/s-12", "/page/index.html"])
async def test_its_heads_can_be_asked_for(edge: Gateway, path: str) -> None:
    """HEAD answers as GET does, without the content."""
    whole = await get(edge, path)
    head = await edge.http.head(path, headers=NOBODY)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["etag"] == whole.headers["etag"]


async def test_another_host_name_gets_no_page(edge: Gateway) -> None:
    """DNS rebinding does not reach it, although it is open."""
    for path in ("/", "/s/s-12", "/page/index.html"):
        answer = await get(edge, path, host="evil.example")
        assert (answer.status_code, answer.json()["code"]) == (421, "host_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/page/",
        "/page/nothing.js",
        "/page/../pages.py",
        "/page/..%2fpages.py",
        "/page/%2e%2e/pages.py",
        "/page/%2e%2e%2fpages.py",
        "/page/..%5cpages.py",
        "/page//index.html",
        "/page/./index.html",
        "/page/%2fetc%2fpasswd",
        "/page/index.html%00",
        "/page/index.html%00.js",
        "/page/%ff%fe",
        "/page/INDEX.HTML",
        "/page/index.html/",
        "/s/",
        "/s/s-12/",
        "/s/../token",
        "/s/%3Cscript%3E",
        "/s/" + "a" * 41,
    ],
)
async def test_a_hostile_path_leads_nowhere(edge: Gateway, path: str) -> None:
    """However it is spelled, it names one of the page's files or nothing."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{edge.port}", "Connection: close"]
    status, problem = await spoken(edge, sent="\r\n".join([*lines, "", ""]).encode())
    assert (status, problem["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["//", "//page/index.html", "/S/s-12", "/favicon.ico"])
async def test_beside_the_page_nothing_is_open(edge: Gateway, path: str) -> None:
    """A path that only looks like the page's needs a token as all others do."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{edge.port}", "Connection: close"]
    status, problem = await spoken(edge, sent="\r\n".join([*lines, "", ""]).encode())
    assert (status, problem["code"]) == (401, "unauthenticated")


async def test_the_page_takes_nothing(edge: Gateway) -> None:
    """It can only be read."""
    for path in ("/", "/s/s-12", "/page/index.html"):
        answer = await edge.http.post(path, json={}, headers=NOBODY)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


async def test_other_kinds_of_files_are_not_served(tmp_path: Path) -> None:
    """What an editor leaves in the folder stays there."""
    for name in ("index.html", "app.js~", "notes.txt", ".env"):
        (tmp_path / name).write_text(name)
    app = FastAPI()
    app.include_router(create_pages(tmp_path))
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1"
    ) as http:
        assert (await http.get("/page/index.html")).text == "index.html"
        for name in ("app.js~", "notes.txt", ".env"):
            assert (await http.get(f"/page/{name}")).status_code == 404


def test_an_installation_without_the_page_is_named(tmp_path: Path) -> None:
    """At the start, not when the first person comes."""
    with pytest.raises(FileNotFoundError, match=r"index\.html"):
        create_pages(tmp_path)
