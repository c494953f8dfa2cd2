"""The adapter as a whole."""

from tests.activities.checks.conftest import Rig


async def test_detected_checks_run_as_they_are(rig: Rig):
    """From the repository to the verdict."""
    await rig.open({"ruff.toml": "", "test_a.py": "def test_a():\n    pass\n"})
    for check in (await rig.detect()).checks:
        result = await rig.checks.run(rig.request(check))
        assert (result.name, result.passed, result.runnable) == (check.name, True, True)
