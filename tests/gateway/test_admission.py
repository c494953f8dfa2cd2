"""Who and what gets past the gateway's edge, over a real socket."""

import pytest

from tests.gateway.conftest import SESSIONS, Gateway, prompt

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"authorization": ""}, 401, "unauthenticated"),
        ({"authorization": "Bearer wrong"}, 401, "unauthenticated"),
        ({"authorization": "Bearer"}, 401, "unauthenticated"),
        ({"authorization": "Basic dXNlcjpwYXNz"}, 401, "unauthenticated"),
        ({"authorization": "Bearer töken".encode("latin-1")}, 401, "unauthenticated"),
        ({"host": "evil.example"}, 421, "host_not_allowed"),
        ({"host": "127.0.0.1.evil.example"}, 421, "host_not_allowed"),
        ({"host": "evil.example:80"}, 421, "host_not_allowed"),
        ({"host": "localhost:80:80"}, 421, "host_not_allowed"),
        ({"host": "user@localhost"}, 421, "host_not_allowed"),
        ({"host": ""}, 421, "host_not_allowed"),
        ({"origin": "https://evil.example"}, 403, "origin_not_allowed"),
        ({"origin": "null"}, 403, "origin_not_allowed"),
        ({"origin": "http://localhost"}, 403, "origin_not_allowed"),
        ({"origin": "http://127.0.0.1:1"}, 403, "origin_not_allowed"),
    ],
)
async def test_a_stranger_is_refused(
    edge: Gateway, headers: dict[str, str], status: int, code: str
):
    """No token, a foreign host name or a foreign page: refused before anything else."""
    answer = await edge.http.get(SESSIONS, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["hint"]


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST", "127.0.0.1", "[::1]:{port}"])
async def test_an_allowed_host_is_served_with_its_own_origin(edge: Gateway, host: str):
    """Every allowed host name serves on any port, also to a page that it served itself."""
    host = host.format(port=edge.port)
    headers = {"host": host, "origin": f"http://{host}"}
    assert (await edge.http.get(SESSIONS, headers=headers)).status_code == 200


async def test_a_refused_token_says_where_the_right_one_is(edge: Gateway):
    """Whoever may read the data folder learns how to authenticate."""
    answer = await edge.http.get(SESSIONS, headers={"authorization": "Bearer wrong"})
    assert str(edge.settings.token_path) in answer.json()["hint"]
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/version"])
async def test_probes_need_no_token(edge: Gateway, path: str):
    """Health, readiness and version are open, but not to foreign host names."""
    open_to_all = await edge.http.get(path, headers={"authorization": ""})
    assert open_to_all.status_code == 200
    rebound = await edge.http.get(path, headers={"host": "evil.example"})
    assert rebound.status_code == 421


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""],
)
async def test_only_json_is_taken(edge: Gateway, media_type: str):
    """What a foreign form could send is refused, whatever its body."""
    answer = await edge.http.post(SESSIONS, content="{}", headers={"content-type": media_type})
    assert (answer.status_code, answer.json()["code"]) == (415, "media_type_not_supported")


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"extra": 1}, 422, "invalid_request", "body.extra"),
        ({"prompt": None}, 422, "invalid_request", "body.prompt"),
        ({"prompt": prompt(id="x" * 600)}, 422, "invalid_request", "body.prompt.id"),
        ({"prompt": prompt(id="A" * 36)}, 422, "invalid_request", "body.prompt.id"),
        ({"prompt": prompt(text="")}, 422, "invalid_request", "body.prompt.text"),
        ({"prompt": prompt() | {"mode": "later"}}, 422, "invalid_request", "body.prompt.mode"),
        ({"budget": {"steps": 0}}, 422, "invalid_request", "body.budget.steps"),
        ({"model": "gpt 5"}, 422, "invalid_request", "body.model"),
        ({"model": "openai/x\n"}, 422, "invalid_request", "body.model"),
        ({"model": ""}, 422, "invalid_request", "body.model"),
        ({"fallbacks": ["openai/x", "y z"]}, 422, "invalid_request", "body.fallbacks.1"),
        ({"fallbacks": ["x"] * 6}, 422, "invalid_request", "body.fallbacks"),
        ({"approvals": {"commands": [""]}}, 422, "invalid_request", "body.approvals.commands.0"),
        ({"prompt": prompt(text="x" * 1_000_001)}, 413, "prompt_too_large", "prompt.text"),
        ({"repository": {"url": "/etc", "base": "main"}}, 422, "repository_refused", "url"),
        ({"repository": {"url": "ext::sh", "base": "main"}}, 422, "repository_refused", "url"),
        ({"repository": {"url": "https://evil.example/a", "base": "main"}}, 422,
         "repository_refused", "url"),
        ({"repository": {"url": "https://github.com/a/b", "base": "a..b"}}, 422,
         "repository_refused", "base"),
        ({"repository": {"url": "https://github.com/a/b", "base": "--upload-pack=x"}}, 422,
         "repository_refused", "base"),
        ({"repository": {"url": "https://github.com/a/b", "base": "main\r\nX: y"}}, 422,
         "repository_refused", "base"),
    ],
)  # fmt: skip
async def test_wrong_fields_are_listed(
    edge: Gateway, change: dict[str, object], status: int, code: str, field: str
):
    """A request with wrong fields names each of them and starts nothing."""
    answer = await edge.http.post(SESSIONS, json=edge.asked() | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert any(field in error for error in answer.json()["errors"])
    assert not (edge.settings.store_path / "sessions").exists()


async def test_a_path_out_of_the_allowed_folders_is_refused(edge: Gateway):
    """Neither dots nor a symbolic link lead to a repository outside the allowed folders."""
    (edge.settings.home / "link").symlink_to("/etc")
    for path in (f"{edge.settings.home}/../..", f"{edge.settings.home}/link"):
        body = edge.asked() | {"repository": {"url": path, "base": "main"}}
        answer = await edge.http.post(SESSIONS, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "repository_refused")


@pytest.mark.parametrize("body", [b"{", b'{"a": NaN}', b"\xff\xfe{\0}\0", b'{"a": "\\ud800"}'])
async def test_malformed_bodies_are_refused(edge: Gateway, body: bytes):
    """What is not strict JSON is answered with 400, never with a failure of ours."""
    answer = await edge.http.post(SESSIONS, content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["code"] in ("malformed_json", "malformed_text")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", f"{SESSIONS}/", 404, "not_found"),
        ("DELETE", SESSIONS, 405, "method_not_allowed"),
        ("GET", f"{SESSIONS}/s-{'0' * 20}", 404, "session_unknown"),
        ("GET", f"{SESSIONS}/s-{'0' * 20}/pull-request", 404, "session_unknown"),
        ("GET", f"{SESSIONS}/..%2f..%2ftoken", 404, None),
        ("GET", f"{SESSIONS}/s-{'0' * 19}%0a", 404, "session_unknown"),
        ("GET", f"{SESSIONS}/s-{'0' * 20}%0d%0aSet-Cookie:%20a=b/pull-request", 404,
         "session_unknown"),
        ("GET", f"{SESSIONS}/{'x' * 600}/pull-request/diff", 404, "session_unknown"),
        ("GET", f"{SESSIONS}?limit=0", 422, "invalid_request"),
        ("GET", f"{SESSIONS}?limit=201", 422, "invalid_request"),
        ("GET", f"{SESSIONS}?phase=asleep", 422, "invalid_request"),
        ("GET", f"{SESSIONS}?cursor=bm9uZQ==", 422, "invalid_request"),
        ("GET", f"{SESSIONS}?cursor=WyIwMDAxLTAxLTAxVDAwOjAwOjAwWiIsICIiXQ==", 422,
         "invalid_request"),
    ],
)  # fmt: skip
async def test_unknown_places_are_problems(
    edge: Gateway, method: str, path: str, status: int, code: str | None
):
    """A place or method that is not there is answered like every other error."""
    answer = await edge.http.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert code in (None, answer.json()["code"])


async def test_every_answer_is_marked(edge: Gateway):
    """Success or failure: each answer has a request id, is not cached and leaks no address."""
    for path in ("/healthz", "/nowhere", SESSIONS):
        answer = await edge.http.get(path, headers={"x-request-id": "my-own.id_1"})
        assert answer.headers["x-request-id"] == "my-own.id_1"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


@pytest.mark.parametrize("given", ["x" * 65, "a b", "<script>", "é".encode("latin-1")])
async def test_a_strange_request_id_is_replaced(edge: Gateway, given: str):
    """Only short plain request ids come back."""
    answer = await edge.http.get("/healthz", headers={"x-request-id": given})
    assert len(answer.headers["x-request-id"]) == 16


async def test_the_interface_describes_itself(edge: Gateway):
    """Every operation has a name of its own, and its errors are documented as problems."""
    document = (await edge.http.get("/api/v1/openapi.json")).json()
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert len({each["operationId"] for each in operations}) == len(operations) == 28
    assert "HTTPValidationError" not in document["components"]["schemas"]


@pytest.mark.parametrize(
    ("size", "status", "code"),
    [(1_000_001, 413, "prompt_too_large"), (1_200_000, 413, "body_too_large")],
)
async def test_escapes_do_not_count_as_prompt(
    edge: Gateway, size: int, status: int, code: str
) -> None:
    """A prompt within its limit is taken though JSON doubles it, and what is too large is named."""
    path = f"{SESSIONS}/s-{'0' * 20}/prompts"
    fits = await edge.http.post(path, json=prompt(text='"' * 1_000_000))
    assert (fits.status_code, fits.json()["code"]) == (404, "session_unknown")
    answer = await edge.http.post(path, json=prompt(text='"' * size))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
