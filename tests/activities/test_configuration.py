"""A repository's configuration is read exactly or refused with its place."""

import re

import pytest
from temporalio.exceptions import ApplicationError

from activities.configuration import (
    LOCK_FILES,
    NamedCheck,
    RepositoryConfiguration,
    environment_key,
    parse,
)
from workflows.contract.checks import Reader
from workflows.contract.failures import Failure
from workflows.contract.findings import FindingKind


def test_an_absent_or_empty_file_leaves_the_defaults():
    """Then checks are looked for and well-known lock files count."""
    assert parse(None) == parse(b"") == RepositoryConfiguration()
    assert parse(None).checks is None
    assert parse(None).lock_files == LOCK_FILES


def test_a_full_file_is_read():
    """Checks keep their order and may be short or long."""
    found = parse(
        b"""
        [environment]
        setup = ["make deps", "make build"]
        lock_files = ["deps.txt", "sub/other.lock"]
        [checks]
        lint = "ruff check"
        tests = {command = "pytest", timeout_seconds = 60}
        [checks.scan]
        command = "scan"
        kind = "security"
        reader = "sarif"
        quick = "scan --only"
        fix = "scan --fix"
        rerun = "scan --tests"
        [gate]
        protected = ["migrations/*", "*.lock"]
        tests_may_change = true
        [approvals]
        commands = ["git push*"]
        pull_request = true
        """
    )
    assert found == RepositoryConfiguration(
        setup=("make deps", "make build"),
        lock_files=("deps.txt", "sub/other.lock"),
        checks=(
            NamedCheck(name="lint", command="ruff check"),
            NamedCheck(name="tests", command="pytest", timeout_seconds=60),
            NamedCheck(
                name="scan",
                command="scan",
                kind=FindingKind.SECURITY,
                reader=Reader.SARIF,
                quick="scan --only",
                fix="scan --fix",
                rerun="scan --tests",
            ),
        ),
        protected=("migrations/*", "*.lock"),
        tests_may_change=True,
        approve_commands=("git push*",),
        approve_pull_request=True,
    )


def test_an_empty_table_of_checks_means_no_checks():
    """It is said on purpose, so none are looked for."""
    assert parse(b"[checks]\n").checks == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[checks]\na = \n", "not TOML: Invalid value (at line 2"),
        (b"[checks]\na = 1\n[checks]\n", "not TOML"),
        (b"\xff\xfe", "line 1 is not UTF-8"),
        (b"# \n\n\xff", "line 3 is not UTF-8"),
        (
            b"[environmnt]\n",
            "line 1: environmnt is not known here; allowed are environment, checks, gate, appr",
        ),
        (b"\nsetup = []\n", "line 2: setup is not known here"),
        (b"[environment]\nsteup = []\n", "line 2: environment.steup is not known here"),
        (b"[environment]\nsetup = 'x'\n", "line 2: environment.setup: must be a list of strings"),
        (b"[environment]\nsetup = ['x', 1]\n", "line 2: environment.setup.1: must be a string"),
        (b"[environment]\nsetup = ['']\n", "line 2: environment.setup.0: must not be empty"),
        (b"[environment]\nsetup = [%s]\n" % (b"'x'," * 21), "at most 20 items"),
        (b"[environment]\nlock_files = ['/etc/passwd']\n", "environment.lock_files.0"),
        (b"[environment]\nlock_files = ['']\n", "environment.lock_files.0"),
        (b"environment = 1\n", "line 1: environment: must be a table"),
        (b"checks = []\n", "line 1: checks: must be a table"),
        (b"[checks]\na = 1\n", "line 2: checks.a: must be a command or a table"),
        (b"[checks]\na = ['x']\n", "line 2: checks.a: "),
        (b"[checks]\na = {}\n", "checks.a.command: is missing"),
        (b"[checks]\na = {command = 'x', limit = 1}\n", "line 2: checks.a.limit is not known"),
        (b"[checks.a]\ncommand = 'x'\ntimeout_seconds = true\n", "line 3: checks.a.timeout"),
        (b"[checks]\na = {command = 'x', timeout_seconds = '9'}\n", "checks.a.timeout_seconds"),
        (b"[checks]\na = {command = 'x', timeout_seconds = inf}\n", "checks.a.timeout_seconds"),
        (b"[checks]\na = {command = 'x', timeout_seconds = -1}\n", "checks.a.timeout_seconds"),
        (b"[checks]\n'A b' = 'x'\n", "line 2: checks.A b"),
        (b"[checks]\na = {command = 'x', kind = 'integrity'}\n", "line 2: checks.a.kind: "),
        (b"[checks]\na = {command = 'x', reader = 'xml'}\n", "line 2: checks.a.reader: "),
        (b"[checks]\na = {command = 'x', fix = 1}\n", "line 2: checks.a.fix: "),
        (b"[checks]\na = {command = 'x', quick = '%s'}\n" % (b"x" * 501), "at most 500"),
        (b"[gate]\nprotect = []\n", "gate.protect is not known here; allowed are protected, tests"),
        (b"[gate]\nprotected = 'a'\n", "line 2: gate.protected: must be a list of strings"),
        (b"[gate]\nprotected = ['a', '']\n", "line 2: gate.protected.1: "),
        (b'[gate]\nprotected = ["a\\n"]\n', "gate.protected.0: write printable text"),
        (b"[gate]\nprotected = [%s]\n" % (b"'x'," * 51), "at most 50 items"),
        (
            b"[gate]\ntests_may_change = 'yes'\n",
            "line 2: gate.tests_may_change: must be true or false",
        ),
        (b"[gate]\ntests_may_change = 1\n", "line 2: gate.tests_may_change: must be true or false"),
        (b"gate = true\n", "line 1: gate: must be a table"),
        (b"[approvals]\npush = true\n", "approvals.push is not known here; allowed are commands"),
        (b"[approvals]\ncommands = [1]\n", "line 2: approvals.commands.0: "),
        (b"[approvals]\npull_request = 'x'\n", "line 2: approvals.pull_request: "),
        (
            b"[checks]\na.command = 'x'\na.commands = 'y'\n",
            "line 3: checks.a.commands is not known",
        ),
        (b"[checks.a]\ncommand = 'x'\n[checks.b]\ncommand = 1\n", "line 4: checks.b.command: "),
        (b"[checks.1]\ncommand = 1\n", "line 2: checks.1.command: must be a string"),
        (b"[checks.'A b']\ncommand = 'x'\n", "line 1: checks.A b"),
        (b"checks.a.command = 1\n", "line 1: checks.a.command: must be a string"),
        (b"[gate]\nprotected = [\n'a',\n1,\n]\n", "line 2: gate.protected.1: must be a string"),
        (b"[checks]\n" + b"".join(b"a%d = 'x'\n" % n for n in range(9)), "at most 8 items"),
    ],
)
def test_mistakes_are_named_with_their_place(text: bytes, reason: str):
    """File, line and key are said, and what is allowed."""
    with pytest.raises(ApplicationError) as refused:
        parse(text)
    assert reason in str(refused.value)
    assert str(refused.value).startswith("configuration: .overnight.toml cannot be used: ")
    assert (refused.value.type, refused.value.non_retryable) == (Failure.CONFIGURATION, True)


@pytest.mark.parametrize("value", ["1", "'x'", "[]", "{}", "inf", "1979-05-27", "true", "[{}]"])
@pytest.mark.parametrize(
    "key",
    [
        "environment",
        "environment.setup",
        "environment.lock_files",
        "checks",
        "checks.a",
        "checks.a.command",
        "checks.a.timeout_seconds",
        "checks.a.kind",
        "checks.a.reader",
        "gate.protected",
        "gate.tests_may_change",
        "approvals",
    ],
)
def test_mistakes_are_told_in_words_of_toml(key: str, value: str):
    """Whatever stands where: nobody has to know in which language the file is read."""
    plain = re.compile(r"line 1: [a-z_.0-9]+: (must be [^:]+|is missing)")
    found = reasons(f"{key} = {value}\n")
    assert [reason for reason in found if not plain.fullmatch(reason)] == []
    assert not re.search("[Ii]nput|[Tt]uple|valid|instance", " ".join(found))


def reasons(text: str) -> list[str]:
    """Return why a file is refused; nothing when it is not."""
    try:
        parse(text.encode())
    except ApplicationError as refused:
        return refused.message.removeprefix(".overnight.toml cannot be used: ").split("; ")
    return []


def test_the_environment_is_named_by_what_makes_it():
    """Commands, their order and lock files count; files that are not listed do not."""
    plain = parse(b"[environment]\nsetup = ['a', 'b']\nlock_files = ['x', 'y']\n")
    swapped = parse(b"[environment]\nsetup = ['b', 'a']\nlock_files = ['x', 'y']\n")
    key = environment_key(plain, {"x": b"1"})
    assert key == environment_key(plain, {"other": b"2", "x": b"1"})
    others = {
        environment_key(swapped, {"x": b"1"}),
        environment_key(plain, {"x": b"2"}),
        environment_key(plain, {"y": b"1"}),
        environment_key(plain, {"x": b"1", "y": b""}),
        environment_key(plain, {}),
    }
    assert len(others) == 5
    assert key not in others
