"""Which store a process uses, by its settings."""

from runtime.settings import Settings
from runtime.store.base import Store
from runtime.store.folder import FolderStore
from runtime.store.objects import ObjectStore


def open_store(settings: Settings) -> Store:
    """Return the store that the settings name; nothing is asked of it yet.

    Raises:
        StoreUnavailableError: what the provider's variables say cannot name a bucket.
    """
    if settings.store is None:
        return FolderStore(settings.store_path)
    return ObjectStore(settings.store)
