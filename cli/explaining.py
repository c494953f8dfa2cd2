"""Says what a code means: of the command line, of the gateway's answers, of failed sessions."""

import json
from difflib import get_close_matches

from cli.problems import CliProblem
from cli.terminal import Output, inert_line, result, table
from workflows.contract.explanations.table import TABLE, explain, known
from workflows.contract.problems import Code

NEAR_MATCHES = 3


def print_explanation(text: str, output: Output) -> None:
    """Print the row of the code of this name.

    Raises:
        CliProblem: `code_unknown`, with those that are written alike.
    """
    code = known(text.strip().lower().replace("-", "_"))
    if code is None:
        raise _unknown(text)
    if output is Output.ID:
        result(code)
    else:
        result(_as_json(code) if output is Output.JSON else _as_text(code))


def print_codes(output: Output) -> None:
    """Print all codes with their titles."""
    if output is Output.JSON:
        result("[" + ",".join(_as_json(code) for code in TABLE) + "]")
    elif output is Output.ID:
        result("\n".join(TABLE))
    else:
        result(table(("CODE", "MEANS"), [(code.value, row.title) for code, row in TABLE.items()]))


def _as_text(code: Code) -> str:
    row = explain(code)
    numbers = [f"HTTP {row.status}"] if row.status is not None else []
    if row.exit_code is not None:
        numbers.append(f"exit status {row.exit_code}")
    origin = ", ".join([" and ".join(row.sources), *numbers])
    cure = row.cure + (f"\n      or {row.typed.format(session='SESSION')}" if row.typed else "")
    return f"{code}: {row.title} ({origin})\n  why: {row.cause}\n  try: {cure}"


def _as_json(code: Code) -> str:
    fields = {"code": code, **explain(code)._asdict()}
    return json.dumps(fields)


def _unknown(text: str) -> CliProblem:
    near = get_close_matches(text, list(TABLE), n=NEAR_MATCHES)
    hint = f"did you mean: {', '.join(near)}? All codes: overnight explain" if near else ""
    return CliProblem(Code.CODE_UNKNOWN, f"there is no code {inert_line(text, 60)!r}", hint)
