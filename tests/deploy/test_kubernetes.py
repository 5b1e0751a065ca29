"""The manifests for Kubernetes against the code, and against each other."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout import ROOT
from deploy.manifests import (
    DEPLOY,
    check_command,
    check_route,
    check_settings,
    documents,
    is_pinned,
)

(KUSTOMIZATION,) = documents("kubernetes/kustomization.yaml")
OBJECTS: list[dict[str, Any]] = [
    document
    for name in KUSTOMIZATION["resources"]
    for document in documents(f"kubernetes/{name}")
]
PODS: dict[str, dict[str, Any]] = {
    each["metadata"]["name"]: each["spec"]["template"]["spec"]
    for each in OBJECTS
    if each["kind"] in ("Deployment", "Job")
}
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def named(kind: str, name: str) -> dict[str, Any]:
    (found,) = [
        each
        for each in OBJECTS
        if each["kind"] == kind and each["metadata"]["name"] == name
    ]
    return found


def container(name: str) -> dict[str, Any]:
    (only,) = PODS[name]["containers"]
    assert isinstance(only, dict)
    return only


def settings() -> dict[str, str]:
    lines = (DEPLOY / "kubernetes/settings.env").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_every_setting_is_one_of_ours_and_no_secret() -> None:
    check_settings(settings())


@pytest.mark.parametrize("name", PODS)
def test_what_a_container_starts_and_is_asked_exists(name: str, tmp_path: Path) -> None:
    pod, image = PODS[name], container(name)
    check_command(image["command"])
    for probe in (image[each] for each in PROBES if each in image):
        if "httpGet" in probe:
            check_route(probe["httpGet"]["path"], tmp_path)
            assert probe["httpGet"]["port"] in {each["name"] for each in image["ports"]}
        else:
            check_command(probe["exec"]["command"])
    volumes = {each["name"] for each in pod["volumes"]}
    assert volumes == {mount["name"] for mount in image["volumeMounts"]}
    seen_as = {mount["name"]: mount["mountPath"] for mount in image["volumeMounts"]}
    for variable, value in settings().items():
        if variable.endswith("_FILE"):
            assert value.startswith(f"{seen_as['nutgraf']}/")


@pytest.mark.parametrize("name", PODS)
def test_a_container_has_limits_and_no_privileges(name: str) -> None:
    pod, image = PODS[name], container(name)
    for bound in ("requests", "limits"):
        assert image["resources"][bound].keys() == {"cpu", "memory"}
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    rights = image["securityContext"]
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    uid = re.search(r"--uid (\d+)", (DEPLOY / "Dockerfile").read_text())
    assert uid is not None
    assert pod["securityContext"]["runAsUser"] == int(uid[1])


def test_an_update_of_the_web_machines_loses_no_request() -> None:
    update = named("Deployment", "nutgraf-web")["spec"]["strategy"]["rollingUpdate"]
    assert update["maxUnavailable"] == 0
    pod, web = PODS["nutgraf-web"], container("nutgraf-web")
    assert all(probe in web for probe in PROBES)
    (graceful,) = re.findall(
        r"^graceful_timeout = (\d+)$", (ROOT / "gunicorn.conf.py").read_text(), re.M
    )
    sleep = int(web["lifecycle"]["preStop"]["exec"]["command"][1])
    # While it sleeps, the readiness probe must not be what takes it out.
    assert sleep >= 10
    assert pod["terminationGracePeriodSeconds"] >= sleep + int(graceful) + 10


def test_an_outage_of_the_index_takes_no_web_machine_out() -> None:
    # Editors can still kill an article, and readers still read one.
    web = container("nutgraf-web")
    assert web["readinessProbe"]["httpGet"]["path"] == "/readyz?part=store"
    assert web["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_there_is_an_indexer_and_one_on_standby() -> None:
    assert named("Deployment", "nutgraf-indexer")["spec"]["replicas"] == 2
    assert container("nutgraf-indexer")["command"][-1] == "--standby"


def test_what_is_named_elsewhere_is_there() -> None:
    deployments = {
        str(each["spec"]["selector"]["matchLabels"])
        for each in OBJECTS
        if each["kind"] == "Deployment"
    }
    for each in OBJECTS:
        if each["kind"] == "PodDisruptionBudget":
            assert str(each["spec"]["selector"]["matchLabels"]) in deployments
    service = named("Service", "nutgraf-web")
    assert str(service["spec"]["selector"]) in deployments
    ingress = named("Ingress", "nutgraf")["spec"]
    (rule,) = ingress["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == service["metadata"]["name"]
    assert rule["host"] in settings()["NUTGRAF_HOSTS"].split()
    assert ingress["tls"][0]["hosts"] == [rule["host"]]
    (image,) = KUSTOMIZATION["images"]
    assert is_pinned(f"{image['newName']}:{image['newTag']}")
    assert {container(name)["image"] for name in PODS} == {image["name"]}
    (made,) = KUSTOMIZATION["configMapGenerator"]
    for name in PODS:
        assert container(name)["envFrom"] == [{"configMapRef": {"name": made["name"]}}]


def test_the_example_of_the_secret_has_its_keys_and_no_values() -> None:
    (secret,) = documents("kubernetes/secret.example.yaml")
    assert set(secret["stringData"].values()) == {""}
    files = {
        value.rpartition("/")[2]
        for name, value in settings().items()
        if name.endswith("_FILE")
    }
    assert files < secret["stringData"].keys()
    assert "secret.example.yaml" not in KUSTOMIZATION["resources"]
    for pod in PODS.values():
        names = [
            each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each
        ]
        assert names == [secret["metadata"]["name"]]


def test_the_ingress_says_what_the_site_of_nginx_says() -> None:
    site = (DEPLOY / "nginx.conf").read_text("utf-8")
    prefix = "nginx.ingress.kubernetes.io/"
    notes = named("Ingress", "nutgraf")["metadata"]["annotations"]
    said = {name.removeprefix(prefix): value for name, value in notes.items()}
    assert re.search(rf"client_max_body_size {said['proxy-body-size']};", site)
    for directive in ("connect-timeout", "read-timeout"):
        name = f"proxy_{directive.replace('-', '_')}"
        assert re.search(rf"^ *{name} {said[f'proxy-{directive}']}s;", site, re.M)
    assert f"proxy_next_upstream {said['proxy-next-upstream']};" in site
    tries = said["proxy-next-upstream-tries"]
    assert f"proxy_next_upstream_tries {tries};" in site
    seconds = said["proxy-next-upstream-timeout"]
    assert f"proxy_next_upstream_timeout {seconds}s;" in site


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl")
def test_kustomize_builds_it() -> None:
    built = subprocess.run(
        ["kubectl", "kustomize", DEPLOY / "kubernetes"],
        capture_output=True,
        text=True,
        check=True,
    )
    objects = [each for each in yaml.safe_load_all(built.stdout) if each]
    assert len(objects) == len(OBJECTS) + 1  # the settings
    for each in objects:
        assert each["kind"] == "Namespace" or each["metadata"]["namespace"] == "nutgraf"
