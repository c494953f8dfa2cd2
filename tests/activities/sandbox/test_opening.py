"""An opening whose answer nobody heard is told again."""

import pytest

from tests.activities.sandbox.rigging import Rig
from workflows.contract.sandbox import Opened


async def test_a_repeat_says_again_that_the_sandbox_was_made(rig: Rig) -> None:
    """Whoever asks the next time is told what has happened since."""
    ready = await rig.open(generation=4)
    rig.restart()
    assert (await rig.open(generation=4)).how is Opened.CREATED
    await rig.kill(ready)
    assert (await rig.open(generation=4)).how is Opened.CREATED
    assert (await rig.open(generation=5)).how is Opened.ATTACHED


@pytest.mark.parametrize("earlier", [0, 1])
async def test_a_repeat_says_again_that_the_sandbox_was_restarted(rig: Rig, earlier: int) -> None:
    """Also when the sandbox died after it was said to be there."""
    ready = await rig.open()
    await rig.open(generation=earlier)
    await rig.kill(ready)
    for _ in range(2):
        assert (await rig.open(generation=1)).how is Opened.RESTARTED
        rig.restart()
    assert (await rig.open(generation=2)).how is Opened.ATTACHED
