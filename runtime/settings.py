"""Every setting of every process, read from the environment once and passed on.

`OVERNIGHT_<NAME>` sets the field `<name>`. The address, namespace and credentials of a Temporal
cluster are read by `temporalio.envconfig` (`TEMPORAL_ADDRESS` and so on) in `runtime/temporal.py`.
"""

import errno
import os
import re
import secrets
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from runtime.secret_files import read_secret, read_variables

_MODEL = re.compile(r"[!-~]{1,200}")
_TOKEN = re.compile(r"[!-~]{20,500}")
LAST_PORT = 65_535
_BUCKET = re.compile(r"(s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*/?")


def default_home() -> Path:
    """Return the data folder by the XDG rules: `$XDG_DATA_HOME/overnight` or `~/.local/share/…`."""
    base = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".local" / "share") / "overnight"


class Settings(BaseSettings):
    """Settings of all processes; each process uses the few it needs."""

    model_config = SettingsConfigDict(
        env_prefix="OVERNIGHT_",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # it may be a secret
    )

    home: Path = Field(default_factory=default_home)
    """Data folder: database, store, mirrors, sandboxes, logs, token. One stack owns it."""

    store: str | None = None
    """Bucket to keep bytes in: `s3://bucket/prefix`, `gs://…` or `az://container/prefix`.

    None: the folder `store` of the data folder. Credentials come by the provider's usual variables.
    """

    model: str | None = None
    """LiteLLM name of the model of sessions that name none: `anthropic/claude-sonnet-4-5`."""

    model_fallbacks: Annotated[tuple[str, ...], NoDecode] = Field(default=(), max_length=5)
    """Comma-separated models that sessions which name no model turn to, in this order."""

    model_base_url: str | None = None
    """OpenAI-compatible endpoint to use instead of the provider's own."""

    model_context_tokens: int = Field(default=0, ge=0)
    """Input tokens of a model that litellm does not list; 0 finds its limit by running into it."""

    model_stall_seconds: float = Field(default=120.0, gt=0)
    """A stream silent for so long has failed."""

    model_cap_seconds: float = Field(default=900.0, gt=0, le=1_140)
    """A single model call never takes longer; the workflow gives it up after 20 minutes."""

    model_keys_dir: Path | None = None
    """Folder whose files are the provider's variables: the model worker sets each from its file."""

    sandbox: Literal["bubblewrap", "host"] = "bubblewrap"
    """`host` isolates nothing: for disposable machines only."""

    toolchain: Annotated[tuple[Path, ...], NoDecode] = ()
    """Colon-separated folders bound read-only into every sandbox; their `bin` goes on its PATH.

    A sandbox cannot be made without one of them, so a missing one is refused.
    """

    local_roots: Annotated[tuple[Path, ...], NoDecode] = (Path("/"),)
    """Colon-separated folders under which local repositories may be named; empty forbids them."""

    git_hosts: Annotated[tuple[str, ...], NoDecode] = (
        "github.com",
        "gitlab.com",
        "bitbucket.org",
        "codeberg.org",
    )
    """Comma-separated hosts whose https and ssh repositories may be named."""

    git_token_file: Path | None = None
    """File with `git_token`, in place of it."""

    git_token: SecretStr | None = Field(default=None, validate_default=True)
    """Token of `git_token_host`, used by the process that fetches and pushes, never elsewhere."""

    git_token_host: str = "github.com"  # noqa: S105  # a host
    """The one host, of `git_hosts`, that `git_token` is sent to, over https."""

    token_file: Path | None = None
    """File with the gateway's bearer token: at least 20 printable characters; None makes one."""

    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(default=0, ge=0, le=65_535)
    """0 takes a free port; `stack.json` in the data folder names it."""

    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1", "localhost", "[::1]")
    """Comma-separated values of the Host header that the gateway answers to."""

    sockets_limit: int = Field(default=500, ge=0)
    """Websockets that one gateway serves at once; more are asked to come back later."""

    socket_stall_seconds: float = Field(default=60.0, gt=0)
    """A websocket whose client reads nothing for so long is closed; it comes back where it was."""

    metrics_address: str | None = None
    """Address and port to serve metrics on for Prometheus, such as `127.0.0.1:9464`; none for none.

    Of a local stack the gateway takes this port and its workers the next three.
    """

    ready_file: Path | None = None
    """A worker touches this file once it polls its queues, and every 5 s as long as it runs; set by
    who waits for it.
    """

    temporal_address: str | None = None
    """Set by the supervisor of the local stack; else `temporalio.envconfig` decides."""

    @field_validator("store")
    @classmethod
    def _name_a_bucket(cls, value: str | None) -> str | None:
        if value and _BUCKET.fullmatch(value) is None:
            # Without the value, which may hold a key.
            message = (
                "must be s3://bucket, gs://bucket or az://container, each with /a/prefix or none"
            )
            raise ValueError(message)
        return value or None

    @field_validator("model_base_url")
    @classmethod
    def _name_an_endpoint(cls, value: str | None) -> str | None:
        if value and not value.startswith(("http://", "https://")):
            # Without the value, which may hold a key.
            message = "must be an http or https URL, such as http://127.0.0.1:8000/v1"
            raise ValueError(message)
        return value or None

    @field_validator("git_token_file", "token_file")
    @classmethod
    def _name_a_secret(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is None:
            return None
        secret = read_secret(value)
        if info.field_name == "token_file" and _TOKEN.fullmatch(secret) is None:
            message = f"{str(value)!r} must hold 20 to 500 printable characters without spaces"
            raise ValueError(message)
        return value

    @field_validator("git_token")
    @classmethod
    def _take_from_file(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        path = info.data.get("git_token_file")
        if path is None:
            if value is not None and not value.get_secret_value().strip():
                message = "is empty; put the token into it, or unset it"
                raise ValueError(message)
            return value
        if value is not None:
            message = "is set, and so is OVERNIGHT_GIT_TOKEN_FILE; unset one of them"
            raise ValueError(message)
        return SecretStr(read_secret(path))

    @field_validator("model_keys_dir")
    @classmethod
    def _name_secrets(cls, value: Path | None) -> Path | None:
        twice = [] if value is None else sorted(read_variables(value).keys() & os.environ.keys())
        if twice:
            message = f"{str(value)!r} holds {twice[0]}, which is set as well; unset one of them"
            raise ValueError(message)
        return value

    @field_validator("home", mode="before")
    @classmethod
    def _place_home(cls, value: object) -> object:
        # An empty one would be whatever folder the process stands in.
        if not value:
            return default_home()
        try:
            return Path(str(value)).expanduser().absolute()
        except RuntimeError as error:
            message = f"begins with '~' and no home folder is known for it ({error})"
            raise ValueError(message) from error

    @field_validator("metrics_address")
    @classmethod
    def _name_an_address(cls, value: str | None) -> str | None:
        if value and not _is_address(value):
            message = "must be an IP address with a port of 1 to 65535, such as 127.0.0.1:9464"
            raise ValueError(message)
        return value or None

    @field_validator("model", "model_fallbacks")
    @classmethod
    def _name_models(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        for name in (value,) if isinstance(value, str) else value or ():
            if name and _MODEL.fullmatch(name) is None:
                message = f"{name[:100]!r} is no model's name, such as anthropic/claude-sonnet-4-5"
                raise ValueError(message)
        return None if value == "" else value

    @field_validator("toolchain", "local_roots", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        return tuple(part for part in value.split(":") if part) if isinstance(value, str) else value

    @field_validator("toolchain")
    @classmethod
    def _find_toolchain(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        for folder in value:
            if not folder.is_absolute():
                message = f"{str(folder)[:200]!r} must be an absolute path, such as /opt/node"
                raise ValueError(message)
            if not (os.access(folder, os.R_OK | os.X_OK) and folder.is_dir()):
                message = (
                    f"{str(folder)!r} is no folder that can be read; install it or leave it out"
                )
                raise ValueError(message)
        return value

    @field_validator("git_hosts", "allowed_hosts", "model_fallbacks", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @property
    def store_path(self) -> Path:
        """Folder of the store of bytes, unless `store` names a bucket."""
        return self.home / "store"

    @property
    def mirrors_path(self) -> Path:
        """Folder of the bare git mirrors; the only git repositories the host works in."""
        return self.home / "mirrors"

    @property
    def sandboxes_path(self) -> Path:
        """Folder of this host's sandboxes and of their cached environments."""
        return self.home / "sandboxes"

    @property
    def token_path(self) -> Path:
        """File with the bearer token of the local gateway: the one given, or one made in `home`."""
        return self.token_file or self.home / "token"

    @property
    def stack_path(self) -> Path:
        """File that names the addresses and processes of the running stack, as JSON."""
        return self.home / "stack.json"


def wants_traces() -> bool:
    """Tell whether a collector of traces is named, as OpenTelemetry's exporter reads it."""
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return any(os.environ.get(name) for name in names)


def _is_address(value: str) -> bool:
    host, _, port = value.rpartition(":")
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return port.isascii() and port.isdecimal() and 0 < int(port) <= LAST_PORT


def wants_colour() -> bool:
    """Tell whether text for a terminal may be coloured (https://no-color.org)."""
    return not os.environ.get("NO_COLOR")


def read_or_create(path: Path, value: str) -> str:
    """Return the text of a private file, creating it (mode 0600) with `value` when it is absent.

    Two processes that create it at once agree on one value. One that exists is only read, so that a
    full disk keeps nobody out.
    """
    if path.exists():
        return path.read_text().strip()
    path.parent.mkdir(parents=True, exist_ok=True)
    pending = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(pending, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(pending, path)
    except FileExistsError:
        pass
    finally:
        pending.unlink()
    return path.read_text().strip()


class TokenError(OSError):
    """The data folder's token cannot be one."""


def gateway_token(settings: Settings) -> str:
    """Return the gateway's bearer token: the one a file gives, or one made for the data folder.

    Raises:
        TokenError: what stands there is empty or could not be sent; whoever sends nothing must not
            be let in by it.
    """
    if settings.token_file is not None:
        return read_secret(settings.token_file)
    token = read_or_create(settings.token_path, secrets.token_urlsafe(32))
    if _TOKEN.fullmatch(token) is None:
        reason = "holds no token; remove it, and the next start of the stack makes a new one"
        raise TokenError(errno.EINVAL, reason, str(settings.token_path))
    return token


def host_id(settings: Settings) -> str:
    """Return this host's id, made once per data folder and never taken from the host's name."""
    return read_or_create(settings.home / "host-id", secrets.token_hex(8))


def model_keys(settings: Settings) -> dict[str, str]:
    """Return the provider's variables that are given by files."""
    return {} if settings.model_keys_dir is None else read_variables(settings.model_keys_dir)


def adopt_model_keys(settings: Settings) -> None:
    """Set the variables that are given by files in this process, where litellm reads them."""
    os.environ.update(model_keys(settings))
