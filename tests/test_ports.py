"""Adapters and ports agree, and the names by which processes meet are the registered ones."""

import pytest
from temporalio import activity

from activities.archive import StoreArchive
from activities.checks.runner import CommandChecks
from activities.model.adapter import LiteLlmModel
from activities.pull_requests.git import GitPullRequests
from activities.sandbox.adapter import LocalSandboxes
from activities.worker import PortMismatchError, activities_of
from tests.fake_checks import FakeChecks
from tests.fakes import FakeArchive, FakeModel, FakePullRequests, FakeSandbox
from workflows.contract import names
from workflows.contract.sandbox import CloseSandbox, SandboxClosed
from workflows.ports import PORTS, Archive, Checks, Model, PullRequests, Sandbox
from workflows.session import AgentSession

ADAPTERS = [
    (Sandbox, LocalSandboxes),
    (Sandbox, FakeSandbox),
    (Model, LiteLlmModel),
    (Model, FakeModel),
    (Checks, CommandChecks),
    (Checks, FakeChecks),
    (PullRequests, GitPullRequests),
    (PullRequests, FakePullRequests),
    (Archive, StoreArchive),
    (Archive, FakeArchive),
]


@pytest.mark.parametrize(("port", "adapter"), ADAPTERS)
def test_an_adapter_registers_the_activities_of_its_port(port: type, adapter: type) -> None:
    """Every method of the port is an activity of the adapter under the same name."""
    declared = [name for name in vars(port) if not name.startswith("_")]
    assert len(activities_of(port, adapter)) == len(declared)


def test_every_port_has_an_adapter() -> None:
    """None is declared and not implemented."""
    assert {port for port, _ in ADAPTERS} == set(PORTS)


def test_an_override_without_its_name_is_refused() -> None:
    """A worker with such an adapter does not start; its calls would be retried in silence."""

    class Nameless(FakeSandbox):
        @activity.defn
        async def close(self, request: CloseSandbox) -> SandboxClosed:
            raise NotImplementedError

    with pytest.raises(PortMismatchError, match=r"Nameless.close must be .*sandbox\.close"):
        activities_of(Sandbox, Nameless(queue="q"))


def test_the_workflow_is_registered_under_the_contract_names() -> None:
    """The gateway, which does not import the workflow, finds it and its signals."""
    definition = AgentSession.__temporal_workflow_definition  # type: ignore[attr-defined]  # by SDK
    assert definition.name == names.SESSION_WORKFLOW
    assert set(definition.signals) == {
        names.PROMPT_SIGNAL,
        names.INTERRUPT_SIGNAL,
        names.CLOSE_SIGNAL,
        names.DECIDE_SIGNAL,
        names.CONFIGURE_SIGNAL,
    }
    assert set(definition.updates) == {names.REVISE_UPDATE, names.WITHDRAW_UPDATE}
