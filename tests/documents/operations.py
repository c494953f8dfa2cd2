"""The list of REST operations in docs/api.md, made from the interface's own description."""

from pathlib import Path

from gateway.app import interface

PAGE = Path(__file__).parents[2] / "docs/api.md"
BEGIN, END = "<!-- operations: begin -->\n", "<!-- operations: end -->\n"
BASE = "/api/v1"


def page() -> str:
    """Return the page with the list as it should be."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{_table()}{END}{after}"


def _table() -> str:
    rows = [
        f"| `{method.upper()} {path.removeprefix(BASE)}` | {_first_sentence(told)} |\n"
        for path, methods in interface().openapi()["paths"].items()
        for method, told in methods.items()
        if method != "head"
    ]
    return "".join(["| request | does |\n", "|---|---|\n", *rows])


def _first_sentence(told: dict[str, str]) -> str:
    return " ".join(told["description"].split("\n\n")[0].split()).replace("|", "\\|")
