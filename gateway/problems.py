"""How the gateway answers with an error (RFC 9457); the codes and their rows are the contract's.

Raised anywhere in the gateway, turned into an answer by `edge`, `app` and `server`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from workflows.contract.api import Problem
from workflows.contract.explanations.table import explain
from workflows.contract.problems import Code

MEDIA_TYPE = "application/problem+json"

DETAIL_CHARACTERS = 500
"""A longer detail, hint or field error is cut, since it may quote what the client sent."""

ERRORS_LIMIT = 20
"""More offending fields are not listed."""


class Answer(NamedTuple):
    """An error as HTTP carries it."""

    status: int
    headers: dict[str, str]
    body: bytes


class ProblemError(Exception):
    """A request that is answered with an error; says what, for which thing."""

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        hint: str | None = None,
        errors: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.hint = hint
        self.errors = errors
        self.headers = headers or {}

    def problem(self, request_id: str) -> Problem:
        """Return the error as programs read it."""
        row = explain(self.code)
        # A code that is none of the gateway's is a defect of who raised it.
        status = row.status or HTTPStatus.INTERNAL_SERVER_ERROR
        return Problem(
            title=row.title,
            status=status,
            detail=self.detail[:DETAIL_CHARACTERS],
            code=self.code,
            hint=(self.hint or row.cure)[:DETAIL_CHARACTERS],
            request_id=request_id,
            errors=tuple(error[:DETAIL_CHARACTERS] for error in self.errors[:ERRORS_LIMIT]),
        )

    def answer(self, request_id: str) -> Answer:
        """Render the error as an HTTP answer."""
        body = self.problem(request_id)
        headers = {"content-type": MEDIA_TYPE, **self.headers}
        if seconds := explain(self.code).retry_seconds:
            headers["retry-after"] = str(seconds)
        return Answer(body.status, headers, body.model_dump_json().encode())
