"""Nothing that others wrote does anything in the page: it is text, wherever it is shown."""

import base64
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.watching import command, open_session, row
from tests.end_to_end.conftest import CODE
from tests.end_to_end.local_stack import LocalStack, Reply, bash, finish, make_repository

PAYLOADS = (
    "<script>window.canary = 1</script>",
    '<img src=x onerror="window.canary = 2">',
    "<svg onload='window.canary = 3'><a href='javascript:window.canary = 4'>x</a></svg>",
    '<iframe srcdoc="<script>parent.canary = 5</script>"></iframe>',
    "</title></textarea><style>* { display: none }</style>",
    "[click](javascript:window.canary=6) [here](https://example.invalid/a?b=c)",
    "![pixel](http://127.0.0.1:9/pixel.png) <https://example.invalid/>",
    "{{constructor.constructor('window.canary = 7')()}} ${window.canary = 8}",
    "`<b>code</b>` **<i>bold</i>**",
    "abc\u202egnp.exe \u2066x\u2069 \u200b\ufeff\u00ad\U000e0041",
)
TEXT = "\n".join(PAYLOADS)
SEQUENCES = (
    b"\x1b]8;;javascript:window.canary=9\x1b\\link\x1b]8;;\x1b\\ "
    b"\x1b]52;c;Y2FuYXJ5\x07\x1b]0;canary title\x07\x1b[2J\x1b[1;1H\x1b[8mconcealed\x1b[0m "
    b'\x1bP$q"p\x1b\\\x9b5n\x05\x00\x07\x08 \x1b[31mred\x1b[0m \xff\xfe end\n'
)
OUTPUT = TEXT.encode() + b"\n" + SEQUENCES + b"y" * 300_000 + b"\nlast line\n"
FLOOD = "head -c 300000 /dev/zero | tr '\\0' y; echo; seq 20000"
NAME = "a\u202e<img src=x onerror=canary()>.py"
TEST = f"""
def test_hostile():
    assert False, {TEXT!r}
"""

SEEN = """() => {
  const all = [...document.querySelectorAll('*')];
  return {
    tags: [...new Set(all.map((each) => each.localName))],
    attributes: [...new Set(all.flatMap((each) => each.getAttributeNames()))],
    links: [...document.links].map((each) => each.getAttribute('href')),
    text: document.body.textContent,
    title: document.title,
    canary: String(window.canary),
  };
}"""

TAGS = frozenset(
    re.findall(
        r"\w+",
        """html head meta title link script body noscript
        div p span a nav header main section aside h1 h2 h3 ul ol li dl dt dd details summary button
        form label textarea input datalist option pre code strong bdi time dialog""",
    )
)
"""The frame of every page, and what the page makes of others' words."""


def shell_with(data: bytes, then: str) -> str:
    return f"echo {base64.b64encode(data).decode()} | base64 -d{then}"


@pytest.fixture(scope="module")
def scripts() -> dict[str, list[Reply]]:
    write = f"touch '{NAME}'; {shell_with(TEST.encode(), ' > test_hostile.py')}"
    return {
        "hostile": [
            bash(f"# {PAYLOADS[1]} {PAYLOADS[-1]}\n{write}", text=TEXT),
            bash(f"echo printed; {shell_with(OUTPUT[:5_000], '; exit 1')}"),
            *[finish(f"{PAYLOADS[1]} {PAYLOADS[-1]}\n\n{TEXT}")] * 6,
        ],
        "flood": [bash(FLOOD), finish("flooded")],
    }


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("code")
    return make_repository(parent / "<img src=x onerror=canary()>", CODE)


def assert_inert(page: Page) -> None:
    """Nothing ran, nothing but the page's own kinds of elements is there, nothing is hidden."""
    seen = page.evaluate(SEEN)
    assert seen["canary"] == "undefined"
    assert set(seen["tags"]) <= TAGS
    assert not [name for name in seen["attributes"] if name.startswith("on") or name == "style"]
    assert {"src"} >= set(seen["attributes"]) & {"src", "srcdoc", "srcset", "action", "formaction"}
    for link in seen["links"]:
        assert link.startswith(("/", "https://example.invalid/", "http://127.0.0.1:9/")), link
    hidden = "\u202e\u2066\u2069\u200b\ufeff\u00ad\U000e0041\x1b\x00\x07\x9b"
    assert not set(hidden) & set(seen["text"])
    assert "canary title" not in seen["title"]


def test_hostile_words_are_text_everywhere(page: Page, stack: LocalStack, repository: Path) -> None:
    """In task, replies, commands, output, findings, file names, question, diff and proposal."""
    session = stack.run(repository, "hostile", TEXT).id
    open_session(page, session)
    question = page.get_by_role("region", name="Question")
    expect(question).to_be_visible()
    expect(question.locator(".diff")).to_contain_text("onerror=canary()>.py")
    expect(command(page, "echo printed").locator(".output")).to_contain_text("onerror")
    findings = page.get_by_role("region", name="Checks")
    expect(findings).to_contain_text("<script>window.canary")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    expect(page.locator(".step .md").first).to_contain_text("<script>window.canary = 1</script>")
    expect(page.locator(".step .md a").first).to_have_text("https://example.invalid/a?b=c")
    printed = command(page, "echo printed").locator(".output")
    expect(printed).to_contain_text("abc⟨U+202E⟩gnp.exe")
    assert_inert(page)
    question.get_by_role("button", name="Approve").click()
    proposal = page.get_by_role("region", name="Pull request")
    expect(proposal.get_by_role("heading", level=3)).to_contain_text("onerror")
    assert_inert(page)
    page.goto("/")
    expect(row(page, "Done", "hostile")).to_contain_text("<img src=x onerror=canary()>")
    assert_inert(page)
    stack.close([session])


def test_a_flood_of_output_is_cut_and_says_so(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """The newest lines are there, the number of the others is told, all of it is a download."""
    session = stack.run(repository, "flood").id
    open_session(page, session)
    flood = command(page, "head -c 300000")
    expect(flood).to_contain_text("exit 0")
    flood.locator("summary").click()
    expect(flood.locator(".output")).to_contain_text("20000")
    expect(flood.locator(".cut")).to_contain_text("15,00")
    assert flood.locator(".line").count() <= 5_001
    with page.expect_download() as download:
        flood.get_by_role("link", name="stdout").click()
    whole = download.value.path().read_text()
    assert whole == "y" * 300_000 + "\n" + "".join(f"{n}\n" for n in range(1, 20_001))
    stack.close([session])


TERMINAL = """async ([encoded, size]) => {
  const { Terminal } = await import('/page/terminal.js');
  const all = Uint8Array.from(atob(encoded), (each) => each.charCodeAt(0));
  const terminal = new Terminal([]);
  for (let at = 0; at < all.length; at += size) {
    terminal.feed([{ channel: 1, data: all.subarray(at, at + size) }]);
  }
  terminal.flush();
  return [...terminal.body.children].map((line) => line.textContent.replace(/\\n$/, ''));
}"""


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        (b"plain\nlines", ["plain", "lines"]),
        (b"10%\r50%\r100%\ndone\r\n", ["100%", "done"]),
        (b"a\x1b[31mred\x1b[0m b\x1b[2Jc\x1b[1;1Hd", ["ared bcd"]),
        (b"\x1b]0;title\x07shown\x1b]52;c;eA==\x1b\\too", ["showntoo"]),
        (b"\x1b]8;;javascript:x\x1b\\link\x1b]8;;\x1b\\", ["link"]),
        (b"\x1bP1$r0m\x1b\\after\x1b(Bset", ["afterset"]),
        ("ä€😀 \x9b31mred".encode(), ["ä€😀 red"]),
        (b"\xff broken \xc3", ["\ufffd broken "]),
        (b"a\x00\x07\x08\x7fb\tc", ["ab\tc"]),
        ("x\u202ey\u200bz\U000e0041".encode(), ["x⟨U+202E⟩y⟨U+200B⟩z⟨U+E0041⟩"]),
        (b"open\x1b]0;" + b"t" * 5_000 + b"shown\n", None),
        (b"y" * 3_000 + b"\nnext", ["y" * 2_000 + " … the line goes on", "next"]),
    ],
)
def test_output_is_shown_the_same_however_it_is_cut(
    page: Page, printed: bytes, lines: list[str] | None
) -> None:
    """Colours and rewritten lines are understood, all else of a terminal's language is dropped."""
    page.goto("/")
    encoded = base64.b64encode(printed).decode()
    whole = page.evaluate(TERMINAL, [encoded, len(printed)])
    assert lines is None or whole == lines
    # A sequence without an end hides no more than a few thousand characters.
    assert lines is not None or whole[0].endswith("shown")
    for size in (1, 2, 3, 7):
        assert page.evaluate(TERMINAL, [encoded, size]) == whole


MARKDOWN = """async (text) => {
  const { markdown } = await import('/page/markdown.js');
  const { el } = await import('/page/dom.js');
  const made = el('div', {}, markdown(text));
  made.normalize();
  const told = (node) => node.nodeType === 3 ? node.data
    : [node.localName, ...[...node.childNodes].map(told)];
  return [...made.childNodes].map(told);
}"""


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("one\ntwo\n\nthree", [["p", "one\ntwo"], ["p", "three"]]),
        ("# Head\n- a\n- **b**", [["p", "Head"], ["ul", ["li", "a"], ["li", ["strong", "b"]]]]),
        ("1. x\n2. `y`", [["ol", ["li", "x"], ["li", ["code", "y"]]]]),
        (
            "```py\n<b> **x**\n```\nend",
            [["div", ["span", "py"], ["pre", ["code", "<b> **x**"]]], ["p", "end"]],
        ),
        ("```\nnever closed", [["pre", ["code", "never closed"]]]),
        (
            "[a](https://x.invalid/) and [b](javascript:alert(1))",
            [
                [
                    "p",
                    ["span", "a (", ["a", "https://x.invalid/"], ")"],
                    " and [b](javascript:alert(1))",
                ]
            ],
        ),
        (
            "![p](http://x.invalid/p.png)",
            [["p", "!", ["span", "p (", ["a", "http://x.invalid/p.png"], ")"]]],
        ),
        ("<img src=x> &amp; <b>", [["p", "<img src=x> &amp; <b>"]]),
        ("http://[ no address", [["p", "http://[ no address"]]),
    ],
)
def test_markdown_becomes_few_kinds_of_elements(page: Page, text: str, parts: list[object]) -> None:
    """Paragraphs, lists, code, emphasis, links that show where they lead; all else is text."""
    page.goto("/")
    assert page.evaluate(MARKDOWN, text) == json.loads(json.dumps(parts))


DIFF = """async (text) => {
  const { files } = await import('/page/diff.js');
  return files(text).map(({ path, added, removed, lines }) =>
    [path, added, removed, lines.map((line) => line.kind).join(' ')]);
}"""


@pytest.mark.parametrize(
    ("diff", "files"),
    [
        ("", []),
        (
            "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@ def f\n x\n-y\n+z\n",
            [["a.py", 1, 1, "hunk same removed added"]],
        ),
        (
            'diff --git "a/\\303\\244 \\"q\\".py" "b/\\303\\244 \\"q\\".py"\nnew file\n',
            [['ä "q".py', 0, 0, "fact"]],
        ),
        (
            # What looks like a head within a hunk is a line of a file.
            "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n--- b/evil\n+++ b/evil\n",
            [["a", 1, 1, "hunk removed added"]],
        ),
        (
            "\n".join(
                (
                    "diff --git a/x b/y\nsimilarity index 90%\nrename from x\nrename to y",
                    "diff --git a/z b/z\nBinary files a/z and b/z differ\n",
                )
            ),
            [["y", 0, 0, "fact fact fact"], ["z", 0, 0, "fact"]],
        ),
    ],
)
def test_a_diff_is_taken_apart_by_files(page: Page, diff: str, files: list[object]) -> None:
    """Odd names are unquoted, and no line of a file is taken for the beginning of another one."""
    page.goto("/")
    assert page.evaluate(DIFF, diff) == files
