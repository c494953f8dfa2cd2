"""Which process of the stack sees which part of the person's environment.

The rule, by name, first match wins:

1. With a store in a bucket (`OVERNIGHT_STORE`), the variables of its provider are for every process
   of ours, by their prefix (`STORE_PREFIXES`) but for the endings of rule 4; so are proxies.
2. `TEMPORAL_*` is for every process when a cluster is used, and for none with the embedded server.
3. `OVERNIGHT_GIT_TOKEN` (or `…_FILE`) and `SSH_AUTH_SOCK` are for the host worker, which fetches
   and pushes; `OVERNIGHT_MODEL_KEYS_DIR` is for the model worker and `OVERNIGHT_TOKEN_FILE` for
   the gateway.
4. Provider variables are for the model worker: a name that ends in `_API_KEY`, `_API_KEYS`,
   `_API_TOKEN`, `_API_BASE`, `_API_VERSION` or `_BASE_URL`, or begins with one of
   `PROVIDER_PREFIXES`. `OVERNIGHT_MODEL_BASE_URL` is no secret and falls under rule 6.
5. Proxy variables, which may hold a password, are for the two workers that reach the network.
6. `OVERNIGHT_*` is for every process of ours, unless the name ends like a secret.
7. `OTEL_*`, which says where traces go, is for every process of ours.
8. The names in `COMMON` and `LC_*`, `XDG_*` are for every process.
9. Nothing else is passed on.
"""

import os
from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a process is for; names it in tables, logs and `stack.json`."""

    TEMPORAL = "temporal"
    SESSIONS = "sessions"
    MODELS = "models"
    HOST = "host"
    GATEWAY = "gateway"


PROVIDER_PREFIXES = (
    "ANTHROPIC_",
    "AWS_",
    "AZURE_",
    "DATABRICKS_",
    "GEMINI_",
    "GOOGLE_",
    "HF_",
    "HUGGINGFACE_",
    "LITELLM_",
    "OLLAMA_",
    "OPENAI_",
    "VERTEX",
    "WATSONX_",
)
PROVIDER_SUFFIXES = (
    "_API_KEY",
    "_API_KEYS",
    "_API_TOKEN",
    "_API_BASE",
    "_API_VERSION",
    "_BASE_URL",
)
STORE_PREFIXES = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}
"""How the variables begin that say how a bucket is reached, by the scheme of its URL."""

SECRET_SUFFIXES = ("_KEY", "_KEYS", "_TOKEN", "_SECRET", "_PASSWORD")
PROXY_NAMES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})
COMMON = frozenset(
    {
        "HOME",
        "LANG",
        "LANGUAGE",
        "LOGNAME",
        "PATH",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "TZ",
        "USER",
    }
)
COMMON_PREFIXES = ("LC_", "XDG_")

EVERYBODY = frozenset(Role)
OURS = EVERYBODY - {Role.TEMPORAL}
NOBODY: frozenset[Role] = frozenset()

SECRET_NAMES = {
    "OVERNIGHT_GIT_TOKEN": frozenset({Role.HOST}),
    "OVERNIGHT_GIT_TOKEN_FILE": frozenset({Role.HOST}),
    "SSH_AUTH_SOCK": frozenset({Role.HOST}),
    "OVERNIGHT_MODEL_KEYS_DIR": frozenset({Role.MODELS}),
    "OVERNIGHT_TOKEN_FILE": frozenset({Role.GATEWAY}),
}
"""Who needs a secret, or is told where it lies."""

KEY_OF_PREFIX = {
    "anthropic": "ANTHROPIC_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "gemini": "GEMINI_API_KEY",
    "groq": "GROQ_API_KEY",
    "mistral": "MISTRAL_API_KEY",
    "openai": "OPENAI_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "together_ai": "TOGETHERAI_API_KEY",
    "xai": "XAI_API_KEY",
}
"""The variable that LiteLLM reads for a model named `<prefix>/…`."""


def person_environment() -> dict[str, str]:
    """Return the environment that `overnight` was called with."""
    return dict(os.environ)


def cluster_address(environment: Mapping[str, str]) -> str | None:
    """Return the address of the Temporal cluster to use; none for the embedded server."""
    return environment.get("TEMPORAL_ADDRESS") or None


def missing_key(model: str, *, base_url: str | None, environment: Mapping[str, str]) -> str | None:
    """Return the variable that the model's provider needs and that is not set, where known."""
    prefix = model.partition("/")[0]
    name = KEY_OF_PREFIX.get(prefix)
    if name is None or environment.get(name) or (base_url and prefix == "openai"):
        return None
    return name


def share_of(role: Role, environment: Mapping[str, str], *, cluster: bool) -> dict[str, str]:
    """Return the part of the environment that a process of this role gets."""
    store = STORE_PREFIXES.get(environment.get("OVERNIGHT_STORE", "").partition("://")[0])
    return {
        name: value
        for name, value in environment.items()
        if role in _receivers(name, cluster=cluster, store=store)
    }


def _receivers(name: str, *, cluster: bool, store: str | None) -> frozenset[Role]:
    if store is not None and _reaches_store(name, store):
        return OURS
    return _usual_receivers(name, cluster=cluster)


def _reaches_store(name: str, prefix: str) -> bool:
    mine = name.startswith(prefix) and not name.endswith(PROVIDER_SUFFIXES)
    return mine or name.upper() in PROXY_NAMES


def _usual_receivers(name: str, *, cluster: bool) -> frozenset[Role]:
    if name.startswith("TEMPORAL_"):
        return OURS if cluster else NOBODY
    if name in SECRET_NAMES:
        return SECRET_NAMES[name]
    if name != "OVERNIGHT_MODEL_BASE_URL" and (
        name.startswith(PROVIDER_PREFIXES) or name.endswith(PROVIDER_SUFFIXES)
    ):
        return frozenset({Role.MODELS})
    if name.upper() in PROXY_NAMES:
        return frozenset({Role.MODELS, Role.HOST})
    is_setting = name.startswith("OVERNIGHT_") and not name.endswith(SECRET_SUFFIXES)
    if is_setting or name.startswith("OTEL_"):
        return OURS
    return EVERYBODY if name in COMMON or name.startswith(COMMON_PREFIXES) else NOBODY
