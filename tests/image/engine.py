"""Podman or Docker, and what the tests ask of it: the image, and a container of it as compose.yaml has it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, free_port, healthy

NAME = "pytorch-playground-test"  # of image, container and volume
DEBOOTSTRAP = "debootstrap"  # what BASE says for a base of one's own
OWN_BASE = "localhost/pytorch-playground-base:bookworm"
SUITE, PACKAGES = "bookworm", "python3,python3-pip,ca-certificates"
START_SECONDS = 120.0
PROCESSOR_SECONDS = """
import os, pathlib
ticks = (each.read_text().rpartition(")")[2].split()[11:13] for each in pathlib.Path("/proc").glob("[0-9]*/stat"))
print(sum(int(each) for both in ticks for each in both) / os.sysconf("SC_CLK_TCK"))
"""
MAX_SHOWN = 60  # characters of what has made a layer

NO_ENGINE = "Neither podman nor docker is installed."
NO_BASE = "{base} cannot be pulled here; BASE=debootstrap makes a base of Debian's packages instead."


@dataclass
class Container:
    """A running container."""

    engine: Engine
    port: int
    start_seconds: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *command: str) -> str:
        """What a command in the container prints. Raises AssertionError with what it said, if it fails."""
        return self.engine.ask("exec", NAME, *command)

    def state(self) -> dict[str, Any]:
        """What the engine knows of it: "Running", "ExitCode", "OOMKilled", ..."""
        (found,) = json.loads(self.engine.ask("container", "inspect", NAME))
        return dict(found["State"])

    def processor_seconds(self) -> float:
        """What all its processes have used of a core so far."""
        return float(self.run("python", "-c", PROCESSOR_SECONDS))

    def restart(self) -> None:
        """Stop it and start it again, and wait until it answers."""
        self.engine.ask("restart", NAME)
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        end = time.monotonic() + START_SECONDS
        while not healthy(self.port):
            if time.monotonic() > end or not self.state()["Running"]:
                pytest.fail(f"The container does not answer.\n{self.engine.ask('logs', NAME)}")
            time.sleep(0.1)

    def stop(self) -> float:
        """Stop it as an administrator does; the seconds that this took."""
        start = time.monotonic()
        self.engine.ask("stop", NAME)
        return time.monotonic() - start


@dataclass(frozen=True)
class Engine:
    """`podman` or `docker`."""

    program: str

    def ask(self, *words: str) -> str:
        """What a command of the engine prints. Raises AssertionError with what it said, if it fails."""
        done = subprocess.run([self.program, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"{self.program} {shlex.join(words)}\n{done.stdout}{done.stderr}"[-6_000:])
        return done.stdout

    def has(self, image: str) -> bool:
        found = subprocess.run([self.program, "image", "inspect", image], capture_output=True, check=False)
        return found.returncode == 0

    def base(self) -> str:
        """The image to build on: BASE, or else the Dockerfile's. Skips the tests where it is not to be had."""
        base = os.environ.get("BASE") or re.findall(r"^ARG BASE=(\S+)", (ROOT / "Dockerfile").read_text(), re.M)[0]
        if base == DEBOOTSTRAP:
            self.make_base()
            return OWN_BASE
        if not self.has(base) and subprocess.run([self.program, "pull", base], check=False).returncode:
            pytest.skip(NO_BASE.format(base=base))
        return base

    def make_base(self) -> None:
        """Debian with Python and pip, much as the Python image has them, made once; needs root and debootstrap."""
        if self.has(OWN_BASE):
            return
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            made = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(tree)]
            subprocess.run(made, check=True)
            (tree / "usr/bin/python").symlink_to("python3")
            shutil.rmtree(tree / "var/cache/apt", ignore_errors=True)
            shutil.rmtree(tree / "var/lib/apt/lists", ignore_errors=True)
            packed = str(Path(folder) / "base.tar")
            subprocess.run(["tar", "--create", "--file", packed, "--directory", str(tree), "."], check=True)
            self.ask("import", "--change", "ENV PIP_BREAK_SYSTEM_PACKAGES=1", packed, OWN_BASE)

    def build(self) -> float:
        """Build the image; the seconds that this took. BUILD_OPTIONS are more words for `build`."""
        start = time.monotonic()
        arguments = {"BASE": self.base(), "TORCH_BACKEND": os.environ.get("TORCH_BACKEND", "cpu")}
        given = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        kind = ["--format", "docker"] if self.program.endswith("podman") else []  # OCI's has no health check
        more = shlex.split(os.environ.get("BUILD_OPTIONS", ""))
        subprocess.run([self.program, "build", *kind, *given, *more, "--tag", NAME, "."], cwd=ROOT, check=True)
        return time.monotonic() - start

    def megabytes(self) -> float:
        (found,) = json.loads(self.ask("image", "inspect", NAME))
        return float(found["Size"]) / 1e6

    def layers(self) -> list[tuple[str, str]]:
        """The size of each layer of the image that has files, and what has made it; the last first."""
        lines = self.ask("history", "--no-trunc", "--format", "{{.Size}}\t{{.CreatedBy}}", NAME).splitlines()
        found = [(size, made[:MAX_SHOWN]) for size, _, made in (line.partition("\t") for line in lines)]
        return [(size, made) for size, made in found if not size.startswith("0")]

    @contextmanager
    def started(self) -> Iterator[Container]:
        """A container of the image as compose.yaml has it, on a port of its own; removed afterwards with its volume."""
        self.remove()
        port = free_port()
        words = ["--detach", "--name", NAME, "--publish", f"127.0.0.1:{port}:8501", *flags(service())]
        start = time.monotonic()
        try:
            self.ask("run", *words, NAME)
            container = Container(self, port, 0.0)
            container.wait_until_healthy()
            container.start_seconds = time.monotonic() - start
            yield container
        finally:
            self.remove()

    def remove(self) -> None:
        for words in (["rm", "--force", NAME], ["volume", "rm", "--force", NAME]):
            subprocess.run([self.program, *words], capture_output=True, check=False)


def find_engine() -> Engine:
    """Podman, or else Docker. Skips the tests where there is none."""
    program = shutil.which("podman") or shutil.which("docker")
    if program is None:
        pytest.skip(NO_ENGINE)
    return Engine(program)


def service() -> dict[str, Any]:
    """The one service of compose.yaml."""
    (found,) = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].values()
    return dict(found)


def flags(service: dict[str, Any]) -> Sequence[str]:
    """What `run` is told for a service of compose.yaml; no more cores than there are."""
    assert service["read_only"] and service["init"]
    cores = min(service["cpus"], os.cpu_count() or 1)
    given: dict[str, Sequence[object]] = {
        "--cpus": [cores],
        "--memory": [service["mem_limit"]],
        "--memory-swap": [service["memswap_limit"]],
        "--pids-limit": [service["pids_limit"]],
        "--shm-size": [service.get("shm_size", "64m")],
        "--tmpfs": service["tmpfs"],
        "--cap-drop": service["cap_drop"],
        "--security-opt": service["security_opt"],
        "--env": [f"{name}={value}" for name, value in service["environment"].items()],
        "--volume": [f"{NAME}:{each.partition(':')[2]}" for each in service["volumes"]],
    }
    words = [word for name, values in given.items() for value in values for word in (name, str(value))]
    return ["--read-only", "--init", *words]
