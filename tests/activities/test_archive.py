"""Histories of runs in the store."""

from temporalio.api.history.v1 import History
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.archive import StoreArchive
from runtime.store.base import Store
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
    kept = History.FromString(store.read(first.store_key))
    assert list(kept.events) == (await handle.fetch_history()).events
    await handle.terminate()
