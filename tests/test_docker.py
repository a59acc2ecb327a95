"""What the files under docker/ say, as far as it can be known without Docker."""

import json
import os
import re
import shutil
import stat
import subprocess
from importlib.resources import files
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import validator_for
from ruamel.yaml import YAML

from gateway.settings import SETTINGS, load_settings

ROOT = Path(__file__).parents[1]
DOCKER = ROOT / "docker"
COMPOSE = sorted(DOCKER.glob("compose*.yaml"))
DOCKERFILE = (DOCKER / "Dockerfile").read_text("utf-8")
SCHEMA = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
SECRETS = Path("/run/secrets")

Json = dict[str, Any]


def read(path: Path) -> Json:
    content: Json = YAML(typ="safe").load(path.read_text("utf-8"))
    return content


PRODUCTION = read(DOCKER / "compose.production.yaml")
SERVICES: dict[str, Json] = PRODUCTION["services"]


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_compose_files_follow_the_specification(path: Path) -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    validator = validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(read(path))] == []
    assert not validator.is_valid({"services": {"gateway": {"imagee": "x"}}})


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_every_setting_in_a_compose_file_is_one(path: Path) -> None:
    names = {
        name.removesuffix("_FILE")
        for service in read(path)["services"].values()
        for name in service.get("environment", {})
        if name.startswith("GATEWAY_") and name != "GATEWAY_ADDRESS"  # the Caddyfile's
    }
    assert names
    assert names <= {f"GATEWAY_{name.upper()}" for name in SETTINGS}


@pytest.mark.parametrize("name", SERVICES)
def test_production_services_can_do_no_more_than_they_need(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service["logging"]["options"]["max-size"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert service.get("ports", []) == (["80:80", "443:443"] if name == "proxy" else [])


def test_only_the_migration_knows_the_owner_password() -> None:
    holders = {
        secret: {name for name, each in SERVICES.items() if secret in each.get("secrets", ())}
        for secret in PRODUCTION["secrets"]
    }
    assert holders["migration_database_url"] == {"migrate"}
    assert holders["owner_password"] == holders["postgres_password"] == {"postgres"}
    assert SERVICES["migrate"]["command"] == ["migrate"]
    assert SERVICES["migrate"]["restart"] == "no"
    waits = SERVICES["gateway"]["depends_on"]
    assert waits == {"migrate": {"condition": "service_completed_successfully"}}


def test_the_gateway_stops_before_it_is_killed() -> None:
    settings = load_settings()
    seconds = int(SERVICES["gateway"]["stop_grace_period"].removesuffix("s"))
    assert seconds > settings.stop_notice_seconds + settings.stop_grace_seconds + 5


def test_only_the_proxy_address_is_believed() -> None:
    (config,) = PRODUCTION["networks"]["proxy"]["ipam"]["config"]
    address = IPv4Address(SERVICES["proxy"]["networks"]["proxy"]["ipv4_address"])
    assert SERVICES["gateway"]["environment"]["GATEWAY_TRUSTED_PROXIES"] == str(address)
    assert address in IPv4Network(config["subnet"])
    assert address not in IPv4Network(config["ip_range"])
    assert IPv4Network(config["ip_range"]).subnet_of(IPv4Network(config["subnet"]))
    assert PRODUCTION["networks"]["database"]["internal"] is True
    assert SERVICES["postgres"]["networks"] == SERVICES["migrate"]["networks"] == ["database"]


@pytest.fixture
def make_secrets(tmp_path: Path) -> list[str]:
    """The command; `chown` writes down what it was asked, because tests may not be root's."""
    tools = tmp_path / "bin"
    tools.mkdir()
    chown = tools / "chown"
    chown.write_text(f'#!/bin/sh\necho "$1 $(basename "$2" .new)" >>"{tmp_path}/owners"\n')
    chown.chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    return ["env", f"PATH={path}", str(DOCKER / "make-secrets"), str(tmp_path / "secrets")]


def test_secrets_belong_to_the_service_that_reads_them(
    make_secrets: list[str], tmp_path: Path
) -> None:
    subprocess.run(make_secrets, check=True, capture_output=True)
    lines = (tmp_path / "owners").read_text().splitlines()
    owners = {name: owner for owner, name in map(str.split, lines)}
    users = {
        secret: SERVICES[name]["user"]
        for name in SERVICES
        for secret in SERVICES[name].get("secrets", ())
    }
    assert owners == users
    assert {f"secrets/{name}" for name in owners} == {
        each["file"] for each in PRODUCTION["secrets"].values()
    }
    folder = tmp_path / "secrets"
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o400}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_secrets_that_are_there_stay(make_secrets: list[str], tmp_path: Path) -> None:
    subprocess.run(make_secrets, check=True, capture_output=True)
    folder = tmp_path / "secrets"
    before = {each.name: each.read_text() for each in folder.iterdir()}
    (folder / "signing_keys").unlink()
    subprocess.run(make_secrets, check=True, capture_output=True)
    after = {each.name: each.read_text() for each in folder.iterdir()}
    assert after.pop("signing_keys") != before.pop("signing_keys")
    assert after == before
    password = after["owner_password"].strip()
    owner_url = f"postgresql://gateway_owner:{password}@postgres/gateway"
    assert after["migration_database_url"].strip() == owner_url
    assert owner_url not in after["database_url"]


def test_each_secret_is_read_from_the_file_that_is_mounted() -> None:
    for name, service in SERVICES.items():
        mounted = {
            Path(value)
            for variable, value in service.get("environment", {}).items()
            if variable.endswith("_FILE")
        }
        if name == "postgres":
            mounted.add(SECRETS / "owner_password")
            assert str(SECRETS / "owner_password") in (DOCKER / "roles.sql").read_text()
        assert mounted == {SECRETS / each for each in service.get("secrets", ())}, name


def test_the_image_runs_as_the_user_that_compose_names() -> None:
    (uid,) = re.findall(r"useradd .*--uid (\d+)", DOCKERFILE)
    (gid,) = re.findall(r"groupadd .*--gid (\d+)", DOCKERFILE)
    assert SERVICES["gateway"]["user"] == SERVICES["migrate"]["user"] == f"{uid}:{gid}"
    assert "\nUSER gateway\n" in DOCKERFILE


def test_the_image_copies_what_the_tree_has() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    names = {name for each in copied for name in each.split()}
    assert {"console", "gateway", "loaders", "resolvers", "pyproject.toml"} <= names
    assert {name for name in names if not (ROOT / name).exists()} == set()


@pytest.mark.skipif(shutil.which("caddy") is None, reason="there is no Caddy on this machine")
def test_the_proxy_configuration_is_valid() -> None:
    command = ["caddy", "adapt", "--validate", "--config", str(DOCKER / "Caddyfile")]
    environment = os.environ | {"BILLING_HOST": "billing.localhost", "GATEWAY_ADDRESS": "a:8000"}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
