"""The page of results: each measurement replaces the block with its name, nothing else."""

import re
from pathlib import Path

from bench import summary

SUMMARY = "summary"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def replace(name: str, text: str) -> None:
    """Write a measurement's tables between its marks in the page, and the summary anew.

    Raises:
        ValueError: the page has no such marks.
    """
    begin, end = f"<!-- bench {name} -->", f"<!-- end {name} -->"
    page = PAGE.read_text("utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        message = f"{PAGE.name} has no block {begin!r} … {end!r}; add both lines"
        raise ValueError(message)
    block = f"{begin}\n{text.strip()}\n{end}"
    PAGE.write_text(pattern.sub(lambda _: block, page), "utf-8")
    if name != SUMMARY:
        replace(SUMMARY, summary.text(PAGE.read_text("utf-8")))
