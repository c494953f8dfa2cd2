"""Quick findings are told once, file by file."""

import hashlib

from activities.checks.running.telling import MESSAGE_CHARACTERS, SHOWN_LINES, Told, message, shown
from workflows.contract.findings import Finding, FindingKind


def finding(path: str, name: str = "F1", line: int = 3) -> Finding:
    """Make a finding that is known by its path and name."""
    return Finding(
        check="lint",
        kind=FindingKind.LINT,
        rule=name,
        path=path,
        line=line,
        message=f"{name} is wrong",
        snippet="x = y",
        fingerprint=hashlib.sha256(f"{path} {name}".encode()).hexdigest()[:40],
    )


def told_of(*findings: Finding) -> Told:
    """What is known after these findings were told, as the next check gets it."""
    paths = {found.path for found in findings}
    return Told.read(Told({}).after(paths, findings).write())


def say(told: Told, files: list[str], *findings: Finding) -> str | None:
    return message(told, files, findings, baseline_known=True)


def test_new_findings_are_told_with_their_place_and_line():
    """The model can go there at once."""
    text = say(Told({}), ["a.py"], finding("a.py"))
    assert text is not None
    assert text.splitlines()[1:] == ["- a.py:3: F1 is wrong [F1]", "      x = y"]
    assert text.startswith("Quick checks of the files just edited find 1 problem (not at")


def test_the_same_findings_are_not_told_twice():
    """Wherever they have moved; more or fewer of them are news."""
    told = told_of(finding("a.py"))
    assert say(told, ["a.py"], finding("a.py", line=9)) is None
    assert say(told, ["a.py"], finding("a.py"), finding("a.py", "F2")) is not None


def test_a_file_that_is_clean_again_is_told_of():
    """Once, and only of files that were looked at."""
    told = told_of(finding("a.py"), finding("b.py"))
    text = say(told, ["a.py", "c.py"])
    assert text == "The quick checks find nothing wrong any more in: a.py"
    told = told.after(["a.py", "c.py"], [])
    assert say(told, ["a.py", "c.py"]) is None
    assert say(told, ["b.py"], finding("b.py")) is None


def test_nothing_is_known_when_all_is_clean():
    """The words for the next quick check are none then."""
    told = told_of(finding("a.py"))
    assert told.after(["a.py"], []).write() == ""
    assert Told.read("").write() == ""


def test_a_message_is_bounded():
    """The rest is counted."""
    many = [finding(f"{'deep/' * 30}{n}.py", "R" * 150) for n in range(100)]
    text = say(Told({}), [found.path for found in many], *many)
    assert text is not None
    assert len(text) <= MESSAGE_CHARACTERS
    left = int(text.rsplit(" ", 2)[-2])
    assert text.count("\n- ") + left == 100
    assert len(shown(many)) == SHOWN_LINES
    assert max(len(line) for line in shown(many)) <= 240
