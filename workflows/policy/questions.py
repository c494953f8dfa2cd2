"""Names open questions by what exactly they are about."""

import hashlib

from workflows.contract.asking import Asked, AskedKind
from workflows.contract.base import Sha256

TEXT_CHARACTERS = 600
SUBJECT_CHARACTERS = 500


def question(
    kind: AskedKind,
    text: str,
    *bound: str,
    subject: str = "",
    options: tuple[str, ...] = (),
    source: Sha256 | None = None,
) -> Asked:
    """Make a question whose id follows from its kind, `bound`, subject and source.

    An answer to it fits no other command, no other files, and no other moment than `bound` says.
    """
    parts = "\0".join((kind.value, *bound, subject, source or ""))
    return Asked(
        id=hashlib.sha256(parts.encode()).hexdigest()[:16],
        kind=kind,
        text=text[:TEXT_CHARACTERS],
        options=options,
        subject=subject[:SUBJECT_CHARACTERS],
        source=source,
    )
