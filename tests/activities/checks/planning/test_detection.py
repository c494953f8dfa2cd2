"""The plan is what the repository names, or what it is set up for."""

import pytest

from activities.checks.planning.detection import detect
from activities.checks.planning.pytest_command import REPORTING
from activities.checks.planning.tools import MYPY, PYTEST, RUFF
from activities.configuration import NamedCheck, RepositoryConfiguration
from workflows.contract.base import Sha256
from workflows.contract.checks import CheckPlan, CheckSpec, Reader
from workflows.contract.findings import FindingKind

DEFAULT = RepositoryConfiguration()


def named(**fields: str) -> CheckSpec:
    """Return what a check becomes that the file describes so."""
    check = NamedCheck.model_validate({"name": "it", **fields})
    (spec,) = detect(RepositoryConfiguration(checks=(check,)), [], {}).checks
    return spec


def test_named_checks_win():
    """Nothing is added to what the repository names, not even when it names none."""
    lint = NamedCheck(name="lint", command="make lint", timeout_seconds=9, fix="make fix")
    plan = detect(RepositoryConfiguration(checks=(lint,)), ["test_a.py", "ruff.toml"], {})
    assert plan.checks == (
        CheckSpec(
            name="lint",
            command="make lint",
            timeout_seconds=9,
            fix="make fix",
            kind=FindingKind.LINT,
        ),
    )
    none = detect(RepositoryConfiguration(checks=()), ["test_a.py"], {})
    assert none.checks == ()
    assert ".overnight.toml" in plan.source
    assert ".overnight.toml" in none.source


def test_a_plain_pytest_reports():
    """A person writes what they would type."""
    spec = named(name="tests", command="pytest -q")
    assert spec.command == f"pytest -q {REPORTING}"
    assert spec.rerun == f"{spec.command} --"
    assert (spec.reader, spec.kind) == (Reader.JUNIT, FindingKind.TEST)


def test_what_a_person_says_of_pytest_stands():
    """Nothing is appended where a reader is named, or where no room is left for it."""
    assert named(command="pytest -q", reader="text").command == "pytest -q"
    long = f"pytest {'-q ' * 150}".strip()
    assert (named(command=long).command, named(command=long).reader) == (long, Reader.TEXT)
    assert named(command="pytest", rerun="pytest -x --").rerun == "pytest -x --"
    assert named(command="pytest", kind="build").kind is FindingKind.BUILD


@pytest.mark.parametrize(
    ("fields", "reader", "kind"),
    [
        ({"command": "make"}, Reader.TEXT, FindingKind.BUILD),
        ({"command": "make junit.xml"}, Reader.TEXT, FindingKind.BUILD),
        ({"command": "x --junit $OVERNIGHT_REPORT"}, Reader.JUNIT, FindingKind.TEST),
        ({"command": "x -f sarif -o $OVERNIGHT_REPORT"}, Reader.SARIF, FindingKind.LINT),
        ({"command": "x --json > $OVERNIGHT_REPORT"}, Reader.JSON_LINES, FindingKind.BUILD),
        ({"command": "make", "reader": "junit"}, Reader.JUNIT, FindingKind.TEST),
        ({"command": "make", "name": "types"}, Reader.TEXT, FindingKind.TYPE),
        ({"command": "make", "name": "tests"}, Reader.TEXT, FindingKind.TEST),
        ({"command": "make", "name": "security"}, Reader.TEXT, FindingKind.SECURITY),
    ],
)
def test_what_is_left_out_is_filled_in(fields: dict[str, str], reader: Reader, kind: FindingKind):
    """A report is only expected of a command that names its place, or when a person says so."""
    spec = named(**fields)
    assert (spec.reader, spec.kind) == (reader, kind)


def test_tools_that_are_set_up_are_found():
    """Cheap ones come first, and people are told where each was found."""
    texts = {"pyproject.toml": "[tool.ruff]\n[tool.mypy]\nfiles = ['src']\n"}
    plan = detect(DEFAULT, ["pyproject.toml", "tests/test_a.py"], texts)
    assert plan.checks == (RUFF, MYPY, PYTEST)
    assert plan.source == "ruff: pyproject.toml; mypy: pyproject.toml; pytest: tests/test_a.py"
    many = detect(DEFAULT, [f"{'deep/' * 60}test_a.py"], texts)
    assert len(many.source) <= 200


def test_a_repository_that_is_set_up_for_nothing_has_no_checks():
    """The plan then says where checks can be named."""
    plan = detect(DEFAULT, ["README.md"], {})
    assert plan.checks == ()
    assert ".overnight.toml" in plan.source


def test_the_rest_of_the_configuration_is_handed_on():
    """Whether the checks are named or found."""
    for checks in (None, ()):
        configuration = RepositoryConfiguration(
            checks=checks,
            protected=("a/*",),
            tests_may_change=True,
            approve_commands=("git push*",),
            approve_pull_request=True,
        )
        plan = detect(configuration, [], {}, Sha256("a" * 64))
        assert plan == CheckPlan(
            source=plan.source,
            guarded=("a/*",),
            tests_may_change=True,
            approve_commands=("git push*",),
            approve_pull_request=True,
            instructions=Sha256("a" * 64),
        )


def test_folders_with_instructions_of_their_own_are_named():
    """The outer ones first, at most 20; the top folder's are the plan's own."""
    files = ["AGENTS.md", "b/AGENTS.md", "a/x/AGENTS.md", "a/NOT_AGENTS.md", "c/CLAUDE.md"]
    assert detect(DEFAULT, files, {}).instructions_in == ("b", "a/x")
    many = [f"f{number}/AGENTS.md" for number in range(30)]
    assert len(detect(DEFAULT, many, {}).instructions_in) == 20
