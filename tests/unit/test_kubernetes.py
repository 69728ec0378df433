"""The files of docs/deploy/kubernetes: legal for Kubernetes, with names that exist, and in agreement with the image."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from streamlit import config as streamlit_config

from playground.settings import DATA, Settings
from tests.conftest import free_port
from tests.unit.test_deploy import PORT, final_stage, said

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "deploy" / "kubernetes"
CODES = ("BCDFGH", "JKLMNP", "QRSTVW", "XZBCDF", "GHJKLM", "NPQRST")
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
    return set(re.findall(r"(?:^|\\n)(\w+)=%s", written))


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
    single = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["playground"]
    as_for_compose = {"cpu": str(single["cpus"]), "memory": single["mem_limit"].replace("g", "Gi")}
    assert resources["limits"] == as_for_compose, "docs/scaling.md has the numbers of one such container"


def test_replica_has_the_time_to_end() -> None:
    command = container()["lifecycle"]["preStop"]["exec"]["command"]
    assert pod()["terminationGracePeriodSeconds"] >= int(command[-1]) + SERVER_SECONDS


def test_a_full_replica_keeps_its_students_and_gets_no_new_ones() -> None:
    """What is not ready is taken from the Service, with all who are there."""
    assert container()["readinessProbe"]["httpGet"]["path"] == "/ready?full=ok"
    assert container()["livenessProbe"]["httpGet"]["path"] == "/_stcore/health", "a draining server lives"
    assert annotations()["check-http"] == "/ready"


def test_one_replica_at_a_time_is_stopped() -> None:
    found = manifests()
    assert found["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert found["Deployment"]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert "replicas" not in found["Deployment"]["spec"], "the autoscaler's number would be set back at each update"
    scale = found["HorizontalPodAutoscaler"]["spec"]
    assert 2 <= scale["minReplicas"] < scale["maxReplicas"]
    assert scale["behavior"]["scaleDown"]["stabilizationWindowSeconds"] >= 600


def annotations() -> dict[str, str]:
    """What the Service says to HAProxy's controller."""
    found = manifests()["Service"]["metadata"]["annotations"].items()
    return {name.partition("/")[2]: value for name, value in found if name.startswith("haproxy.org/")}


def generated(ports: Sequence[int], listens: int) -> str:
    """What the controller makes of the annotations, before these replicas."""
    said = annotations()
    assert said["check"] == "true"
    backend = [
        f"balance {said['load-balance']}", f"option httpchk GET {said['check-http']}", "dynamic-cookie-key key",
        f"cookie {said['cookie-persistence']} dynamic indirect nocache insert",
        *said["backend-config-snippet"].splitlines(),
        *(f"server replica-{port} 127.0.0.1:{port} check inter 100ms" for port in ports),
    ]  # fmt: skip
    return "\n".join(
        ["defaults", "mode http", "timeout connect 1s", "timeout client 5s", "timeout server 5s",
         "frontend web", f"bind 127.0.0.1:{listens}", "default_backend playground", "backend playground", *backend, ""]
    )  # fmt: skip


class Replica:
    """A server that answers with its port, and is full when it is told so."""

    def __init__(self) -> None:
        self.full = False
        replica = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                is_full = replica.full and self.path == annotations()["check-http"]
                self.send_response(404 if is_full else 200)
                self.end_headers()
                with suppress(OSError):  # a check does not read to the end
                    self.wfile.write(str(replica.port).encode())

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@dataclass
class Visitor:
    """A browser that keeps its cookies."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def opens(self, path: str) -> int:
        """The port of the replica that answers; 0 if none does."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            connection.request("GET", path, headers={"Cookie": kept} if kept else {})
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("Set-Cookie", ()):
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            return int(answer.read()) if answer.status == 200 else 0
        except OSError:
            return 0
        finally:
            connection.close()


@dataclass
class Cluster:
    """Replicas behind an HAProxy that is set as the controller would."""

    replicas: list[Replica]
    port: int

    def newcomers(self) -> set[int]:
        """The replicas that new visitors come to."""
        return {Visitor(self.port).opens("/") for _ in range(6)}

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until the checks have been noticed."""
        end = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.05)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if haproxy is None:
        pytest.skip("haproxy is not installed.")
    found = Cluster([Replica(), Replica(), Replica()], free_port())
    (tmp_path / "haproxy.cfg").write_text(generated([each.port for each in found.replicas], found.port))
    process = subprocess.Popen([haproxy, "-db", "-f", str(tmp_path / "haproxy.cfg")], stderr=subprocess.DEVNULL)
    try:
        found.until(lambda: len(found.newcomers() - {0}) == 3)
        yield found
    finally:
        process.kill()
        process.wait()
        for each in found.replicas:
            each.server.shutdown()
            each.server.server_close()


def test_visitors_stay_and_a_full_replica_gets_no_new_ones(cluster: Cluster) -> None:
    visitors = [Visitor(cluster.port) for _ in range(6)]
    places = [each.opens("/") for each in visitors]
    assert len(set(places)) == 3
    full = cluster.replicas[0]
    full.full = True
    cluster.until(lambda: full.port not in cluster.newcomers())
    assert [each.opens("/assets") for each in visitors] == places


def test_a_class_is_on_one_replica(cluster: Cluster) -> None:
    classes = {code: Visitor(cluster.port).opens(f"/class?class={code}") for code in CODES}
    assert len(set(classes.values())) > 1, "classes are spread"
    for code, place in classes.items():
        student = Visitor(cluster.port)
        while student.opens("/") == place:  # she has been elsewhere before
            student.cookies.clear()
        assert student.opens(f"/join?class={code.lower()}") == place
        assert student.opens("/regression") == place, "as long as she is in it"
    code, place = classes.popitem()
    (full,) = [each for each in cluster.replicas if each.port == place]
    full.full = True
    cluster.until(lambda: place not in cluster.newcomers())
    assert Visitor(cluster.port).opens(f"/join?class={code}") == place, "also where its replica is full by now"
