"""Sessions as a gateway would show them."""

from typing import Any

SESSION = "s-0123456789abcdef0123"
OTHER = "s-0199999999999999aaaa"

USAGE = {"requests": 3, "input_tokens": 1200, "output_tokens": 300, "cost_usd": 0.0123}


def resource(session: str = SESSION, **view: object) -> dict[str, Any]:
    """Return a session; `view` replaces fields of its view."""
    return {
        "id": session,
        "url": f"/api/v1/sessions/{session}",
        "title": "Fix the \x1b[31mtest",
        "repository": {"url": "/repo", "base": "main"},
        "branch": f"overnight/{session}",
        "model": "openai/x",
        "budget": {},
        "created_at": "2026-01-01T00:00:00Z",
        "view": {
            "phase": "working",
            "run_index": 0,
            "turn": 1,
            "step": 1,
            "queued": 0,
            "usage": USAGE,
            **view,
        },
    }


def ended(reason: str, *, passed: bool | None = True, proposed: bool = True) -> dict[str, Any]:
    """Return a session whose first turn has ended."""
    proposal = {"revision": 1, "commit": "c" * 40, "passed": passed}
    return resource(
        phase="waiting",
        last={"turn": 1, "reason": reason, "summary": "what was done"},
        pull_request=proposal if proposed else None,
    )


def question(kind: str = "question", **fields: object) -> dict[str, Any]:
    """Return an open question."""
    return {"id": "0123456789abcdef", "kind": kind, "text": "Which \x1b[31mport?", **fields}


def asking(kind: str = "question", **fields: object) -> dict[str, Any]:
    """Return a session that asks a person."""
    return resource(phase="asking", asked=question(kind, **fields))


def verdict(word: str, **fields: object) -> dict[str, Any]:
    """Return what the gate says of some work."""
    return {"verdict": word, "round": 1, "tree": "d" * 40, **fields}


def pull_request(*, passed: bool | None = True) -> dict[str, Any]:
    """Return the proposal that belongs to `ended`."""
    check = {
        "session": SESSION,
        "turn": 1,
        "name": "tests",
        "command": "pytest -q",
        "command_id": "c1",
        "passed": passed,
        "outcome": "exited",
        "exit_code": 0 if passed else 1,
        "seconds": 1.5,
        "excerpt": "",
    }
    return {
        "session": SESSION,
        "turn": 1,
        "revision": 1,
        "repository": {"url": "/repo", "base": "main"},
        "branch": f"overnight/{SESSION}",
        "commit": "c" * 40,
        "title": "Fix the test",
        "files": [{"path": "a.py", "added": 3, "removed": 1}],
        "files_changed": 1,
        "added": 3,
        "removed": 1,
        "passed": passed,
        "verdict": {True: "green", False: "red", None: "unchecked"}[passed],
        "draft": passed is False,
        "checks": [] if passed is None else [check],
        "diff_key": "diffs/x",
        "merge_command": f"git merge overnight/{SESSION}",
    }
