"""Agents that repair the defect, at once or at the second attempt."""

from tests.defects.agents.scene import ANYTHING, Agent, Kind, Scene, repaired
from tests.end_to_end.local_stack import Reply, edit, finish


def _at_once(scene: Scene) -> list[Reply]:
    return [repaired(scene), finish("Repaired.")]


def _in_two(scene: Scene) -> list[Reply]:
    """Repair it badly, be refused, repair it well."""
    defect = scene.defect
    return [
        repaired(scene, defect.wrong),
        finish("Repaired."),
        edit(defect.path, defect.wrong, defect.original),
        finish("Repaired for good."),
    ]


AGENTS = (
    Agent("oracle", Kind.ORACLE, _at_once, takes=ANYTHING),
    Agent("oracle-in-two", Kind.ORACLE, _in_two, takes=ANYTHING),
)
