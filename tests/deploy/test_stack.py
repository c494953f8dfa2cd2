"""What the compose file starts works together, from the namespace to a pull request."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.deploy.composed import OURS
from tests.deploy.composed_stack import SECRETS, ComposedStack
from tests.end_to_end.local_stack import bash, edit, finish, git, make_repository, until

CODE = {
    "greet.py": "WORD = 'helo'\n",
    ".overnight.toml": "[checks]\nspelling = 'grep -rq hello --include=*.py .'\n",
}
SCRIPTS = {"mend": [bash("cat greet.py"), edit("greet.py", "helo", "hello"), finish("Mend it")]}


@pytest.fixture
def composed(tmp_path: Path, temporal_server: WorkflowEnvironment) -> Iterator[ComposedStack]:
    """The services, not started yet."""
    address = temporal_server.client.service_client.config.target_host
    (tmp_path / "stack").mkdir()
    stack = ComposedStack(tmp_path / "stack", SCRIPTS, address)
    yield stack
    stack.end()


def test_the_composed_services_make_a_pull_request(composed: ComposedStack, tmp_path: Path) -> None:
    """Commands, variables, secrets in files and health checks are right; nothing is left over."""
    repository = make_repository(tmp_path / "repository", CODE)
    assert all(composed.health(name) != 0 for name in OURS)
    composed.start()

    session = composed.run(repository, "mend").id
    composed.until_waiting(session)
    assert git(repository, "show", f"overnight/{session}:greet.py") == "WORD = 'hello'\n"
    (proposal,) = composed.pull_requests(session)
    assert proposal.passed
    assert session in composed.command_line("ps")

    for name in OURS:
        assert not set(SECRETS.values()) & set(composed.variables_of(name).values())
    composed.age_signs()
    until(composed.is_healthy, "the workers give signs again")
    composed.close([session])
