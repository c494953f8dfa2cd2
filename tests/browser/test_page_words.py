"""What models write and what git prints is shown as it is: nothing dropped, nothing renamed."""

import pytest
from playwright.sync_api import Page

MARKDOWN = """async (text) => {
  const { markdown } = await import('/page/markdown.js');
  return markdown(text).map((each) => [each.localName, each.textContent,
    [...each.querySelectorAll('li')].map((item) => item.value)]);
}"""
FILES = """async (text) => {
  const { files } = await import('/page/diff.js');
  return files(text).map((file) => file.path);
}"""
VIEW = """async ([text, address]) => {
  const { diffView } = await import('/page/diff.js');
  const links = diffView(text, address).querySelectorAll('a');
  return [...links].map((each) => each.getAttribute('href'));
}"""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("```py\na\n```", [["div", "pya", []]]),
        ("```\na\n```\nb", [["pre", "a", []], ["p", "b", []]]),
        ("```rm -rf / # ok", [["p", "```rm -rf / # ok", []]]),
        ("```\na\n``` b\nc\n````", [["pre", "a\n``` b\nc", []]]),
        ("~~~\n```\n~~~", [["pre", "```", []]]),
        ("3. c\n7) d", [["ol", "cd", [3, 7]]]),
        ("1. a\n- b\n2. c", [["ol", "a", [1]], ["ul", "b", [0]], ["ol", "c", [2]]]),
    ],
)
def test_markdown_drops_no_text_and_no_number(
    page: Page, text: str, shown: list[list[object]]
) -> None:
    """Only a mark alone on its line, with one word at most, begins or ends code."""
    page.goto("/")
    assert page.evaluate(MARKDOWN, text) == shown


@pytest.mark.parametrize(
    ("diff", "path"),
    [
        ("diff --git a/evil b/README.md b/evil b/README.md\nold mode 100644", "evil b/README.md"),
        ("diff --git a/x y b/x y\n--- a/x y\t\n+++ b/x y\t\n@@ -1 +1 @@\n-a\n+b", "x y"),
        ("diff --git a/a b/a b/c\nsimilarity index 100%\nrename from a\nrename to a b/c", "a b/c"),
        ('diff --git "a/\\303\\244" "b/\\303\\244"\nold mode 100644', "ä"),
    ],
)
def test_a_changed_file_has_its_own_name(page: Page, diff: str, path: str) -> None:
    """However it is named, no other file's name is shown for it."""
    page.goto("/")
    assert page.evaluate(FILES, diff) == [path]


def test_a_diff_that_is_cut_links_to_all_of_it(page: Page) -> None:
    """A line that is too long to be shown is to be had by the link, and only then is there one."""
    page.goto("/")
    head = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n+"
    assert page.evaluate(VIEW, [head + "y" * 3_000, "/whole"]) == ["/whole"]
    assert page.evaluate(VIEW, [head + "y", "/whole"]) == []
