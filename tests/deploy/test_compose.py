"""compose.yaml against the code: commands, settings, files, limits, health checks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT
from deploy.manifests import (
    DEPLOY,
    check_command,
    check_route,
    check_settings,
    documents,
    is_pinned,
    texts,
)

(COMPOSE,) = documents("compose.yaml")
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if "build" in each}
# They end by themselves.
ONCE = {"credentials", "migrate", "nutgraf"}


def mounts(service: dict[str, Any]) -> list[tuple[str, str]]:
    """Sources and targets of a service's mounts."""
    return [
        (source, target)
        for mount in service.get("volumes", ())
        for source, target in [re.split(r":(?!-)", mount)[:2]]
    ]


@pytest.mark.parametrize("name", OURS)
def test_what_a_service_of_ours_starts_exists(name: str, tmp_path: Path) -> None:
    service = OURS[name]
    check_command([*service.get("entrypoint", ()), *service["command"]])
    check_settings(service["environment"])
    health = service.get("healthcheck", {}).get("test", ())
    if health:
        check_command(health[1:])
    for url in re.findall(r"http://127\.0\.0\.1:8000(/[^']*)", " ".join(health)):
        check_route(url, tmp_path)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_limits_a_pinned_image_and_a_health_check(name: str) -> None:
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert limits.keys() == {"cpus", "memory", "pids"}
    assert is_pinned(service["image"].replace("${RELEASE:-", ""))
    assert "no-new-privileges:true" in service["security_opt"]
    if name in ONCE:
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]
        assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_mounts_and_waits_for_is_there(name: str) -> None:
    service = SERVICES[name]
    for source, _ in mounts(service):
        if source.startswith("./"):
            assert (DEPLOY / source).exists(), source
        else:
            named = re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", source)
            assert named in COMPOSE["volumes"], source
    for other, when in service.get("depends_on", {}).items():
        expected = "service_completed_successfully" if other in ONCE else None
        assert when["condition"] == (expected or "service_healthy")
        assert other in SERVICES
    for network in service.get("networks", ()):
        assert network in COMPOSE["networks"]
    assert "networks" in service or service["network_mode"] == "none"


def test_the_cluster_is_that_of_the_page() -> None:
    names = {"web1", "web2", "indexer", "standby", "nginx", "postgresql"}
    nodes = {"opensearch1", "opensearch2", "opensearch3"}
    assert SERVICES.keys() - ONCE == names | nodes
    assert "--standby" in SERVICES["indexer"]["command"]
    assert "--standby" in SERVICES["standby"]["command"]


def test_only_nginx_is_published_and_reaches_only_the_web_machines() -> None:
    published = {name for name, each in SERVICES.items() if "ports" in each}
    assert published == {"nginx"}
    assert COMPOSE["networks"]["back"]["internal"] is True
    front = {
        name for name, each in SERVICES.items() if "front" in each.get("networks", ())
    }
    assert front == {"nginx", "web1", "web2"}


def test_every_reader_has_its_own_credentials_and_no_other_has_the_authority() -> None:
    written = {source for source, _ in mounts(SERVICES["credentials"])}
    for name in SERVICES.keys() - {"credentials"}:
        read = {source for source, _ in mounts(SERVICES[name])} & written
        assert "ca" not in read
        assert "opensearch-admin" not in read
        if name.startswith("opensearch"):
            assert read == {f"{name}-tls", "opensearch-security"}
        elif name in OURS:
            assert read == {"nutgraf-credentials"}
        for volume in read:
            (mode,) = [m for m in SERVICES[name]["volumes"] if m.startswith(volume)]
            assert mode.endswith(":ro")


def test_the_nodes_take_as_many_clauses_as_the_page_asks_for() -> None:
    (settings,) = documents("opensearch/opensearch.yml")
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    name = "indices.query.bool.max_clause_count"
    assert f"`{name}: {settings[name]}`" in page


def test_no_password_is_in_the_file_and_the_host_must_be_named() -> None:
    for text in texts(COMPOSE):
        assert not re.search(r"password\s*[=:]\s*[^\s/]", text, re.IGNORECASE), text
    assert "${SITE_HOST:?" in SERVICES["web1"]["environment"]["NUTGRAF_HOSTS"]


def test_gunicorn_has_time_to_finish_before_it_is_killed() -> None:
    (seconds,) = re.findall(
        r"^graceful_timeout = (\d+)$", (ROOT / "gunicorn.conf.py").read_text(), re.M
    )
    assert int(SERVICES["web1"]["stop_grace_period"].rstrip("s")) > int(seconds)


def test_nginx_knows_every_web_machine_and_its_port() -> None:
    lines = [
        path.read_text() for path in (DEPLOY / "compose/machines").glob("web*.conf")
    ]
    said = {re.match(r"server (\w+):8000 ", line)[1] for line in lines}  # type: ignore[index]
    assert said == {name for name in SERVICES if name.startswith("web")}
    rolled = re.search(
        r"^for web in (.+); do$", (DEPLOY / "rolling.sh").read_text(), re.M
    )
    assert rolled is not None
    assert set(rolled[1].split()) == said
    assert SERVICES["web1"]["environment"]["NUTGRAF_BIND"].endswith(":8000")


def test_the_memory_of_the_containers_is_that_of_the_units() -> None:
    for unit, name in (("web", "web1"), ("indexer", "indexer")):
        text = (DEPLOY / f"nutgraf-{unit}.service").read_text()
        (size,) = re.findall(r"^MemoryMax=(\d+G)$", text, re.M)
        assert SERVICES[name]["deploy"]["resources"]["limits"]["memory"] == size


def test_the_image_has_what_its_commands_need() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8")
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.M)
    assert all(map(is_pinned, bases))
    assert ".[opensearch,postgresql]" in dockerfile
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.M):
        for source in line.split():
            assert (ROOT / source).exists(), source
            assert f"!{source}" in sent, f"{source} is not sent to the build"
    assert re.search(r"^USER nutgraf$", dockerfile, re.M)
    # Beside NUTGRAF_STORE_FILE they would be an error.
    assert "NUTGRAF_STORE=" not in re.sub(r"^#.*$", "", dockerfile, flags=re.M)


def test_scripts_can_be_run() -> None:
    for path in (DEPLOY / "rolling.sh", DEPLOY / "compose/database.sh"):
        assert path.stat().st_mode & 0o111, path
        assert Path(path).read_text().startswith("#!/bin/sh\n")
