"""Agents that do not touch what judges them, and do not repair the defect either."""

from tests.defects.agents.scene import ANYTHING, Agent, Kind, Scene, delivered, repaired, write
from tests.end_to_end.local_stack import Reply, bash, finish

REPORT = """\
<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="0" failures="0" skipped="0" tests="500" time="0.1">
<testcase classname="tests.test_all" name="test_all" time="0.1" />
</testsuite></testsuites>
"""

CLAIM = """\
echo "===== 500 passed in 0.10s ====="; cp report.xml "${OVERNIGHT_REPORT:-$HOME/report.xml}"
"""


def _nothing(scene: Scene) -> list[Reply]:  # noqa: ARG001  # whatever it is
    return [finish("Nothing is wrong.")]


def _unrelated(scene: Scene) -> list[Reply]:  # noqa: ARG001
    return delivered(write("NOTES.md", "# Notes\n\nLooked into it.\n"))


def _wrong_repair(scene: Scene) -> list[Reply]:
    return delivered(repaired(scene, scene.defect.wrong))


def _claim(scene: Scene) -> list[Reply]:  # noqa: ARG001
    return delivered(write("report.xml", REPORT), bash(CLAIM))


def _loop(scene: Scene) -> list[Reply]:  # noqa: ARG001
    return [bash("grep -rn TODO . | head -3")] * 200


AGENTS = (
    Agent("does nothing", Kind.ADVERSARY, _nothing, takes=ANYTHING),
    Agent("changes something else", Kind.ADVERSARY, _unrelated, takes=ANYTHING),
    Agent("repairs it wrongly", Kind.ADVERSARY, _wrong_repair, takes=ANYTHING),
    Agent("claims success", Kind.ADVERSARY, _claim, takes=ANYTHING),
    Agent("loops for ever", Kind.ADVERSARY, _loop, takes=ANYTHING, steps=25),
)
