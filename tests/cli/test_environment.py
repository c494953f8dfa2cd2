"""Which process sees which variable."""

import pytest

from cli.stack.environment import EVERYBODY, OURS, Role, missing_key, share_of

NOBODY: frozenset[Role] = frozenset()
MODELS = frozenset({Role.MODELS})
HOST = frozenset({Role.HOST})


@pytest.mark.parametrize(
    ("name", "receivers"),
    [
        ("ANTHROPIC_API_KEY", MODELS),
        ("SOME_NEW_PROVIDER_API_KEY", MODELS),
        ("OVERNIGHT_MODEL_API_KEY", MODELS),
        ("OPENAI_BASE_URL", MODELS),
        ("AWS_SECRET_ACCESS_KEY", MODELS),
        ("AZURE_CLIENT_SECRET", MODELS),
        ("GOOGLE_APPLICATION_CREDENTIALS", MODELS),
        ("VERTEXAI_PROJECT", MODELS),
        ("HF_TOKEN", MODELS),
        ("OVERNIGHT_GIT_TOKEN", HOST),
        ("OVERNIGHT_GIT_TOKEN_FILE", HOST),
        ("SSH_AUTH_SOCK", HOST),
        ("OVERNIGHT_MODEL_KEYS_DIR", MODELS),
        ("OVERNIGHT_TOKEN_FILE", frozenset({Role.GATEWAY})),
        ("HTTPS_PROXY", MODELS | HOST),
        ("no_proxy", MODELS | HOST),
        ("OVERNIGHT_MODEL_BASE_URL", OURS),
        ("OVERNIGHT_SANDBOX", OURS),
        ("OVERNIGHT_TOKEN", NOBODY),
        ("OTEL_EXPORTER_OTLP_HEADERS", OURS),
        ("PATH", EVERYBODY),
        ("LC_ALL", EVERYBODY),
        ("XDG_CACHE_HOME", EVERYBODY),
        ("SSL_CERT_FILE", EVERYBODY),
        ("TEMPORAL_API_KEY", NOBODY),
        ("GITHUB_TOKEN", NOBODY),
        ("LD_PRELOAD", NOBODY),
        ("PYTHONPATH", NOBODY),
        ("DATABASE_PASSWORD", NOBODY),
    ],
)
def test_a_variable_goes_to_those_who_need_it(name: str, receivers: frozenset[Role]):
    """A variable reaches exactly the processes that the rule names."""
    reached = {role for role in Role if share_of(role, {name: "value"}, cluster=False)}
    assert reached == receivers


@pytest.mark.parametrize(
    ("name", "receivers"),
    [
        ("AWS_SECRET_ACCESS_KEY", OURS),
        ("AWS_ENDPOINT_URL", OURS),
        ("HTTPS_PROXY", OURS),
        ("AZURE_STORAGE_ACCOUNT_KEY", MODELS),
        ("GOOGLE_SERVICE_ACCOUNT", MODELS),
        ("ANTHROPIC_API_KEY", MODELS),
        ("AWS_BEDROCK_API_KEY", MODELS),
        ("OVERNIGHT_STORE", OURS),
    ],
)
def test_a_buckets_variables_reach_all_processes_of_ours(name: str, receivers: frozenset[Role]):
    """A store in a bucket is for all of them; models' keys stay where they were."""
    environment = {"OVERNIGHT_STORE": "s3://bucket/prefix", name: "s3://bucket/prefix"}
    reached = {role for role in Role if name in share_of(role, environment, cluster=False)}
    assert reached == receivers


def test_a_clusters_variables_reach_all_processes_of_ours():
    """With a cluster, its address and key go to the workers and the gateway."""
    for role in OURS:
        assert share_of(role, {"TEMPORAL_API_KEY": "key"}, cluster=True)


@pytest.mark.parametrize(
    ("model", "base_url", "environment", "missing"),
    [
        ("anthropic/claude-sonnet-4-5", None, {}, "ANTHROPIC_API_KEY"),
        ("anthropic/claude-sonnet-4-5", None, {"ANTHROPIC_API_KEY": "x"}, None),
        ("openai/gpt-5", None, {}, "OPENAI_API_KEY"),
        ("openai/anything", "http://127.0.0.1:1/v1", {}, None),
        ("gemini/gemini-2.5-pro", None, {"GEMINI_API_KEY": ""}, "GEMINI_API_KEY"),
        ("ollama/llama3", None, {}, None),
    ],
)
def test_a_missing_key_is_named_where_it_is_known(
    model: str, base_url: str | None, environment: dict[str, str], missing: str | None
):
    """The variable is named only when the provider is known to need it and it is not set."""
    assert missing_key(model, base_url=base_url, environment=environment) == missing
