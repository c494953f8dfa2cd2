"""Errors that a person can act on; what their codes mean stands in the contract's table."""

from workflows.contract.explanations.table import explain
from workflows.contract.problems import Code, ExitCode


class CliProblem(Exception):  # noqa: N818 - the gateway's word for it
    """An expected error: shown as text without a traceback; `hint` says what to do about it."""

    def __init__(
        self, code: Code, detail: str, hint: str = "", *, session: str = "SESSION"
    ) -> None:
        super().__init__(detail)
        self.code = code
        """Stable name for programs; the gateway's own code when the gateway refused."""
        self.detail = detail
        self.hint = hint or _cure(code, session)
        """What to do about it: the table's cure, for this session, unless more is known."""

    @property
    def exit_code(self) -> ExitCode:
        """What `overnight` exits with because of it."""
        found = explain(self.code).exit_code
        return ExitCode.ERROR if found is None else found


def _cure(code: Code, session: str) -> str:
    row = explain(code)
    return row.typed.format(session=session) or row.cure
