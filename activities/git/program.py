"""The one way the host runs git: GitPython, in one of our bare repositories, cleanly.

Used for the mirrors only. Git sees no configuration but what stands here and none of the worker's
environment variables but those named here, so that neither a person's `~/.gitconfig` nor a secret
meant for somebody else takes part.
"""

import os
import tempfile
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from git.cmd import Git
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError

from activities.failures import temporary
from activities.git.errors import printable
from workflows.contract.repository_url import RepositoryUrl

NETWORK_SECONDS = 600
"""A fetch, push or listing that takes longer is killed and retried."""

LOCAL_SECONDS = 300
"""Any other git command that takes longer is killed and retried."""

_TIMED_OUT = (124, 137)  # what coreutils' timeout exits with after SIGTERM, SIGKILL
_KEPT = {"PATH"}
_KEPT_FOR_SSH = {"PATH", "SSH_AUTH_SOCK"}
_KEPT_FOR_HTTPS = {
    *("PATH", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"),
}
_ENVIRONMENT = {
    "HOME": "/nonexistent",
    "LANGUAGE": "C",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=30",
}
_CONFIGURATION = {
    "core.hooksPath": os.devnull,
    "core.quotePath": "false",
    "core.fsync": "committed",
    # Activities share a mirror, and whoever holds a lock may wait for a slow disk.
    "core.filesRefLockTimeout": "30000",
    "core.packedRefsTimeout": "30000",
    "core.bigFileThreshold": "32m",  # bounds the memory that one huge file can take
    "transfer.fsckObjects": "true",
    # Old history has these harmless flaws; Gitaly lets them pass too.
    "fetch.fsck.badTimezone": "ignore",
    "fetch.fsck.missingSpaceBeforeDate": "ignore",
    "fetch.fsck.zeroPaddedFilemode": "ignore",
    "protocol.ext.allow": "never",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "credential.helper": "",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
    "advice.detachedHead": "false",
}
_PROTOCOLS = {"local": "file", "https": "https", "ssh": "ssh"}


Bytes = bytes | memoryview


class GitResult(NamedTuple):
    """What a git command printed and how it ended."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output without surrounding white space; not for file names."""
        return self.stdout.decode("utf-8", "replace").strip()


class GitBeginning(NamedTuple):
    """The beginning of what a git command printed."""

    stdout: bytes
    is_whole: bool
    """Whether there was no more of it."""


class GitProgram:
    """Git in one bare repository. The methods block; callers run them in a thread."""

    def __init__(self, folder: Path, token: SecretStr | None = None) -> None:
        """Run git in `folder`; `token` goes to https remotes and nowhere else."""
        self._folder = folder
        self._git = Git(folder)
        self._token = token

    def run(
        self, *arguments: str, stdin: Bytes = b"", environment: Mapping[str, str] | None = None
    ) -> GitResult:
        """Run a git command that reaches no other repository; any exit status is a result.

        Raises:
            ApplicationError: temporary, when it takes longer than `LOCAL_SECONDS`.
        """
        variables = {"GIT_ALLOW_PROTOCOL": "", **(environment or {})}
        return self._execute(
            arguments, variables, _KEPT, configuration={}, seconds=LOCAL_SECONDS, stdin=stdin
        )

    def require(
        self, *arguments: str, stdin: Bytes = b"", environment: Mapping[str, str] | None = None
    ) -> GitResult:
        """Do `run`; an exit status other than 0 is a temporary error."""
        result = self.run(*arguments, stdin=stdin, environment=environment)
        if result.status != 0:
            raise _failed(arguments, result.stderr)
        return result

    def begin(self, limit_bytes: int, *arguments: str) -> GitBeginning:
        """Do `require`, but end git once it has printed more than so many bytes; no more is read.

        Raises:
            ApplicationError: temporary, as `require`.
        """
        command, variables = self._started(
            arguments, {"GIT_ALLOW_PROTOCOL": ""}, _KEPT, configuration={}, seconds=LOCAL_SECONDS
        )
        # Held until the end: it kills its process when it is forgotten.
        running = self._git.execute(command, env=variables, as_process=True)
        process = running.proc
        assert process is not None
        with process:
            stdout: bytes = running.stdout.read(limit_bytes + 1)
            if len(stdout) > limit_bytes:
                process.terminate()
                return GitBeginning(stdout[:limit_bytes], is_whole=False)
            stderr: bytes = running.stderr.read()
        _check_time(process.returncode, arguments, LOCAL_SECONDS)
        if process.returncode != 0:
            raise _failed(arguments, stderr.decode("utf-8", "replace"))
        return GitBeginning(stdout, is_whole=True)

    def reach(self, url: RepositoryUrl, *arguments: str) -> GitResult:
        """Run a git command that reaches the remote; any exit status is a result.

        Raises:
            ApplicationError: temporary, when it takes longer than `NETWORK_SECONDS`.
        """
        kept = {"local": _KEPT, "ssh": _KEPT_FOR_SSH, "https": _KEPT_FOR_HTTPS}[url.kind]
        configuration = {}
        if url.kind == "https" and self._token is not None:
            pair = b64encode(f"x-access-token:{self._token.get_secret_value()}".encode()).decode()
            key = f"http.https://{url.host}/.extraHeader"
            configuration = {key: f"Authorization: Basic {pair}"}
        variables = {"GIT_ALLOW_PROTOCOL": _PROTOCOLS[url.kind]}
        return self._execute(
            arguments, variables, kept, configuration=configuration, seconds=NETWORK_SECONDS
        )

    def _execute(
        self,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        kept: set[str],
        *,
        configuration: Mapping[str, str],
        seconds: int,
        stdin: Bytes = b"",
    ) -> GitResult:
        command, variables = self._started(
            arguments, environment, kept, configuration=configuration, seconds=seconds
        )
        with tempfile.TemporaryFile() as file:  # a pipe would have to be fed while git writes
            file.write(stdin)
            file.seek(0)
            status, stdout, stderr = self._git.execute(
                command,
                istream=file,
                env=variables,
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
            )
        _check_time(status, arguments, seconds)
        return GitResult(status, stdout, stderr)

    def _started(
        self,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        kept: set[str],
        *,
        configuration: Mapping[str, str],
        seconds: int,
    ) -> tuple[list[str], dict[str, str]]:
        """Return the command that starts git cleanly, and its environment."""
        variables = {
            **_ENVIRONMENT,
            "GIT_DIR": str(self._folder),
            **_configuration_variables({**_CONFIGURATION, **configuration}),
            **environment,
        }
        # GitPython hands a copy of the worker's environment to git, and git to its children:
        # `env` takes away everything that is not named. Only names are arguments, never values.
        # `timeout` starts git in a group of its own and kills the group, remote helpers included.
        foreign = sorted(set(os.environ) - kept - set(variables))  # noqa: TID251  # names only
        command = ["env", *(f"--unset={name}" for name in foreign)]
        command += ["timeout", "--kill-after=10", str(seconds), "git", *arguments]
        return command, variables


def _check_time(status: int, arguments: tuple[str, ...], seconds: int) -> None:
    if status in _TIMED_OUT:
        message = f"git {arguments[0]} took longer than {seconds} s and was killed"
        raise temporary(message)


def _failed(arguments: tuple[str, ...], stderr: str) -> ApplicationError:
    return temporary(f"git {arguments[0]} failed: {printable(stderr)}")


def _configuration_variables(configuration: Mapping[str, str]) -> dict[str, str]:
    variables = {"GIT_CONFIG_COUNT": str(len(configuration))}
    for index, (key, value) in enumerate(configuration.items()):
        variables[f"GIT_CONFIG_KEY_{index}"] = key
        variables[f"GIT_CONFIG_VALUE_{index}"] = value
    return variables
