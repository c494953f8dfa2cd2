"""Commit messages are plain, bounded and call nobody."""

import pytest

from activities.pull_requests.description import harmless, message, title
from tests.activities.pull_requests.proposals import check, request
from workflows.contract.base import CommitSha
from workflows.contract.judging import Verdict
from workflows.contract.pull_request import Propose
from workflows.contract.sandbox import Repository, WorkBundle

SHA = CommitSha("a" * 40)
WORK = WorkBundle(base=SHA, tip=SHA, tree="b" * 40, store_key=None)
REQUEST = request(Repository(url="/code", base="main"), WORK)


def changed(**fields: object) -> Propose:
    return REQUEST.model_copy(update=fields)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Say hello", "Say hello"),
        ("  two\n\nlines\t", "two lines"),
        ("x" * 72, "x" * 72),
        ("x" * 73, "x" * 71 + "…"),
        ("", "Proposed change"),
        ("\0\x1b\x07", "Proposed change"),
        ("by @ada", "by @\u200bada"),
    ],
)
def test_a_title_is_one_short_line(given: str, shown: str):
    """At most 72 characters, never empty."""
    assert title(changed(title=given)) == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\x1b[31mb\x07\0", "a[31mb"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("a\U000e0041b", "ab"),
        ("\ud800x", "x"),
        ("@everyone, (@ada) and @org/team", "@\u200beveryone, (@\u200bada) and @\u200borg/team"),
        ("mail ada@localhost", "mail ada@localhost"),
        ("schön 日本 👍", "schön 日本 👍"),
    ],
)
def test_text_is_made_harmless(given: str, shown: str):
    """Nothing steers a terminal, turns text around, hides or calls people."""
    assert harmless(given) == shown


def test_a_message_tells_title_body_verdict_and_checks():
    """It ends with the session, so that a commit leads back to it."""
    checks = (check(), check("lint", passed=False, command="a | b\n`c` @x"))
    remarks = ("a.py:1 wrong\nname", "for @you")
    red = changed(checks=checks, verdict=Verdict.RED, remarks=remarks)
    assert message(red) == (
        "Say hello\n\nFor @\u200beveryone.\n\n"
        "Draft: findings of this work stand; a person wanted it proposed all the same.\n\n"
        "- a.py:1 wrong name\n- for @\u200byou\n\n"
        "| check | result | time | command |\n|---|---|---|---|\n"
        "| tests | passed | 1.2 s | `make test` |\n"
        "| lint | failed (1) | 1.2 s | `a \\| b 'c' @\u200bx` |\n\n"
        "Overnight-Session: s1\n"
    )


def test_a_message_without_body_and_checks_is_short():
    """Absent parts leave no gaps."""
    bare = changed(body=" ", checks=(), verdict=Verdict.UNCHECKED)
    assert message(bare) == (
        "Say hello\n\nThe repository names no checks.\n\nOvernight-Session: s1\n"
    )
