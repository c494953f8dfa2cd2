"""Which gateway a command speaks to: one named by the person, or the local stack's."""

from collections.abc import Callable
from typing import NamedTuple

import httpx2

from cli.client import Gateway
from cli.problems import CliProblem
from cli.stack import environment, folder, up
from cli.terminal import inert_line, say
from cli.transport import Transport
from runtime.reading import SettingsRefusedError, read_settings, read_values
from runtime.settings import Settings, gateway_token, model_keys
from workflows.contract.problems import Code


class Reach(NamedTuple):
    """The gateway named by the person; the local stack's when there is no URL."""

    url: str | None = None
    token: str | None = None
    is_url_typed: bool = False
    """Whether it stands in the command and not in the environment; so for the token."""

    is_token_typed: bool = False

    @property
    def url_name(self) -> str:
        """How the person gave the URL, or may give it."""
        return "--url" if self.is_url_typed else "OVERNIGHT_URL"

    @property
    def token_name(self) -> str:
        """How the person gave the token, or may give it."""
        return "--token" if self.is_token_typed else "OVERNIGHT_TOKEN"


def settings() -> Settings:
    """Read the settings, with the data folder made absolute.

    Raises:
        CliProblem: a variable has a value that does not fit, or is no setting.
    """
    return _found(read_settings)


def settings_as_given() -> Settings:
    """Read the settings without a look at variables that are none; for who looks by himself.

    Raises:
        CliProblem: a variable has a value that does not fit.
    """
    return _found(read_values)


def _found(read: Callable[[], Settings]) -> Settings:
    try:
        return read()
    except SettingsRefusedError as refused:
        raise CliProblem(Code.SETTINGS, f"a setting is wrong: {refused}") from refused


def connect(reach: Reach) -> Gateway:
    """Return the gateway that is named, else the local stack's, waiting while that starts.

    Raises:
        CliProblem: no stack runs in the data folder (`gateway_unreachable`), or what is named
            cannot be used.
    """
    if reach.url:
        return _named(reach, reach.url, reach.token or _given_token())
    _require_url(reach)
    local = settings()
    if folder.owner(local.home) is None:
        raise CliProblem(
            Code.GATEWAY_UNREACHABLE,
            f"no stack runs in {str(local.home)!r}",
            "start one with: overnight up (or name another gateway by OVERNIGHT_URL)",
        )
    record = up.wait_until_ready(local)
    with folder.using(local.home):
        token = gateway_token(local)
    return Gateway(
        Transport(
            record.gateway_url,
            token,
            local=True,
            may_return=lambda: folder.owner(local.home) == record.pid,
        )
    )


def start_if_needed(reach: Reach, model: str | None) -> Gateway:
    """Return the gateway, with the local stack started in the background when none is named.

    Raises:
        CliProblem: no model is named, or the stack does not become ready.
    """
    if reach.url:
        return connect(reach)
    _require_url(reach)
    local = settings()
    # A stack that runs already was told its model and its keys when it was started.
    if folder.owner(local.home) is None:
        _check_model(local, model)
    record, started = up.ensure_running(local)
    if started:
        say(f"started the local stack ({record.gateway_url}); stop it with: overnight down")
        warn_of_host(local)
    return connect(reach)


def require_local(reach: Reach) -> None:
    """Refuse a gateway named in a command that is about the local stack only.

    Raises:
        CliProblem: `--url` or `--token` was typed.
    """
    if reach.is_url_typed or reach.is_token_typed:
        raise CliProblem(
            Code.GATEWAY_UNUSABLE,
            f"this command is about the local stack and reaches no other gateway: {reach.url!r}"
            if reach.is_url_typed
            else "this command is about the local stack, which has its own token",
            "leave out --url and --token",
        )


def warn_of_host(local: Settings) -> None:
    """Say so when the stack's sandboxes are none."""
    if local.sandbox == "host":
        say(
            "UNSAFE: OVERNIGHT_SANDBOX=host isolates nothing. The model's commands run as you and "
            "see all you see; use it on disposable machines only."
        )


def _given_token() -> str:
    given = settings()
    return "" if given.token_file is None else gateway_token(given)


def _require_url(reach: Reach) -> None:
    if reach.is_token_typed:
        raise CliProblem(
            Code.GATEWAY_UNUSABLE,
            "--token is given, but no URL of a gateway that it is for",
            "name the gateway by --url, or leave out --token to use the local stack",
        )


def _named(reach: Reach, url: str, token: str) -> Gateway:
    wrong = CliProblem(
        Code.GATEWAY_UNUSABLE, f"{reach.url_name} must be an http or https URL, not {url!r}"
    )
    if not url.startswith(("http://", "https://")):
        raise wrong
    if not token.strip():
        raise CliProblem(
            Code.GATEWAY_UNUSABLE,
            f"{reach.url_name} names the gateway {url!r}, but no token is given",
            "give its token by --token or OVERNIGHT_TOKEN",
        )
    if not (token.isascii() and token.isprintable()):
        raise CliProblem(Code.GATEWAY_UNUSABLE, f"{reach.token_name} must be plain text")
    try:
        return Gateway(Transport(url, token, local=False, may_return=lambda: True))
    except httpx2.InvalidURL as error:
        raise wrong from error


def _check_model(local: Settings, model: str | None) -> None:
    model = model or local.model
    if not model:
        raise CliProblem(
            Code.MODEL_MISSING,
            "no model is named",
        )
    key = environment.missing_key(
        model,
        base_url=local.model_base_url,
        environment=environment.person_environment() | model_keys(local),
    )
    if key:
        say(f"warning: {key} is not set, which {inert_line(model)} usually needs")
