"""Compose, Kubernetes and cloud files: against kept schemas, and against what the program reads."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from app.api.health import router
from core.config import Settings, keys, load_settings
from core.domain.errors import ConfigurationError
from tests.conftest import REPOSITORY

BIN = Path(sys.executable).parent
KUBERNETES = "1.37"
FOLDERS = ("base", "migrate", "overlays/gpu", "overlays/scaled")
OUR_USER = 10001
#: Read by libraries, not by the program.
NOT_OURS = {"HOME", "MLFLOW_DISABLE_TELEMETRY", "MLFLOW_BACKEND_STORE_URI"}


def read_yaml(name: str) -> Any:
    return yaml.safe_load((REPOSITORY / name).read_text(encoding="utf-8"))


@cache
def compose() -> dict[str, Any]:
    return read_yaml("docker-compose.yml")


@cache
def rendered(folder: str) -> tuple[dict[str, Any], ...]:
    """What kustomize makes of a folder of k8s/."""
    made = subprocess.run(
        [BIN / "kubectl", "kustomize", REPOSITORY / "k8s" / folder],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return tuple(yaml.safe_load_all(made))


def of_kind(folder: str, kind: str) -> dict[str, Any]:
    (found,) = (resource for resource in rendered(folder) if resource["kind"] == kind)
    return found


def pods(folder: str) -> Iterator[dict[str, Any]]:
    """The pod templates of a folder, with their labels."""
    for resource in rendered(folder):
        if resource["kind"] in ("Deployment", "Job"):
            yield resource["spec"]["template"]
        elif resource["kind"] == "CronJob":
            yield resource["spec"]["jobTemplate"]["spec"]["template"]


@pytest.mark.parametrize("schema", ["vendor.compose-spec", "vendor.github-workflows"])
def test_compose_files_and_workflows_keep_to_their_schema(repository: Path, schema: str) -> None:
    files = (
        repository.glob("docker-compose*.yml")
        if schema == "vendor.compose-spec"
        else (repository / ".github" / "workflows").glob("*.yml")
    )
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *sorted(files)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_every_service_of_compose_is_bounded_and_cannot_gain_rights() -> None:
    for name, service in compose()["services"].items():
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory"} <= set(limits), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        is_long_lived = name != "backup"
        assert (service.get("restart") == "unless-stopped") is is_long_lived, name


def test_a_service_of_compose_starts_when_what_it_needs_is_healthy() -> None:
    services = compose()["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}, (name, needed)
            # the workbench has the health check of its image
            assert needed == "workbench" or "healthcheck" in services[needed], (name, needed)
    assert set(services["workbench"]["depends_on"]) == {"db", "mlflow"}
    assert set(services["caddy"]["depends_on"]) == {"workbench"}


def test_only_tls_is_open_to_the_world_and_the_database_to_nobody() -> None:
    services = compose()["services"]
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"caddy": ["80:80", "443:443"], "grafana": ["127.0.0.1:3000:3000"]}
    assert compose()["networks"]["back"] == {"internal": True}
    assert services["db"]["networks"] == services["mlflow"]["networks"] == ["back"]


def test_every_volume_and_file_that_compose_mounts_is_there(repository: Path) -> None:
    for name, service in compose()["services"].items():
        for volume in service.get("volumes", ()):
            source = re.sub(r"^\$\{\w+:-([^}]+)\}", r"\1", volume).split(":")[0]
            if source.startswith("./"):
                assert (repository / source).exists(), (name, source)
            else:
                assert source in compose()["volumes"], (name, source)


def test_compose_sets_only_what_is_read_and_trusts_the_network_of_caddy() -> None:
    for name in ("workbench", "backup"):
        assert set(compose()["services"][name]["environment"]) <= set(keys())
    assert set(compose()["services"]["mlflow"]["environment"]) <= NOT_OURS
    (network,) = compose()["networks"]["front"]["ipam"]["config"]
    assert compose()["x-settings"]["TRUSTED_PROXIES"] == network["subnet"]


def test_the_settings_of_compose_are_safe_for_production(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in compose()["x-settings"].items():
        value = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        monkeypatch.setenv(key, re.sub(r"\$\{POSTGRES_PASSWORD[^}]*\}", "a1b2c3", value))
    with pytest.raises(ConfigurationError, match="JWT_SECRET"):
        load_settings(None)
    monkeypatch.setenv("JWT_SECRET", "kJ8-x2Qm7vT4nZ1pB6wL9rD3sF5hG0yC")
    monkeypatch.setenv("PUBLIC_URL", "https://qc.example.com")
    assert load_settings(None).database_url == "postgresql+psycopg://radikal:a1b2c3@db/radikal"


@pytest.mark.parametrize("folder", FOLDERS)
def test_kubernetes_takes_what_kustomize_renders(folder: str) -> None:
    assert rendered(folder)
    for resource in rendered(folder):
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)
        if resource["kind"] != "Namespace":
            assert resource["metadata"]["namespace"] == "radikal"


def test_a_misspelt_key_would_be_noticed() -> None:
    wrong = json.loads(json.dumps(of_kind("base", "Service")))
    wrong["spec"]["sessionAfinity"] = "ClientIP"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_pod_runs_without_rights_on_a_read_only_root_with_bounded_memory(folder: str) -> None:
    assert list(pods(folder))
    for template in pods(folder):
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == OUR_USER
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"]:
            context = container["securityContext"]
            assert (context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"]) == (True, False)
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]
            mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
            assert {"/data", "/tmp"} <= mounted


@pytest.mark.parametrize("folder", ["base", "overlays/gpu", "overlays/scaled"])
def test_what_pods_name_is_there(folder: str) -> None:
    claims = {
        resource["metadata"]["name"]
        for resource in rendered(folder)
        if resource["kind"] == "PersistentVolumeClaim"
    }
    for template in (*pods(folder), *pods("migrate")):
        for volume in template["spec"]["volumes"]:
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims
    deployment = of_kind(folder, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for selector in (
        deployment["spec"]["selector"]["matchLabels"],
        of_kind(folder, "Service")["spec"]["selector"],
    ):
        assert selector.items() <= labels.items()
    assert set(of_kind(folder, "ConfigMap")["data"]) <= set(keys())


def test_probes_ask_for_addresses_that_are_served_by_a_name_that_is_let_in() -> None:
    served = {route.path for route in router.routes}
    (container,) = of_kind("base", "Deployment")["spec"]["template"]["spec"]["containers"]
    cloud = read_yaml("deploy/cloud/azure-container-app.yaml")["properties"]["template"]["containers"][0]
    run = read_yaml("deploy/cloud/cloud-run-service.yaml")["spec"]["template"]["spec"]["containers"][0]
    probes = [
        probe for holder in (container, run) for name, probe in holder.items() if name.endswith("Probe")
    ]
    assert len(probes) == 5
    for probe in (*probes, *cloud["probes"]):
        assert probe["httpGet"]["path"] in served
        assert probe["httpGet"]["httpHeaders"] == [{"name": "Host", "value": "localhost"}]


def test_one_replica_replaces_itself_and_several_need_a_disk_that_all_of_them_write() -> None:
    alone, several = of_kind("base", "Deployment")["spec"], of_kind("overlays/scaled", "Deployment")["spec"]
    assert (alone["replicas"], alone["strategy"]["type"]) == (1, "Recreate")
    assert not [one for one in rendered("base") if one["kind"] == "HorizontalPodAutoscaler"]
    assert "replicas" not in several
    assert several["strategy"]["type"] == "RollingUpdate"
    modes = {
        one["metadata"]["name"]: one["spec"]["accessModes"]
        for one in rendered("overlays/scaled")
        if one["kind"] == "PersistentVolumeClaim"
    }
    assert modes["radikal-data"] == ["ReadWriteMany"]
    assert of_kind("overlays/scaled", "ConfigMap")["data"]["MLFLOW_TRACKING_URI"].startswith("http://")
    assert of_kind("overlays/scaled", "HorizontalPodAutoscaler")["spec"]["minReplicas"] == 2
    assert of_kind("overlays/scaled", "PodDisruptionBudget")["spec"]["minAvailable"] == 1


def test_the_overlay_for_gpus_asks_for_one_and_uses_it() -> None:
    (container,) = of_kind("overlays/gpu", "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert container["image"].endswith(":cuda")
    assert of_kind("overlays/gpu", "ConfigMap")["data"]["DEVICE"] == "cuda"


def test_the_template_of_the_secret_is_refused_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    template = read_yaml("k8s/secret.example.yaml")
    kubernetes_validate.validate(template, KUBERNETES, strict=True)
    assert set(template["stringData"]) <= set(keys())
    for key, value in {**of_kind("base", "ConfigMap")["data"], **template["stringData"]}.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(ConfigurationError, match="JWT_SECRET"):
        load_settings(None)


def cloud_variables() -> dict[str, dict[str, str]]:
    """Variables of the three clouds by name, with a value where it is no secret."""
    (task,) = json.loads((REPOSITORY / "deploy/cloud/ecs-task-definition.json").read_text())[
        "containerDefinitions"
    ]
    azure = read_yaml("deploy/cloud/azure-container-app.yaml")["properties"]["template"]["containers"][0]
    google = read_yaml("deploy/cloud/cloud-run-service.yaml")["spec"]["template"]["spec"]["containers"][0]
    named = {"ecs": task["environment"] + task["secrets"], "azure": azure["env"], "google": google["env"]}
    return {cloud: {one["name"]: one.get("value", "") for one in ones} for cloud, ones in named.items()}


@pytest.mark.parametrize("cloud", ["ecs", "azure", "google"])
def test_a_cloud_sets_what_production_needs_and_keeps_secrets_in_its_vault(
    cloud: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = cloud_variables()[cloud]
    assert set(variables) <= set(keys())
    assert variables["JWT_SECRET"] == variables["DATABASE_URL"] == ""
    secret = {"JWT_SECRET": "kJ8-x2Qm7vT4nZ1pB6wL9rD3sF5hG0yC", "DATABASE_URL": "postgresql://r@db/r"}
    for key, value in {**variables, **secret}.items():
        monkeypatch.setenv(key, value)
    settings = load_settings(None)
    assert isinstance(settings, Settings)
    assert settings.app_env == "production"


def test_each_cloud_runs_one_replica_whose_pages_stay_with_it() -> None:
    azure = read_yaml("deploy/cloud/azure-container-app.yaml")["properties"]
    assert azure["configuration"]["ingress"]["stickySessions"] == {"affinity": "sticky"}
    assert azure["template"]["scale"] == {"minReplicas": 1, "maxReplicas": 1}
    google = read_yaml("deploy/cloud/cloud-run-service.yaml")["spec"]["template"]["metadata"]["annotations"]
    assert google["run.googleapis.com/sessionAffinity"] == "true"
    assert google["autoscaling.knative.dev/maxScale"] == google["autoscaling.knative.dev/minScale"] == "1"
