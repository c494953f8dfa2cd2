"""The pages made from the code are those that it makes now."""

from types import ModuleType

import pytest

from bench import document, summary
from tests.documents import PAGES
from tests.end_to_end.local_stack import ROOT
from workflows.contract.api import CreateSession


@pytest.mark.parametrize("made", PAGES, ids=lambda made: made.__name__.rpartition(".")[2])
def test_a_made_page_is_current(made: ModuleType) -> None:
    """What it says is what the code does; `make docs` writes it anew."""
    assert made.PAGE.read_text() == made.page()


def test_the_summary_of_the_benchmarks_is_that_of_their_tables() -> None:
    """No number stands there that no measurement has written; `python -m bench --write` does."""
    page = document.PAGE.read_text()
    assert summary.text(page).strip() in page
    assert len(summary.table(page).rows) == len(summary.HEADLINES)


def test_the_first_request_of_the_interface_is_one() -> None:
    """What the page shows is what the gateway takes."""
    page = (ROOT / "docs/api.md").read_text()
    body = page.partition("The least that")[2].partition("```json")[2].partition("```")[0]
    assert CreateSession.model_validate_json(body).prompt.text == "Fix the failing test"
