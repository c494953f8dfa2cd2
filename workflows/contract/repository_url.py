"""Which repository URLs are allowed, and their one canonical spelling; parsing only, no IO.

The mirrors check with this before git sees a URL, and the gateway may check with it early. A URL
is taken apart and rebuilt from parts that passed, so that nothing else in it can reach git.
"""

import re
from collections.abc import Collection
from typing import Literal, NoReturn

from workflows.contract.base import Frozen

URL_LIMIT = 2_000
"""Characters of a URL; a longer one is refused."""

_FORMS = "name an absolute local path, https://<host>/<path> or ssh://git@<host>/<path>"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_WEB = re.compile(r"(?i:(https|ssh)://)(?:([^/@]*)@)?([^/@:\[\]]*)(?::([0-9]*))?(/.*)")
_SCP = re.compile(r"([A-Za-z0-9._-]+)@([^/:@]+):([^:]+)")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_PATH = re.compile(r"/?[A-Za-z0-9._~+][A-Za-z0-9._~+-]*(/[A-Za-z0-9._~+][A-Za-z0-9._~+-]*)*/?")
_USER = re.compile(r"(//)[^/]*@")
_PORTS = {"https": ("", "443"), "ssh": ("", "22")}
_USERS = {"https": "", "ssh": "git"}


class RepositoryUrl(Frozen):
    """A URL that passed, rebuilt from its parts."""

    kind: Literal["local", "https", "ssh"]
    canonical: str
    host: str = ""
    """In lower case; empty for a local path."""


def parse_repository_url(url: str, allowed_hosts: Collection[str]) -> RepositoryUrl:
    """Take a repository URL apart and rebuild it.

    A local path is only known to be absolute and printable: whether it exists under an allowed
    folder is for the process that can look.

    Raises:
        ValueError: it is not allowed; the message says what, why and what to do.
    """
    if not url or len(url) > URL_LIMIT:
        _refuse(url, f"it must have 1 to {URL_LIMIT} characters", _FORMS)
    if _CONTROL.search(url):
        _refuse(url, "it contains control characters", "remove them")
    if url.startswith("/"):
        return RepositoryUrl(kind="local", canonical=url)
    if url != url.strip() or re.search(r"\s", url):
        _refuse(url, "it contains white space", "remove it")
    if "%" in url:
        _refuse(url, "it contains percent-encoded characters", "write the plain name")
    if "://" in url:
        return _parse_web(url, allowed_hosts)
    return _parse_scp(url, allowed_hosts)


def without_secret(url: str) -> str:
    """Return a URL to be shown: without the user it names and their password."""
    return _USER.sub(r"\1***@", url)


def _parse_web(url: str, allowed_hosts: Collection[str]) -> RepositoryUrl:
    scheme = url.partition("://")[0].lower()
    if scheme not in _PORTS:
        _refuse(url, f"the scheme {scheme!r} is not allowed", _FORMS)
    match = _WEB.fullmatch(url)
    if match is None:
        _refuse(url, "it has no plain host and path", _FORMS)
    _, user, host, port, path = match.groups()
    if (user or "") != _USERS[scheme]:
        wanted = "ssh://git@<host>/<path>" if scheme == "ssh" else "https://<host>/<path>"
        _refuse(url, "it names another user or a password", f"write {wanted}")
    if (port or "") not in _PORTS[scheme]:
        _refuse(url, f"the port {port} is not allowed", "leave the port out")
    host = _checked_host(url, host, allowed_hosts)
    path = _checked_path(url, path)
    if scheme == "https":
        return RepositoryUrl(kind="https", canonical=f"https://{host}{path}", host=host)
    return RepositoryUrl(kind="ssh", canonical=f"ssh://git@{host}{path}", host=host)


def _parse_scp(url: str, allowed_hosts: Collection[str]) -> RepositoryUrl:
    match = _SCP.fullmatch(url)
    if match is None:
        _refuse(url, "it is neither a path nor a URL", _FORMS)
    user, host, path = match.groups()
    if user != "git":
        _refuse(url, "it names another user", "write git@<host>:<path>")
    host = _checked_host(url, host, allowed_hosts)
    path = _checked_path(url, path)
    return RepositoryUrl(kind="ssh", canonical=f"git@{host}:{path}", host=host)


def _checked_host(url: str, host: str, allowed_hosts: Collection[str]) -> str:
    lowered = host.lower()
    if lowered not in allowed_hosts or not _HOST.fullmatch(lowered):
        listed = ", ".join(sorted(allowed_hosts)) or "none"
        instead = f"use one of {listed}, or ask the operator to add it to OVERNIGHT_GIT_HOSTS"
        _refuse(url, f"the host {host!r} is not allowed", instead)
    return lowered


def _checked_path(url: str, path: str) -> str:
    if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        _refuse(
            url,
            f"the path {path!r} is not plain",
            "use letters, digits and . _ ~ + - only, with no part that starts with - or is '..'",
        )
    return path.rstrip("/")


def _refuse(url: str, why: str, instead: str) -> NoReturn:
    message = f"the repository {without_secret(url)[:200]!r} is refused: {why}; {instead}"
    raise ValueError(message)
