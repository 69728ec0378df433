"""The files of docs/deploy/kubernetes: legal for Kubernetes, with names that exist, and in agreement with the image."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from streamlit import config as streamlit_config

from playground.settings import DATA, Settings
from tests.unit.test_deploy import PORT, final_stage, said

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "deploy" / "kubernetes"
SERVER_SECONDS = 10  # in which a stopped server ends, as for Docker
Manifest = dict[str, Any]


def kustomization() -> Manifest:
    found: Manifest = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    return found


def manifests() -> dict[str, Manifest]:
    """Each resource by its kind."""
    return {each["kind"]: each for name in kustomization()["resources"]
            for each in yaml.safe_load_all((FOLDER / name).read_text())}  # fmt: skip


def pod() -> Manifest:
    found: Manifest = manifests()["Deployment"]["spec"]["template"]["spec"]
    return found


def container() -> Manifest:
    (found,) = pod()["containers"]
    assert isinstance(found, dict)
    return found


def secret_keys() -> set[str]:
    """The names that the command of kustomization.yaml writes into secrets.env."""
    (written,) = re.findall(r"printf '(.*)' .*> secrets\.env", (FOLDER / "kustomization.yaml").read_text())
    return set(re.findall(r"(\w+)=%s", written))


@pytest.mark.parametrize("name", kustomization()["resources"])
def test_every_file_is_legal_for_kubernetes(name: str) -> None:
    for each in yaml.safe_load_all((FOLDER / name).read_text()):
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


def test_kustomization_names_every_file() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization()["resources"]) == files
    assert kustomization()["images"][0]["name"] == container()["image"]


def test_names_that_are_referred_to_exist() -> None:
    found = manifests()
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    selectors = [
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        *(each["labelSelector"]["matchLabels"] for each in pod()["topologySpreadConstraints"]),
    ]
    assert [each for each in selectors if not each or not each.items() <= labels] == []
    target = found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert target == {"apiVersion": found["Deployment"]["apiVersion"], "kind": "Deployment",
                      "name": found["Deployment"]["metadata"]["name"]}  # fmt: skip
    (port,) = container()["ports"]
    (service_port,) = found["Service"]["spec"]["ports"]
    assert service_port["targetPort"] == port["name"]
    (rule,) = found["Ingress"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert path["backend"]["service"] == {"name": found["Service"]["metadata"]["name"],
                                          "port": {"name": service_port["name"]}}  # fmt: skip
    assert found["Ingress"]["spec"]["tls"][0]["hosts"] == [rule["host"]]
    probes = [container()[f"{each}Probe"] for each in ("startup", "readiness", "liveness")]
    assert {each["httpGet"]["port"] for each in probes} == {port["name"]}
    assert {each["name"] for each in container()["volumeMounts"]} == {each["name"] for each in pod()["volumes"]}


def test_secrets_are_those_that_the_command_writes_and_are_never_committed() -> None:
    (generated,) = kustomization()["secretGenerator"]
    references = [each["valueFrom"]["secretKeyRef"] for each in container()["env"] if "valueFrom" in each]
    assert {each["name"] for each in references} == {generated["name"]}
    assert {each["key"] for each in references} == secret_keys()
    assert generated["envs"] == ["secrets.env"]
    assert "secrets.env" in (ROOT / ".gitignore").read_text().splitlines()


def test_every_variable_is_a_setting() -> None:
    known = {*Settings.variables(), DATA, *(each.env_var for each in streamlit_config.get_config_options().values())}
    assert {each["name"] for each in container()["env"]} - known == set()


def test_pod_is_the_image_s_user_without_rights() -> None:
    user, group = (int(each) for each in said(final_stage(), "USER")[-1].split(":"))
    security = pod()["securityContext"]
    assert security["runAsNonRoot"] is True
    assert (security["runAsUser"], security["runAsGroup"], security["fsGroup"]) == (user, group, group)
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert pod()["automountServiceAccountToken"] is False


def test_pod_has_the_image_s_port_and_may_write_to_tmp() -> None:
    assert str(container()["ports"][0]["containerPort"]) == PORT
    assert [each["mountPath"] for each in container()["volumeMounts"]] == ["/tmp"]
    assert all("emptyDir" in each for each in pod()["volumes"])


def test_variables_of_the_service_are_not_taken_for_settings() -> None:
    name = manifests()["Service"]["metadata"]["name"].upper()
    assert Settings.variables().keys() & {f"{name}_PORT", f"{name}_SERVICE_HOST"} == set()
    assert pod()["enableServiceLinks"] is False, f"or {name}_PORT looks like a setting"


def test_replicas_get_what_they_ask_for() -> None:
    resources = container()["resources"]
    assert resources["requests"] == resources["limits"], "the server counts its workers by the limit"
    assert set(resources["limits"]) == {"cpu", "memory"}


def test_replica_has_the_time_to_end() -> None:
    command = container()["lifecycle"]["preStop"]["exec"]["command"]
    assert pod()["terminationGracePeriodSeconds"] >= int(command[-1]) + SERVER_SECONDS


def test_a_full_replica_keeps_its_students() -> None:
    """What is not ready is taken from the Service, with all who are there; /ready also says that a server is full."""
    assert "/ready" not in container()["readinessProbe"]["httpGet"]["path"]
    annotations = manifests()["Service"]["metadata"]["annotations"]
    assert annotations["haproxy.org/check-http"] == "/ready"
    assert "http-check disable-on-404" in annotations["haproxy.org/backend-config-snippet"].splitlines()


def test_one_replica_at_a_time_is_stopped() -> None:
    found = manifests()
    assert found["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert found["Deployment"]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert "replicas" not in found["Deployment"]["spec"], "the autoscaler's number would be set back at each update"
    scale = found["HorizontalPodAutoscaler"]["spec"]
    assert 2 <= scale["minReplicas"] < scale["maxReplicas"]
    assert scale["behavior"]["scaleDown"]["stabilizationWindowSeconds"] >= 600


def test_haproxy_accepts_what_the_annotations_become(tmp_path: Path) -> None:
    haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if haproxy is None:
        pytest.skip("haproxy is not installed.")
    said = {name.removeprefix("haproxy.org/"): value
            for name, value in manifests()["Service"]["metadata"]["annotations"].items()}  # fmt: skip
    backend = (
        "defaults\n  mode http\n  timeout connect 5s\n  timeout client 50s\n  timeout server 50s\n  timeout tunnel 1h\n"
        f"backend playground\n  balance {said['load-balance']}\n  option httpchk GET {said['check-http']}\n"
        f"  dynamic-cookie-key key\n  cookie {said['cookie-persistence']} dynamic indirect nocache insert\n"
        + "".join(f"  {line}\n" for line in said["backend-config-snippet"].splitlines())
        + f"  server one 127.0.0.1:8501 check inter {said['check-interval']}\n"
    )
    (tmp_path / "haproxy.cfg").write_text(backend)
    checked = subprocess.run([haproxy, "-c", "-f", "haproxy.cfg"], cwd=tmp_path, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
