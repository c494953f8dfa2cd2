"""From a bundle in the store to what the gate must know of the work."""

from pathlib import Path

import pytest
from git import Repo
from temporalio.exceptions import ApplicationError

from activities.checks.findings.reports import read_report
from activities.mirror import Mirrors
from runtime.reviews import Reviews
from runtime.store.base import Store
from tests.activities.checks.judging.judges import SESSION, Bench
from tests.activities.repositories import bundle_work, commit_files
from workflows.contract.failures import Failure

RIGHT = {"calc.py": "def add(a, b):\n    return a + b\n"}


@pytest.fixture
async def bench(mirrors: Mirrors, store: Store, tmp_path: Path) -> Bench:
    made = Bench(mirrors, store, tmp_path)
    await made.start()
    return made


async def test_work_that_is_not_what_it_says_is_refused(bench: Bench):
    """A bundle with other files is never looked at."""
    await bench.change(RIGHT)
    bench.work = bench.work.model_copy(update={"tree": "1" * 40})
    with pytest.raises(ApplicationError) as refused:
        await bench.examined()
    assert (refused.value.type, refused.value.non_retryable) == (Failure.GIT_TAMPERED, True)


async def test_unchanged_work_has_nothing_to_examine(bench: Bench):
    """It has no bundle."""
    await bench.change(RIGHT)
    bench.work = bench.work.model_copy(update={"store_key": None})
    found = await bench.examined()
    assert (found.files, found.original, found.findings) == ((), (), 0)


async def test_many_changed_files_are_bounded(bench: Bench):
    """The answer stays small, and what was not looked at blocks."""
    await bench.change({f"pkg/{'deep' * 30}/module_{n:04}.py": f"x = {n}\n" for n in range(600)})
    found = await bench.examined()
    assert len(found.model_dump_json()) < 64 * 1024
    rules = {each.rule for each in (await read_report(bench.store, found.report)).findings}
    assert rules == {"unexamined"}


async def test_links_are_read_and_not_followed(bench: Bench, tmp_path: Path):
    """A link's target is text in the mirror."""
    await bench.change(RIGHT)
    workspace = Repo(tmp_path / "workspace")
    (tmp_path / "workspace/out").symlink_to("/etc/passwd")
    commit_files(workspace, {})
    bundle, bench.work = bundle_work(workspace, bench.work.base, key="work/2")
    bench.store.create("work/2", bundle)
    found = await read_report(bench.store, (await bench.examined()).report)
    assert [(each.rule, each.path) for each in found.findings] == [("link-outside", "out")]


async def test_the_whole_diff_is_kept_for_people(bench: Bench):
    """By session and tree, once; of unchanged work there is none."""
    await bench.change(RIGHT)
    reviews, tree = Reviews(bench.store), bench.work.tree
    changed = bench.work
    bench.work = changed.model_copy(update={"store_key": None})
    await bench.examined()
    assert not await reviews.has_diff(SESSION, tree)
    bench.work = changed
    for _ in range(2):
        await bench.examined()
        diff = await reviews.diff(SESSION, tree)
        assert diff.endswith(b"-    return a - b\n+    return a + b\n")
