"""The list of metrics in docs/observability.md, made from `workflows/contract/metrics.py`."""

from pathlib import Path

from workflows.contract import metrics

PAGE = Path(__file__).parents[2] / "docs/observability.md"
BEGIN, END = "<!-- metrics: begin -->\n", "<!-- metrics: end -->\n"


def page() -> str:
    """Return the page with the list as it should be."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{_table()}{END}{after}"


def _table() -> str:
    rows = [
        f"| `{metric.exported}` | {metric.kind} | {metric.unit} | "
        f"{', '.join(f'`{label}`' for label in metric.labels)} | {metric.meaning} |\n"
        for metric in metrics.ALL
    ]
    return "".join(
        ["| metric | kind | unit | labels | counts |\n", "|---|---|---|---|---|\n", *rows]
    )
