"""What git said, put so that a person knows what to do, and whether a retry may mend it."""

import re

from temporalio.exceptions import ApplicationError

from activities.failures import permanent, temporary
from workflows.contract.failures import Failure
from workflows.contract.repository_url import RepositoryUrl


def printable(text: str) -> str:
    """Make text of a remote fit to show: one line of at most 500 printable characters."""
    plain = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", text)
    plain = "".join(char if char.isprintable() else " " for char in plain)
    return " ".join(plain.split())[:500]


def remote_error(url: RepositoryUrl, stderr: str) -> ApplicationError:
    """Translate a failure to reach or read a remote: what a person must mend is not retryable."""
    said = printable(stderr)
    if re.search(_FULL, stderr, re.IGNORECASE):
        return temporary(f"this host has no room for {url.canonical!r}: free space on it ({said})")
    for pattern, meaning in _REFUSALS:
        if re.search(pattern, stderr, re.IGNORECASE):
            return permanent(
                Failure.REPOSITORY, f"the repository {url.canonical!r}: {meaning} (git: {said})"
            )
    return temporary(f"the repository {url.canonical!r} cannot be reached: {said}")


_FULL = r"no space left on device|disk quota exceeded"

_REFUSALS = (
    (
        r"dubious ownership",
        "its folder belongs to another user; run Overnight as its owner or change the owner",
    ),
    (
        r"authentication failed|could not read (username|password)|permission denied|error: 40[13]",
        "access is denied; for https set OVERNIGHT_GIT_TOKEN, for ssh load a key into the agent",
    ),
    (
        r"host key verification failed",
        "the host's ssh key is unknown; connect once by hand and add it to known_hosts",
    ),
    (
        r"error: 30\d|unable to update url base",
        "the server redirects, and redirects are not followed; name the final address",
    ),
    (
        r"not our ref|couldn't find remote ref|unadvertised object",
        "it has no such commit; push the commit or name another",
    ),
    (
        r"not (appear to be )?a git repository|repository .*not found|error: 404|not be found",
        "there is no such repository, or it is private; correct the name or give access",
    ),
    (
        r"fsck|in object|all necessary|mismatched algorithms|corrupt|(bad|missing) .*object",
        "its objects are broken or of a kind git here does not read; run git fsck in it",
    ),
)
