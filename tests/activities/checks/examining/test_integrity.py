"""Whatever changes what judges the work is found, and honest work is left alone."""

import pytest

from activities.checks.examining import integrity
from activities.checks.examining.integrity import Change
from activities.git.revisions import SUBMODULE, Difference
from tests.activities.checks.examining.cheats import BASE, CALC, CHEATS, HONEST, TEST
from tests.activities.checks.examining.works import PLAN, Files, blocking, changes, examined, linked
from workflows.contract.checks import CheckPlan
from workflows.contract.findings import Severity


@pytest.mark.parametrize("name", CHEATS)
def test_what_changes_the_judge_is_found(name: str):
    """Every way blocks, by its rule, and the finding says where and what to do."""
    rule, made = CHEATS[name]
    found = examined(BASE, {**BASE, **_as_read(made)})
    assert {(rule, path) for path in made} <= set(blocking(found))
    for finding in found.report.findings:
        assert len(finding.fingerprint) == 40
        assert ":" in finding.message or "," in finding.message


@pytest.mark.parametrize("name", HONEST)
def test_honest_work_is_left_alone(name: str):
    """None of this keeps a turn from finishing."""
    assert blocking(examined(BASE, {**BASE, **HONEST[name]})) == []


MARKED = {
    "a.py": "import os  # noqa: F401\nimport pytest\n\n\n@pytest.mark.skip\ndef f():\n    pass\n"
}


def test_what_was_there_may_move():
    """Within a file, with its line to another file, and with the whole file."""
    text = MARKED["a.py"]
    assert blocking(examined(MARKED, {"a.py": f"X = 1\n\n{text}"})) == []
    first, rest = text.split("\n", 1)
    assert blocking(examined(MARKED, {"a.py": rest, "b.py": f"{first}\n"})) == []
    assert blocking(examined(MARKED, {"pkg/b.py": text})) == []
    edited = text.replace("import os  #", "import os as system  #")
    assert blocking(examined(MARKED, {"a.py": edited})) == []


def test_a_mark_for_something_else_is_added():
    """Giving up the mark for one rule pays for none of another rule."""
    other = MARKED["a.py"].replace("import os  # noqa: F401", "eval('1')  # noqa: S307")
    assert blocking(examined(MARKED, {"a.py": other})) == [("suppression-added", "a.py")]


def test_a_second_mark_is_added():
    """Each one counts, and the finding names the line of the new one."""
    found = examined(MARKED, {"a.py": MARKED["a.py"] + "import re  # noqa: F401\n"})
    assert [(each.line, each.snippet) for each in found.report.findings] == [
        (8, "import re  # noqa: F401")
    ]


def test_a_plugin_may_name_its_runner_more_often():
    """A file made for the test runner is no news; a hook in it is."""
    before = {"calc/plugin.py": "import pytest\n\n\n@pytest.fixture\ndef a():\n    return 1\n"}
    more = before["calc/plugin.py"] + "\n\n@pytest.fixture\ndef b():\n    return 1\n"
    assert blocking(examined(before, {"calc/plugin.py": more})) == []
    hook = more + "\n\ndef pytest_runtest_call(item):\n    pass\n"
    found = examined(before, {"calc/plugin.py": hook})
    assert blocking(found) == [("knows-of-tests", "calc/plugin.py")]


@pytest.mark.parametrize("mark", ["# fmt: off", "# pragma: no cover"])
def test_marks_that_silence_nothing_that_matters_are_remarked(mark: str):
    """They are told to people, and do not block."""
    found = examined(BASE, {**BASE, "calc.py": CALC + f"X = 1  {mark}\n"})
    assert [each.severity for each in found.report.findings] == [Severity.NOTE]


ORIGINALS: dict[str, tuple[Files, tuple[str, ...]]] = {
    "an edited test": ({"tests/test_calc.py": TEST.replace("3", "-1")}, ("tests/test_calc.py",)),
    "an edited conftest": ({"tests/conftest.py": "x = 1\n"}, ("tests/conftest.py",)),
    "an added conftest": ({"conftest.py": "import calc\n"}, ("conftest.py",)),
    "an added test": (
        {"tests/test_b.py": "def test_b():\n    x = 1\n    assert x\n"},
        ("tests/test_b.py",),
    ),
    "an added test that patches the code": (
        {"tests/test_a.py": "import calc\ncalc.add = lambda a, b: 3\n"},
        ("tests/test_a.py",),
    ),
    "one that does so within": (
        {"tests/test_a.py": "import calc\n\n\ndef test_a():\n    setattr(calc, 'add', max)\n"},
        ("tests/test_a.py",),
    ),
    "one that changes a table": (
        {"tests/test_a.py": "from calc import T\n\n\ndef test_a():\n    T['a'] = 1\n"},
        ("tests/test_a.py",),
    ),
    "data of tests": ({"tests/data/numbers.json": "[]"}, ()),
    "code": ({"calc.py": "x = 1\n"}, ()),
}


@pytest.mark.parametrize("name", ORIGINALS)
def test_tests_that_steer_are_put_back(name: str):
    """What was changed, removed or added: an added one can change what is tested."""
    made, expected = ORIGINALS[name]
    assert examined(BASE, {**BASE, **made}).original == expected


def test_removed_tests_and_changed_data_are_put_back():
    """Both can be what makes the checks pass."""
    before = {**BASE, "tests/data/a.json": "[1]"}
    after = {path: text for path, text in before.items() if path != "tests/test_calc.py"}
    after["tests/data/a.json"] = "[2]"
    assert examined(before, after).original == ("tests/data/a.json", "tests/test_calc.py")


def test_too_many_changed_tests_are_a_finding():
    """Those beyond the limit would not be put back."""
    before = {f"tests/test_{n}.py": "x = 1\n" for n in range(201)}
    found = examined(before, dict.fromkeys(before, "x = 2\n"))
    assert len(found.original) == 200
    assert blocking(found) == [("too-many-tests", "")]


def test_what_was_not_read_is_a_finding():
    """A file that is too large for a look is not taken on trust; a large picture is none."""
    difference = Difference("calc.py", "100644", "100644", "0" * 40, "1" * 40)
    unread = [Change(difference), Change(difference._replace(path="a.png"))]
    found = integrity.examine(unread, PLAN)
    assert blocking(found) == [("unexamined", "calc.py")]


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "../..", ".git/hooks"])
def test_links_out_of_the_work_are_findings(target: str):
    """They lead to files that are not the work's."""
    assert blocking(integrity.examine(linked("link", target), PLAN)) == [("link-outside", "link")]


@pytest.mark.parametrize("target", ["calc.py", "tests/../calc.py"])
def test_links_within_are_none(target: str):
    """They are as good as what they point at."""
    assert blocking(integrity.examine(linked("link", target), PLAN)) == []


def test_another_repository_is_a_finding():
    """Its files are not part of the proposal."""
    added = Difference("vendored", "000000", SUBMODULE, "0" * 40, "1" * 40)
    assert blocking(integrity.examine([Change(added)], PLAN)) == [("submodule", "vendored")]


def test_without_checks_nothing_judges():
    """A new project may configure its checks; what it guards itself stays guarded."""
    after = {"pyproject.toml": "[tool.ruff]\n", "calendar.py": "# noqa\n", "tests/test_a.py": ""}
    plan = CheckPlan(source="none", guarded=("cal*",))
    found = examined({}, after, plan)
    assert blocking(found) == [("protected-path", "calendar.py")]
    assert found.original == ()


def test_a_file_that_a_check_runs_is_protected():
    """Its command names it, or a program that reads it."""
    check = PLAN.checks[0].model_copy(update={"command": "sh ci/lint.sh && make test"})
    plan = CheckPlan(checks=(check,), source="test")
    after = {"ci/lint.sh": "true\n", "Makefile": "test:\n", "other/lint.sh": "true\n"}
    assert blocking(examined({}, after, plan)) == [
        ("protected-path", "Makefile"),
        ("protected-path", "ci/lint.sh"),
    ]


def test_hostile_texts_take_no_time_and_bring_nothing_down():
    """Deep nesting, long lines and broken text are read like any other."""
    texts = [
        "(" * 20_000,
        "a" + "[]" * 10_000,
        "# noqa " * 5_000,
        "from pytest import " + "import " * 5_000,
        "x = '" + "\\" * 10_001,
        "\0\u202e",
        "if x:\n  y\n z\n# noqa\n",
        "builtins." * 2_000,
    ]
    for text in texts:
        found = examined({}, {"a.py": text, f"tests/{'x' * 600}.py": text})
        assert len(found.report.findings) <= integrity.FINDINGS_KEPT


def test_shifted_lines_change_no_fingerprint():
    """So that the same finding is known again in the next round."""
    made = {**BASE, "calc.py": CALC + "import os  # noqa\n"}
    moved = {**BASE, "calc.py": "X = 1\n" * 20 + made["calc.py"]}
    (one,) = examined(BASE, made).report.findings
    (other,) = examined(BASE, moved).report.findings
    assert (one.fingerprint, one.line + 20) == (other.fingerprint, other.line)


def _as_read(files: Files) -> Files:
    """Return texts as they come from blobs."""
    blobs = {name: text.encode() for name, text in files.items()}
    read = [Difference(path, "0", "0", "none", path) for path in files]
    found = integrity.texts_of(read, blobs)
    return {each.path: each.after or "" for each in found}


def test_changes_of_equal_files_are_none():
    """The helper of these tests makes no changes of its own."""
    assert changes(BASE, dict(BASE)) == []
