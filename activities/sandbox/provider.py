"""What differs between the kinds of local sandbox: how a box is made, what commands find in it."""

import os
from abc import ABC, abstractmethod
from pathlib import Path

from activities.sandbox import canary, namespaces
from activities.sandbox.box import BoxPaths
from activities.sandbox.lifetime import Launch
from activities.sandbox.namespaces import BoxSpec
from activities.sandbox.toolchain import bin_folders, identity, toolchain
from runtime.settings import Settings

_QUIET = {
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "TQDM_DISABLE": "1",
    "PIP_PROGRESS_BAR": "off",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""Keeps programs from waiting for a person and from filling the output with progress bars."""

_GIT_ALONE = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    # The lists of ignored files and of attributes in it count without any configuration.
    "XDG_CONFIG_HOME": os.devnull,
}


class SandboxRefusedError(Exception):
    """This host cannot make the configured kind of sandbox; nothing else is tried."""


class Provider(ABC):
    """Makes boxes of one kind on this host; looks at the host once, when it is made."""

    name: str

    keeps_paths: bool
    """Whether every session sees its workspace at the same path, so that what a set-up writes
    can be copied to another session."""

    def __init__(self, settings: Settings) -> None:
        """Find the toolchain; takes up to some seconds on a host with slow version managers."""
        self.toolchain = (*settings.toolchain, *toolchain())

    @abstractmethod
    def launch(self, paths: BoxPaths, *, network: bool) -> Launch:
        """Return what makes the command line of a new box."""

    @abstractmethod
    def workspace(self, paths: BoxPaths) -> str:
        """Return the path of the workspace as commands see it."""

    @abstractmethod
    def home(self, paths: BoxPaths) -> str:
        """Return the home folder as commands see it."""

    def environment(self, paths: BoxPaths) -> dict[str, str]:
        """Return all variables a command gets; nothing of the host's own environment."""
        home = self.home(paths)
        return {
            **_QUIET,
            "PATH": f"{home}/.local/bin:{bin_folders(self.toolchain)}",
            "HOME": home,
            "USER": namespaces.USER_NAME,
            "LOGNAME": namespaces.USER_NAME,
        }

    def own_environment(self, paths: BoxPaths) -> dict[str, str]:
        """Return the variables of our own commands.

        They use no program made in the box, and of git's configuration the repository's only.
        """
        return {**self.environment(paths), "PATH": bin_folders(self.toolchain), **_GIT_ALONE}

    def identity(self) -> str:
        """Name what commands find on this host besides their session's own files; looks anew."""
        found = identity((*self.toolchain, namespaces.own_interpreter().prefix))
        return f"{self.name} {found}"

    def _spec(self, paths: BoxPaths, *, network: bool) -> BoxSpec:
        return BoxSpec(paths=paths, network=network, toolchain=self.toolchain)


class Bubblewrap(Provider):
    """Boxes with namespaces of their own, no network and no view of the host but its tools."""

    name = "bubblewrap"
    keeps_paths = True

    def __init__(self, settings: Settings) -> None:
        """Find the program and make a box to see whether this host lets it.

        Raises:
            SandboxRefusedError: it does not; the message says why and what to do.
        """
        super().__init__(settings)
        try:
            self._bwrap = canary.find_bwrap()
        except canary.BubblewrapMissing as missing:
            raise SandboxRefusedError(str(missing)) from missing
        refusal = canary.canary(self._bwrap)
        if refusal is not None:
            raise SandboxRefusedError(refusal)
        self._layout = namespaces.host_layout()
        self._interpreter = namespaces.own_interpreter()

    def launch(self, paths: BoxPaths, *, network: bool) -> Launch:
        """Return what makes bwrap's command line."""
        spec = self._spec(paths, network=network)
        namespaces.write_etc(paths)
        return lambda handover: namespaces.bwrap_argv(
            self._bwrap, spec, self._layout, self._interpreter, handover
        )

    def workspace(self, paths: BoxPaths) -> str:  # noqa: ARG002  # the same for all
        """Return the one path of every workspace."""
        return namespaces.WORKSPACE

    def home(self, paths: BoxPaths) -> str:  # noqa: ARG002  # the same for all
        """Return the one path of every home."""
        return namespaces.HOME


class Host(Provider):
    """No isolation at all: commands see the machine as this process does. Unsafe by design."""

    name = "host (unsafe)"
    keeps_paths = False

    def launch(self, paths: BoxPaths, *, network: bool) -> Launch:
        """Return the supervisor's command line; the network cannot be refused here."""
        spec = self._spec(paths, network=network)
        interpreter = namespaces.own_interpreter()
        return lambda handover: namespaces.host_argv(spec, interpreter, handover)

    def workspace(self, paths: BoxPaths) -> str:
        """Return the folder itself."""
        return str(paths.workspace)

    def home(self, paths: BoxPaths) -> str:
        """Return the folder itself."""
        return str(paths.home)


def provider_for(settings: Settings) -> Provider:
    """Return the configured provider; none is ever chosen in place of another."""
    return Host(settings) if settings.sandbox == "host" else Bubblewrap(settings)


def boxes_folder(settings: Settings) -> Path:
    """Return the folder of all boxes of this host."""
    return settings.sandboxes_path / "boxes"
