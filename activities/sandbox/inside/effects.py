"""Uses of files, each change applied once per effect id.

A change first writes its intent (content hashes before and after), then the file, then its result,
each synced before the next. A repeat answers from the result; an intent without one is settled by
the file's hash. Views are not recorded.
"""

import json
from collections.abc import Callable
from typing import NamedTuple

from activities.sandbox.inside import edits, linux, wire
from activities.sandbox.inside.outputs import Outputs
from activities.sandbox.inside.workspace import (
    MAX_FILE_BYTES,
    FileProblemError,
    Found,
    Workspace,
    read_in,
    replace_in,
)

DEFAULT_MODE = 0o644
UNKNOWN = (
    "it is unknown whether this change was applied: the sandbox ended meanwhile and the file "
    "has changed since; view it"
)

Change = Callable[[Found | None], tuple[bytes, str]]
"""From a file as it is (None: absent) to its new content and a sentence about the change."""


class Intent(NamedTuple):
    """What a change is about to do."""

    path: str
    before: str | None
    """Hash of the content before; None when there is no file."""

    after: str
    text: str
    """The answer when it is done."""


class Effects:
    """The changes this box was asked for, and the views."""

    def __init__(self, state: int, workspace: Workspace, outputs: Outputs) -> None:
        self._folder = linux.open_folder(state, "effects")
        self._workspace = workspace
        self._outputs = outputs

    def use(self, request: wire.Request) -> wire.Reply:
        """View, edit or write a file; what cannot be done is a value with `ok` false."""
        action = wire.text(request, "action")
        if action == "view":
            return _answered(lambda: self._view(request))
        if action not in ("edit", "write"):
            message = "'action' must be view, edit or write"
            raise wire.RefusedError(message)
        effect = wire.identifier(request, "effect_id")
        known = linux.read_if_there(self._folder, f"{effect}.json")
        if known is not None:
            recorded: wire.Reply = json.loads(known)
            return recorded
        change = _edit(request) if action == "edit" else _write(request)
        path = wire.text(request, "path")
        result = _answered(lambda: self._apply(effect, path, change, make=action == "write"))
        linux.write_durably(self._folder, f"{effect}.json", json.dumps(result).encode())
        return result

    def _view(self, request: wire.Request) -> str:
        asked = wire.text(request, "path")
        start = max(1, wire.whole(request, "start", 1))
        end = None if request.get("end") is None else wire.whole(request, "end")
        if self._outputs.holds(asked):
            return self._outputs.view(asked, start, end)
        path = self._workspace.relative(asked)
        entries = self._workspace.list_folder(path)
        if entries is not None:
            return edits.show_entries(entries)
        content = self._workspace.read(path)
        if edits.is_binary(content):
            message = f"{path!r} is a binary file of {len(content)} bytes"
            raise FileProblemError(message)
        return edits.show(content, start, end)

    def _apply(self, effect: str, path: str, change: Change, *, make: bool) -> str:
        relative = self._workspace.relative(path)
        with self._workspace.parent(relative, make=make) as (folder, name):
            found = read_in(folder, name)
            recorded = linux.read_if_there(self._folder, f"{effect}.intent")
            intent = None if recorded is None else Intent(*json.loads(recorded))
            if intent is not None and _hash(found) == intent.after:
                return intent.text
            if intent is not None and (intent.path, intent.before) != (relative, _hash(found)):
                raise FileProblemError(UNKNOWN)
            content, text = change(found)
            planned = Intent(relative, _hash(found), _hash_of(content), text)
            if intent is None:
                encoded = json.dumps(planned).encode()
                linux.write_durably(self._folder, f"{effect}.intent", encoded)
            elif intent != planned:
                raise FileProblemError(UNKNOWN)
            replace_in(folder, name, content, found.mode if found else DEFAULT_MODE)
            return text


def _answered(use: Callable[[], str]) -> wire.Reply:
    try:
        return {"ok": True, "text": use()}
    except (FileProblemError, edits.EditProblemError) as problem:
        return {"ok": False, "text": str(problem)}


def _edit(request: wire.Request) -> Change:
    path, old, new = (wire.text(request, name) for name in ("path", "old_str", "new_str"))
    everywhere = request.get("replace_all", False) is True

    def change(found: Found | None) -> tuple[bytes, str]:
        if found is None:
            message = f"{path!r} does not exist"
            raise FileProblemError(message)
        content, count = edits.replace(found.content, old, new, everywhere=everywhere)
        times = "once" if count == 1 else f"{count} times"
        return content, f"edited {path}: replaced {times}"

    return change


def _write(request: wire.Request) -> Change:
    path = wire.text(request, "path")
    content = wire.text(request, "content").encode()

    def change(found: Found | None) -> tuple[bytes, str]:
        _check_size(content, path)
        verb = "created" if found is None else "replaced"
        return content, f"{verb} {path}: {len(content)} bytes"

    return change


def _check_size(content: bytes, path: str) -> None:
    if len(content) > MAX_FILE_BYTES:
        limit = f"{MAX_FILE_BYTES // 1024 // 1024} MiB"
        message = f"{path!r} would be larger than {limit}; use a command"
        raise FileProblemError(message)


def _hash(found: Found | None) -> str | None:
    return None if found is None else _hash_of(found.content)


def _hash_of(content: bytes) -> str:
    import hashlib  # noqa: PLC0415  # loads OpenSSL: 4 ms of every box's start

    return hashlib.sha256(content).hexdigest()
