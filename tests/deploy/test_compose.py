"""The compose file is well-formed, and keeps the rules that deploying relies on."""

import json
import re
import subprocess
import tomllib
from typing import Any

import jsonschema
import pytest
import yaml

from cli.stack.programs import TEMPORAL_OPTIONS
from runtime.settings import Settings
from runtime.temporal import RETENTION
from tests.conftest import temporal_binary
from tests.deploy.composed import (
    FILE,
    ONE_SHOTS,
    OURS,
    ROOT,
    Service,
    compose,
    secrets,
    services,
)

DEPRECATED = ("temporalio/auto-setup", "temporalio/web", "temporalio/docker-compose")

SECRETS = {
    "database_password": {"postgres", "schema", "temporal"},
    "gateway_token": {"gateway", "cli"},
    "git_token": {"host"},
    "provider_key": {"models"},
}
"""Each secret, and the only services that get it."""

SERVICES = services()
STAYING = sorted(set(SERVICES) - {*ONE_SHOTS, "cli"})

of_every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))
of_every_staying_service = pytest.mark.parametrize("name", STAYING)


def test_the_file_fits_the_schema_of_the_specification() -> None:
    """What the specification's own schema refuses, no compose would read."""
    schema = json.loads((ROOT / "tests/deploy/compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(FILE.read_text()))


@of_every_service
def test_every_image_is_pinned_and_none_is_deprecated(service: Service) -> None:
    """A deployment made again is the same one; images that nobody maintains are not used."""
    image, _, tag = service["image"].partition(":")
    assert re.fullmatch(r"\d+(\.\d+)+(-[a-z]+)?", tag)
    assert image not in DEPRECATED


def test_all_images_of_ours_have_the_projects_version() -> None:
    """The one that is built is the one that all services of ours run."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {SERVICES[name]["image"] for name in (*OURS, "cli")} == {f"overnight:{version}"}
    assert [name for name in SERVICES if "build" in SERVICES[name]] == ["gateway"]


def test_servers_and_their_tools_have_the_version_that_is_embedded() -> None:
    """A schema is made by the tools of its server, and all tests of ours ran with that server."""
    command = [temporal_binary(), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    embedded = re.search(r"Server (\S+), UI (\S+)\)", said)
    assert embedded is not None
    for name in ("temporal", *ONE_SHOTS):
        assert SERVICES[name]["image"].partition(":")[2] == embedded[1]
    assert SERVICES["ui"]["image"].partition(":")[2] == embedded[2]


def test_dependencies_exist_and_wait_for_the_right_thing() -> None:
    """A service that stays is waited for until it is healthy, one that ends until it has."""
    for name, service in SERVICES.items():
        for wanted, how in service.get("depends_on", {}).items():
            ends = "service_completed_successfully"
            assert how["condition"] == (ends if wanted in ONE_SHOTS else "service_healthy"), name
            assert wanted in SERVICES


def test_the_databases_are_made_before_the_server_and_the_namespace_before_ours() -> None:
    """Nothing starts before what it needs is there, however slow the machine is."""
    assert _before("temporal") == {"postgres", "schema"}
    assert _before("schema") == {"postgres"}
    for name in OURS:
        assert _before(name) == {"postgres", "schema", "temporal", "namespace"}


def _before(name: str) -> set[str]:
    direct = set(SERVICES[name].get("depends_on", {}))
    return direct.union(*map(_before, direct))


@of_every_staying_service
def test_what_stays_has_a_health_check_and_comes_back(name: str) -> None:
    """A service that stays is looked at, started again, and given time to end."""
    service = SERVICES[name]
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)
    assert service["restart"] == "unless-stopped"
    assert service["deploy"]["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", [*ONE_SHOTS, "cli"])
def test_what_ends_is_not_started_again(name: str) -> None:
    """A failed step shows as failed."""
    assert SERVICES[name]["restart"] == "no"


@of_every_service
def test_every_container_is_confined(service: Service) -> None:
    """No capabilities, no way to gain any, and nothing to write but volumes and memory."""
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert "no-new-privileges=true" in service["security_opt"]
    assert "privileged" not in service
    assert "cap_add" not in service


@of_every_service
def test_only_folders_that_every_image_has_are_in_memory(service: Service) -> None:
    """Docker makes others anew for root alone when it starts a container again."""
    assert set(service["tmpfs"]) <= {"/tmp", "/run/postgresql"}  # noqa: S108


def test_only_the_host_worker_may_make_namespaces() -> None:
    """What its sandboxes need is given to it, and to nothing else."""
    loosened = {name for name in SERVICES if len(SERVICES[name]["security_opt"]) > 1}
    assert loosened == {"host"}
    assert set(SERVICES["host"]["security_opt"]) == {
        "no-new-privileges=true",
        "seccomp=./deploy/seccomp.json",
        "systempaths=unconfined",
        "apparmor=unconfined",
    }


def test_the_filter_of_the_host_worker_refuses_what_it_does_not_name() -> None:
    """Beside Docker's own rules it has one, with the calls that make a sandbox."""
    profile = json.loads((ROOT / "deploy/seccomp.json").read_text())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    ours = profile["syscalls"][-1]
    assert set(ours["names"]) == {
        "clone",
        "mount",
        "pivot_root",
        "sethostname",
        "umount2",
        "unshare",
    }
    freely = {
        name
        for rule in profile["syscalls"]
        if rule["action"] == "SCMP_ACT_ALLOW" and not rule.get("includes")
        for name in rule["names"]
    }
    assert not {"bpf", "io_uring_setup", "userfaultfd", "kexec_load", "open_by_handle_at"} & freely


def test_each_secret_reaches_only_who_needs_it() -> None:
    """And all of them are files of one folder that git and the image leave out."""
    declared = compose()["secrets"]
    assert set(declared) == set(SECRETS)
    for secret, owners in SECRETS.items():
        assert {name for name in SERVICES if secret in dict(secrets(SERVICES[name]))} == owners
        assert declared[secret]["file"].startswith("./deploy/secrets/")
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_no_secret_is_written_down() -> None:
    """Variables that name secrets hold the paths of files."""
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"(PASSWORD|TOKEN|KEYS?|SECRET|PWD)(_FILE|_DIR)?$", name):
                assert str(value).startswith("/run/secrets"), name


@pytest.mark.parametrize("key", ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"])
def test_a_providers_key_keeps_the_name_of_its_variable(key: str) -> None:
    """`PROVIDER_KEY` in `.env` chooses the file, and the variable that the model worker sets."""
    chosen = compose({"PROVIDER_KEY": key})
    assert chosen["secrets"]["provider_key"]["file"] == f"./deploy/secrets/{key}"
    assert chosen["services"]["models"]["secrets"][0]["target"] == key


@of_every_service
def test_no_port_is_open_to_other_machines(service: Service) -> None:
    """What is published is published on the loopback interface."""
    for port in service.get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


def test_only_the_server_reaches_the_database() -> None:
    """And the networks it and its clients speak in have no way out."""
    networks = compose()["networks"]
    reaching = {name for name in SERVICES if "database" in SERVICES[name]["networks"]}
    assert reaching == {"postgres", "schema", "temporal"}
    assert {name for name, network in networks.items() if network.get("internal")} == {
        "database",
        "control",
    }
    outside = {name for name in SERVICES if "outside" in SERVICES[name]["networks"]}
    assert outside == {"models", "host"}


@of_every_service
def test_every_name_that_is_used_is_declared(service: Service) -> None:
    """Networks, volumes and configurations."""
    whole = compose()
    assert set(service["networks"]) <= set(whole["networks"])
    mounted = {volume.partition(":")[0] for volume in service.get("volumes", ())}
    assert mounted <= set(whole["volumes"])
    for config in service.get("configs", ()):
        assert (ROOT / whole["configs"][config["source"]]["file"]).is_file()
        assert config["target"] in (*service.get("command", ()), *_environment(service).values())


def _environment(service: Service) -> dict[str, Any]:
    found = service.get("environment", {})
    assert isinstance(found, dict)
    return found


@of_every_service
def test_every_variable_of_ours_is_a_setting(service: Service) -> None:
    """A misspelt name would be ignored in silence."""
    known = {f"OVERNIGHT_{name.upper()}" for name in Settings.model_fields} | {"OVERNIGHT_URL"}
    ours = {name for name in _environment(service) if name.startswith("OVERNIGHT_")}
    assert ours <= known


def test_all_processes_of_ours_agree_on_what_is_shared() -> None:
    """One server, one namespace, one store, one model; and one data folder for one host."""
    shared = ["OVERNIGHT_HOME", "OVERNIGHT_STORE", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"]
    for name in shared:
        assert len({_environment(SERVICES[each])[name] for each in OURS}) == 1
    namespace = _environment(SERVICES["namespace"])["TEMPORAL_NAMESPACE"]
    assert namespace == _environment(SERVICES["host"])["TEMPORAL_NAMESPACE"]
    store = "store:/var/lib/overnight/store"
    assert {name for name in OURS if store in SERVICES[name]["volumes"]} == set(OURS)
    assert {name for name in SERVICES if "host:/var/lib/overnight" in _volumes(name)} == {"host"}


def _volumes(name: str) -> list[str]:
    found = SERVICES[name].get("volumes", [])
    assert isinstance(found, list)
    return found


def test_the_server_is_tuned_as_the_embedded_one() -> None:
    """The dynamic configuration holds the values that were measured, and no other."""
    embedded = {
        name: yaml.safe_load(value)
        for option in TEMPORAL_OPTIONS
        if option.startswith("--dynamic-config-value=")
        for name, value in [option.partition("=")[2].split("=")]
    }
    ours = yaml.safe_load((ROOT / "deploy/temporal.yaml").read_text())
    assert {name: values[0]["value"] for name, values in ours.items()} == embedded


def test_the_namespace_keeps_closed_sessions_as_long_as_the_gateway_wants() -> None:
    """The gateway would change it otherwise, each time it starts."""
    hours = int(RETENTION.total_seconds()) // 3600
    assert f"--retention {hours}h" in (ROOT / "deploy/namespace.sh").read_text()
