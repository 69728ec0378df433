"""What runs the app elsewhere must hold, with no Docker engine at hand: image, compose file, settings, Streamlit."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from streamlit import config as streamlit_config

from playground.mnist.files import places
from playground.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PORT = "8501"
Instruction = tuple[str, str]  # ("COPY", "app.py ./")


def instructions() -> list[Instruction]:
    """The Dockerfile's instructions in order, comments dropped and continued lines joined."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    parts = (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    return [(name.upper(), rest.strip()) for name, _, rest in parts]


def final_stage() -> list[Instruction]:
    found = instructions()
    return found[max(index for index, (name, _) in enumerate(found) if name == "FROM") :]


def said(stage: list[Instruction], name: str) -> list[str]:
    return [rest for instruction, rest in stage if instruction == name]


def image_environment() -> dict[str, str]:
    words = " ".join(said(final_stage(), "ENV")).split()
    return dict(word.split("=", 1) for word in words)


def base() -> str:
    """The image that it is built on, where nothing else is said."""
    (found,) = [rest for name, rest in instructions() if name == "ARG" and rest.startswith("BASE=")]
    return found.removeprefix("BASE=")


def copied() -> list[tuple[list[str], str]]:
    """What each COPY takes from the checkout, and where it puts it."""
    copies = [rest.split() for rest in said(instructions(), "COPY") if "--from=" not in rest]
    return [(words[:-1], words[-1]) for words in copies]


def readme_settings() -> dict[str, str]:
    """Variable and default of each row of the README's table of settings."""
    rows = re.findall(r"^\| `(PLAYGROUND_\w+)` \| ([^|]*)\|", (ROOT / "README.md").read_text(), re.MULTILINE)
    return {name: default.strip() for name, default in rows}


def health_command(port: int) -> list[str]:
    """The HEALTHCHECK's command for another port, with this Python."""
    check = said(final_stage(), "HEALTHCHECK")[0]
    command = json.loads(check.partition("CMD")[2])
    assert command[0] == "python"
    assert PORT in command[-1]
    return [sys.executable, *command[1:-1], command[-1].replace(PORT, str(port))]


def health_exit_code(port: int) -> int:
    return subprocess.run(health_command(port), check=False, capture_output=True, timeout=30).returncode


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    """A server that gives every request this answer; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The files of the final stage, copied as the Dockerfile copies them; the folder stands for WORKDIR."""
    folder = tmp_path / "app"
    for sources, target in copied():
        for source in sources:
            place = folder / target / (Path(source).name if target.endswith("/") else "")
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, place)
    return folder


def test_every_copy_source_exists_and_reaches_the_builder() -> None:
    sources = [source for names, _ in copied() for source in names]
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert len(sources) >= 5
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert [source for source in sources if Path(source).parts[0] not in kept] == []


@pytest.mark.parametrize("page", ["README.md", "docs/scaling.md", "docs/deploy/README.md"])
def test_files_that_a_page_links_to_exist(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / page).read_text())
    inside = [link for link in links if "://" not in link]
    assert inside or page == "docs/scaling.md"
    assert [link for link in inside if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_base_is_pinned_to_a_release_of_python_and_of_debian() -> None:
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+-slim-[a-z]+", base())
    assert instructions()[0] == ("ARG", f"BASE={base()}"), "before the first stage, for all of them"
    assert {rest.partition(" ")[0] for name, rest in instructions() if name == "FROM"} == {"${BASE}"}
    assert base() in (ROOT / "docs" / "deploy" / "README.md").read_text()


def test_torch_is_chosen_by_a_build_argument_that_defaults_to_cpu() -> None:
    assert "TORCH_BACKEND=cpu" in said(instructions(), "ARG")
    assert any("--torch-backend=${TORCH_BACKEND}" in command for command in said(instructions(), "RUN"))


def test_mnist_comes_into_the_image_only_when_asked_for() -> None:
    assert "MNIST=0" in said(instructions(), "ARG")
    (fetching,) = [command for command in said(instructions(), "RUN") if "playground.mnist" in command]
    assert re.search(r'\[ "\$\{MNIST\}" = 1 \]; then \S+ -m playground\.mnist data; fi$', fetching)
    assert said(instructions(), "WORKDIR") == ["/app", "/app"]
    assert "--from=build /app /app" in said(final_stage(), "COPY"), "beside app.py, where it is looked for"
    assert places()[-1] == ROOT / "data"


def test_files_copied_for_the_download_of_mnist_are_all_that_it_needs(tmp_path: Path) -> None:
    (tmp_path / "playground").mkdir()
    modules = ["playground/__init__.py", "playground/shared_folder.py"]
    for module in modules:
        shutil.copy(ROOT / module, tmp_path / "playground")
    shutil.copytree(ROOT / "playground" / "mnist", tmp_path / "playground" / "mnist")
    fetching = [(names, target) for names, target in copied() if target.startswith("playground/")]
    assert (modules, "playground/") in fetching
    assert (["playground/mnist"], "playground/mnist") in [*fetching, *copied()]
    command = [sys.executable, "-m", "playground.mnist", "--help"]
    assert "MNIST" in subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    loads = "import playground.mnist.download, sys; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", loads], cwd=tmp_path, check=True)


def test_final_stage_runs_as_an_ordinary_user_with_a_fixed_id() -> None:
    user = said(final_stage(), "USER")[-1]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), f"USER is {user}: give both ids as numbers other than 0."


def test_final_stage_installs_nothing() -> None:
    commands = " ; ".join(said(final_stage(), "RUN"))
    assert re.findall(r"\b(?:pip3?|uv|apt-get|apt|gcc|g\+\+|make|curl|wget)\b", commands) == []


def test_image_writes_below_tmp_only() -> None:
    environment = image_environment()
    places = {name: environment[name] for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    assert {name: place for name, place in places.items() if Path(place).parts[:2] != ("/", "tmp")} == {}
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"


def test_image_reads_the_bytecode_that_its_build_has_written() -> None:
    folder = image_environment()["PYTHONPYCACHEPREFIX"]
    assert f"--from=build {folder} {folder}" in said(final_stage(), "COPY")
    (starting,) = [command for command in said(instructions(), "RUN") if "streamlit run" in command]
    assert f"PYTHONPYCACHEPREFIX={folder} PYTHONDONTWRITEBYTECODE= " in starting


def test_settings_agree_between_code_image_and_readme() -> None:
    code = {**Settings.variables(), "PLAYGROUND_DATA": ""}  # the MNIST folder is no limit of the engine
    image = {name: value for name, value in image_environment().items() if name.startswith("PLAYGROUND_")}
    assert image == code
    assert readme_settings() == code


def test_settings_read_from_the_image_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in image_environment().items():
        if name.startswith("PLAYGROUND_"):
            monkeypatch.setenv(name, value)
    assert Settings.from_environment() == Settings()


def test_health_check_passes_on_ok_and_fails_on_anything_else() -> None:
    with answering(200, b"ok") as port:
        assert health_exit_code(port) == 0
    for status, body in ((200, b"<html>not ok</html>"), (200, b""), (503, b"unavailable")):
        with answering(status, body) as port:
            assert health_exit_code(port) != 0, f"{status} {body!r} counts as healthy"
    assert health_exit_code(port) != 0, "no server counts as healthy"


def test_health_check_passes_on_the_app(app_url: str) -> None:
    assert health_exit_code(int(app_url.rpartition(":")[2])) == 0


def test_command_starts_the_app_from_the_copied_files_alone(image: Path, tmp_path: Path, serve: Any) -> None:
    command = json.loads(said(final_stage(), "CMD")[-1])
    assert command[0] == "streamlit"
    words = [word.replace("0.0.0.0", "127.0.0.1").replace(PORT, "{port}") for word in command[1:]]
    home = str(tmp_path / "home")
    environment = {name: value.replace("/tmp", home) for name, value in image_environment().items()}
    environment["PATH"] = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    before = sorted(image.rglob("*"))
    with serve([sys.executable, "-m", "streamlit", *words], folder=image, environment=environment) as server:
        assert health_exit_code(server.port) == 0
    assert sorted(image.rglob("*")) == before, "the app writes into its own folder, which may be read-only"


def test_uvicorn_serves_the_same_app(serve: Any) -> None:
    with serve([sys.executable, "-m", "uvicorn", "app:app", "--port", "{port}"]) as server:
        assert health_exit_code(server.port) == 0


def test_compose_limits_memory_processors_and_processes() -> None:
    (service,) = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].values()
    assert re.fullmatch(r"\d+[mg]", str(service["mem_limit"]))
    assert float(service["cpus"]) > 1
    assert {"PLAYGROUND_CORES", "PLAYGROUND_WORKERS"} & service["environment"].keys() == set(), "the limit decides"
    assert 0 < service["pids_limit"] <= 1_000


def test_compose_keeps_a_download_of_mnist() -> None:
    composed = yaml.safe_load((ROOT / "compose.yaml").read_text())
    (service,) = composed["services"].values()
    (volume,) = service["volumes"]
    name, _, folder = volume.partition(":")
    assert name in composed["volumes"]
    assert folder == service["environment"]["PLAYGROUND_DATA"]
    user, group = said(final_stage(), "USER")[-1].split(":")
    made = f"install --directory --owner={user} --group={group} {folder}"
    assert any(made in command for command in said(final_stage(), "RUN")), "a new volume takes its owner from the image"


def test_compose_takes_rights_away() -> None:
    (service,) = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].values()
    assert service["read_only"] is True
    assert service["tmpfs"][0].startswith("/tmp")
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


def test_compose_publishes_the_port_that_the_image_listens_on() -> None:
    (service,) = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].values()
    assert said(final_stage(), "EXPOSE") == [PORT]
    assert f"--server.port={PORT}" in json.loads(said(final_stage(), "CMD")[-1])
    assert [ports.rpartition(":")[2] for ports in service["ports"]] == [PORT]
    assert service["build"]["args"] == {
        "BASE": f"${{BASE:-{base()}}}", "TORCH_BACKEND": "${TORCH_BACKEND:-cpu}", "MNIST": "${MNIST:-0}"
    }  # fmt: skip


def test_a_replica_is_the_same_container_as_a_single_server() -> None:
    (single,) = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].values()
    replica = yaml.safe_load((ROOT / "docs" / "deploy" / "compose.scale.yaml").read_text())["services"]["playground"]
    own = {"ports", "environment", "build", "scale"}
    assert {name: value for name, value in replica.items() if name not in own} == {
        name: value for name, value in single.items() if name not in own
    }
    assert replica["build"]["args"] == single["build"]["args"]
    assert single["environment"].keys() <= replica["environment"].keys()


def test_replicas_share_their_secret_and_drain_before_docker_ends_them() -> None:
    services = yaml.safe_load((ROOT / "docs" / "deploy" / "compose.scale.yaml").read_text())["services"]
    environment = services["playground"]["environment"]
    assert environment["PLAYGROUND_SECRET"].startswith("${PLAYGROUND_SECRET:?"), "a start without one is refused"
    assert environment["STREAMLIT_SERVER_COOKIE_SECRET"] == "${PLAYGROUND_SECRET}"
    assert 0 < environment["PLAYGROUND_DRAIN_SECONDS"] <= 6, "docker waits 10 s, and the end itself takes 1.5 s"
    balancer = (ROOT / "docs" / "deploy" / "haproxy.scale.cfg").read_text()
    assert set(re.findall(r"^ *server-template \S+ \S+ (\S+)$", balancer, re.MULTILINE)) == {f"playground:{PORT}"}
    assert [ports.rpartition(":")[2] for ports in services["balancer"]["ports"]] == re.findall(
        r"^ *bind :(\d+)$", balancer, re.MULTILINE
    )
    assert "ports" not in services["playground"], "only the balancer is reached from outside"


def test_streamlit_is_configured_for_production() -> None:
    text = (ROOT / ".streamlit" / "config.toml").read_text()
    settings = tomllib.loads(text)
    assert settings["browser"] == {"gatherUsageStats": False, "serverAddress": "localhost"}
    assert settings["client"]["showErrorDetails"] == "none"
    assert settings["runner"]["postScriptGC"] is False
    assert settings["server"]["fileWatcherType"] == "none"
    assert settings["server"]["enableXsrfProtection"] is True
    assert settings["server"]["maxUploadSize"] <= 5
    assert settings["server"]["maxMessageSize"] <= 16, "a few sockets could fill the memory"
    assert "://" not in text, "a font or file from a foreign host"


def test_every_streamlit_option_exists() -> None:
    def names(table: dict[str, Any], prefix: str = "") -> Iterator[str]:
        for key, value in table.items():
            yield from names(value, f"{prefix}{key}.") if isinstance(value, dict) else [prefix + key]

    known = streamlit_config.get_config_options()
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert [name for name in names(settings) if name not in known] == []


def test_requirements_are_pinned_exactly_each_with_a_reason() -> None:
    for name in ("requirements.txt", "tests/requirements.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r"))]
        assert [line for line in lines if not re.match(r"[\w-]+==[\w.]+[; ][^#]*\S? *# \S", line)] == []
