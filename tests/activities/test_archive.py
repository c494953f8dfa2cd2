"""Histories of runs in the store."""

from temporalio.client import Client, WorkflowHistory
from temporalio.testing import ActivityEnvironment

from activities.archive import StoreArchive
from runtime.store import Store
from tests.fakes import FakeSandbox
from tests.workflows.conftest import Rig, prompt
from workflows.contract.base import SessionId
from workflows.contract.session import ArchiveRun


async def test_a_history_is_kept_once(client: Client, store: Store, unique: str) -> None:
    """It reads back as Temporal's own form, and keeping it again changes nothing."""
    rig = Rig(client, f"q-{unique}", SessionId(f"s-{unique}"), FakeSandbox(queue=""))
    handle = await rig.start(prompt("nobody works on it"))
    run_id = (await handle.describe()).run_id
    archive = StoreArchive(client, store)
    request = ArchiveRun(session=rig.session, run_id=run_id, run_index=3)
    first = await ActivityEnvironment().run(archive.run, request)
    assert await ActivityEnvironment().run(archive.run, request) == first
    assert store.list(f"histories/{rig.session}") == [first.store_key]
    kept = WorkflowHistory.from_json(rig.session, store.read(first.store_key).decode())
    assert len(kept.events) == first.events
    await handle.terminate()
