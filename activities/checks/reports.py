"""Reports of findings in the store: named by content, so keeping one twice changes nothing."""

from runtime.store.base import Store, sha256
from workflows.contract.base import Sha256
from workflows.contract.findings import FindingReport


async def keep_report(store: Store, report: FindingReport) -> Sha256:
    """Keep a report and return its name; equal reports have one name.

    Raises:
        OSError: the store cannot be asked; the same call may succeed later.
    """
    data = report.model_dump_json().encode("utf-8", "replace")
    name = sha256(data)
    await store.create_async(_key(name), data)
    return name


async def read_report(store: Store, name: Sha256) -> FindingReport:
    """Return a kept report.

    Raises:
        MissingObjectError: none was kept under this name.
        OSError: the store cannot be asked.
    """
    return FindingReport.model_validate_json(await store.read_async(_key(name)))


def _key(name: Sha256) -> str:
    return f"reports/{name[:2]}/{name}"
