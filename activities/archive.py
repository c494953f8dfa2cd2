"""Keeps the raw histories of closed runs in the store, beyond the server's retention."""

from temporalio import activity
from temporalio.api.history.v1 import History
from temporalio.client import Client

from activities.progress import beating
from runtime.store.base import Store
from workflows.contract.session import ArchiveRun, RunArchived
from workflows.ports import Archive


class StoreArchive(Archive):
    """Writes `histories/<session>/<run index>-<events>`: a serialized `History` of Temporal's API.

    A run that is archived again after it went on gets a further object; readers take the one
    with the most events.
    """

    def __init__(self, client: Client, store: Store) -> None:
        """Take the connection to read from and the store to write to."""
        self._client = client
        self._store = store

    @activity.defn(name="archive.run")
    async def run(self, request: ArchiveRun) -> RunArchived:
        """Write the history as it stands now."""
        handle = self._client.get_workflow_handle(request.session, run_id=request.run_id)
        async with beating():
            history = await handle.fetch_history()
        events = len(history.events)
        key = f"histories/{request.session}/{request.run_index:06}-{events:06}"
        # Not JSON: a gateway reads this form of 2,000 events in milliseconds.
        data = History(events=history.events).SerializeToString(deterministic=True)
        await self._store.create_async(key, data)
        return RunArchived(store_key=key, events=events)
