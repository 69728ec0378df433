"""Settings from the environment: a wrong value ends the start with one sentence; cores are those of our own share."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from playground import cores, settings
from playground.settings import DATA, Settings, is_listed, normal_origin, unknown_variables
from tests.conftest import ROOT

NUMBERS = {item.metadata["variable"]: item for item in fields(Settings) if item.type != "str"}
WRONG_NUMBERS = ("many", "-1", "1e400", "nan", "inf", "-inf", "1,5", "0x10", "1 000", "9" * 5_000, "½", "None", "12;34")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment without any setting of the app."""
    for variable in (*Settings.variables(), DATA):
        monkeypatch.delenv(variable, raising=False)
    return monkeypatch


def refusal(monkeypatch: pytest.MonkeyPatch, variable: str, text: str) -> str:
    monkeypatch.setenv(variable, text)
    with pytest.raises(ValueError, match=variable) as caught:
        Settings.from_environment()
    sentence = str(caught.value)
    assert sentence.startswith(f"{variable} is “{text.strip()[:50]}")
    assert "it takes " in sentence and sentence.endswith(".") and ". " not in sentence, sentence
    assert "\n" not in sentence and len(sentence) < 500
    return sentence


# Wrong values.


@pytest.mark.parametrize("text", WRONG_NUMBERS)
@pytest.mark.parametrize("variable", NUMBERS)
def test_a_wrong_number_is_refused_with_its_name_its_value_and_what_it_takes(
    bare: pytest.MonkeyPatch, variable: str, text: str
) -> None:
    of = NUMBERS[variable].metadata
    sentence = refusal(bare, variable, text)
    assert f"from {of['least']:,} to {of['most']:,} ({of['meaning']})" in sentence


@pytest.mark.parametrize("variable", NUMBERS)
def test_numbers_within_the_bounds_are_taken_and_those_beyond_are_not(bare: pytest.MonkeyPatch, variable: str) -> None:
    item = NUMBERS[variable]
    for bound, beyond in ((item.metadata["least"], -1), (item.metadata["most"], 1)):
        bare.setenv(variable, f" {bound} ")
        assert getattr(Settings.from_environment(), item.name) == bound
        refusal(bare, variable, str(bound + beyond))
    bare.setenv(variable, "  ")
    assert Settings.from_environment() == Settings()


@pytest.mark.parametrize(
    "text", ["*", "school.example", "https://", "https://school.example/page", "https://a.example;https://b.example",
             "https://user@school.example", "https://school.example:port", "https://*.*.example", "https://a.*.example",
             "https://school.example:0", "https://school.example:65536", "file://school.example", "ws://school.example"]
)  # fmt: skip
def test_what_is_not_an_origin_is_refused(bare: pytest.MonkeyPatch, text: str) -> None:
    assert f"“{text}” is not one" in refusal(bare, "PLAYGROUND_ORIGINS", text)


def test_origins_are_understood_as_people_write_them(bare: pytest.MonkeyPatch) -> None:
    bare.setenv(
        "PLAYGROUND_ORIGINS", " https://School.example/ ,,http://10.0.0.1:80, https://[::1]:8443,https://schüle.de "
    )
    expected = {"https://school.example", "http://10.0.0.1", "https://[::1]:8443", "https://xn--schle-mva.de"}
    assert Settings.from_environment().allowed_origins == expected
    assert Settings().allowed_origins == set()
    assert normal_origin("null") is None


def test_a_name_may_stand_for_all_names_below_it(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("PLAYGROUND_ORIGINS", "https://*.School.example/, http://*.lab.example:8080")
    allowed = Settings.from_environment().allowed_origins
    assert allowed == {"https://*.school.example", "http://*.lab.example:8080"}
    assert is_listed("https://a.b.school.example", allowed) and is_listed("http://x.lab.example:8080", allowed)
    for origin in (
        "https://school.example",
        "http://a.school.example",
        "https://aschool.example",
        "http://x.lab.example",
    ):
        assert not is_listed(origin, allowed)


def test_sites_that_may_frame_the_app_are_named_once_each(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("PLAYGROUND_EMBED", "https://moodle.example, https://*.instructure.example,https://moodle.example/")
    assert Settings.from_environment().embedding_sites == ("https://moodle.example", "https://*.instructure.example")
    assert "“moodle.example” is not one" in refusal(bare, "PLAYGROUND_EMBED", "moodle.example")


def test_proxies_are_addresses_and_networks(bare: pytest.MonkeyPatch) -> None:
    assert [str(each) for each in Settings().trusted_proxies][:2] == ["127.0.0.0/8", "::1/128"]
    bare.setenv("PLAYGROUND_PROXIES", "192.0.2.7, 2001:db8::/32")
    assert [str(each) for each in Settings.from_environment().trusted_proxies] == ["192.0.2.7/32", "2001:db8::/32"]
    assert "“proxy.example” is not one" in refusal(bare, "PLAYGROUND_PROXIES", "192.0.2.7, proxy.example")


def test_a_short_secret_is_refused_and_never_repeated(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("PLAYGROUND_SECRET", "hunter2")
    with pytest.raises(ValueError, match="PLAYGROUND_SECRET has 7 characters; it takes 16 or more") as caught:
        Settings.from_environment()
    assert "hunter2" not in str(caught.value)
    bare.setenv("PLAYGROUND_SECRET", "x" * 16)
    assert Settings.from_environment().secret == "x" * 16


def test_the_names_of_a_class_are_one_of_three_kinds(bare: pytest.MonkeyPatch) -> None:
    for names in ("own", "offered", "numbers", ""):
        bare.setenv("PLAYGROUND_CLASS_NAMES", names)
        assert Settings.from_environment().class_names == names
    refusal(bare, "PLAYGROUND_CLASS_NAMES", "real")


@pytest.mark.parametrize("name", ["file", "file/below", "x" * 300, "~no-such-user-here/mnist", "unreadable"])
def test_what_cannot_be_the_folder_of_mnist_is_refused(bare: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "unreadable").mkdir()
    bare.setattr(os, "access", lambda path, mode: Path(path).name != "unreadable")
    bare.chdir(tmp_path)
    refusal(bare, DATA, name)


@pytest.mark.parametrize("name", ["", "there", "not/yet/there"])
def test_a_folder_that_is_there_or_may_be_made_is_taken(bare: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    (tmp_path / "there").mkdir()
    bare.setenv(DATA, str(tmp_path / name))
    assert Settings.from_environment() == Settings()


def test_a_misspelled_name_is_told_with_the_right_one() -> None:
    names = [
        "PLAYGROUND_MAXRUNS",
        "PLAYGROUND_ORIGIN",
        "PLAYGROUND_MAX_RUNS",
        "PLAYGROUND_REQUIRE_BROWSER",
        "PATH",
        DATA,
    ]
    assert [(text.split()[0], text.split()[-1]) for text in unknown_variables(names)] == [
        ("PLAYGROUND_MAXRUNS", "PLAYGROUND_MAX_RUNS?"),
        ("PLAYGROUND_ORIGIN", "PLAYGROUND_ORIGINS?"),
    ]


@pytest.mark.parametrize("server", ["streamlit run app.py --server.port=0", "uvicorn app:app --port=0"])
@pytest.mark.parametrize("wrong", ["PLAYGROUND_MAX_RUNS=many", f"{DATA}={ROOT / 'app.py'}"])
def test_a_start_with_a_wrong_value_ends_with_one_sentence(server: str, wrong: str) -> None:
    variable, _, text = wrong.partition("=")
    command = [sys.executable, "-m", *server.split()]
    environment = os.environ | {variable: text}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode not in (0, None)
    assert re.fullmatch(rf"{variable} is “[^”]+”[^\n]*it takes [^\n]*\.\n", done.stderr), done.stderr
    assert "Traceback" not in done.stdout


# Cores.


class Machine:
    """Files of a machine, and how many cores the system itself says that there are."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, *, cpus: int = 32, affinity: int = 32) -> None:
        self.root = root
        monkeypatch.setattr(os, "cpu_count", lambda: cpus)
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(affinity)), raising=False)
        monkeypatch.setattr(sys, "platform", "linux")

    def files(self, files: dict[str, str]) -> int:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n")
        return cores.available_cores(self.root)


GROUP, MOUNT = "proc/self/cgroup", "sys/fs/cgroup"
CGROUPS: dict[str, tuple[dict[str, str], int]] = {
    "no cgroups": ({}, 32),
    "version 2, a container's own group": ({GROUP: "0::/", f"{MOUNT}/cpu.max": "400000 100000"}, 4),
    "version 2, no limit": ({GROUP: "0::/", f"{MOUNT}/cpu.max": "max 100000"}, 32),
    "version 2, one and a half cores": ({GROUP: "0::/", f"{MOUNT}/cpu.max": "150000 100000"}, 1),
    "version 2, a tenth of a core": ({GROUP: "0::/", f"{MOUNT}/cpu.max": "10000 100000"}, 1),
    "version 2, another period": ({GROUP: "0::/", f"{MOUNT}/cpu.max": "100000 50000"}, 2),
    "version 2, a service's group": (
        {GROUP: "0::/system.slice/app.service", f"{MOUNT}/system.slice/app.service/cpu.max": "300000 100000"}, 3),
    "version 2, the limit is above": (
        {GROUP: "0::/a/b", f"{MOUNT}/a/b/cpu.max": "max 100000", f"{MOUNT}/a/cpu.max": "200000 100000"}, 2),
    "version 2, a group outside of what is seen": ({GROUP: "0::/../x", f"{MOUNT}/cpu.max": "200000 100000"}, 2),
    "version 1, a container's own group": (
        {GROUP: "4:cpu,cpuacct:/docker/0123\n3:memory:/docker/0123", f"{MOUNT}/cpu,cpuacct/cpu.cfs_quota_us": "250000",
         f"{MOUNT}/cpu,cpuacct/cpu.cfs_period_us": "100000"}, 2),
    "version 1, below the mount": (
        {GROUP: "4:cpu:/a", f"{MOUNT}/cpu/a/cpu.cfs_quota_us": "500000",
         f"{MOUNT}/cpu/a/cpu.cfs_period_us": "100000"}, 5),
    "version 1, no limit": (
        {GROUP: "4:cpu:/", f"{MOUNT}/cpu/cpu.cfs_quota_us": "-1", f"{MOUNT}/cpu/cpu.cfs_period_us": "100000"}, 32),
    "version 1 and an empty version 2": (
        {GROUP: "1:cpu:/\n0::/", f"{MOUNT}/cpu/cpu.cfs_quota_us": "200000",
         f"{MOUNT}/cpu/cpu.cfs_period_us": "100000"}, 2),
    "nonsense": ({GROUP: "x\n0::/\n::", f"{MOUNT}/cpu.max": "lots of it"}, 32),
    "a period of 0": ({GROUP: "0::/", f"{MOUNT}/cpu.max": "100000 0"}, 32),
    "more than the machine has": ({GROUP: "0::/", f"{MOUNT}/cpu.max": "6400000 100000"}, 32),
}  # fmt: skip


@pytest.mark.parametrize("case", CGROUPS)
def test_the_cores_of_a_container_are_its_share(bare: pytest.MonkeyPatch, tmp_path: Path, case: str) -> None:
    files, expected = CGROUPS[case]
    assert Machine(tmp_path, bare).files(files) == expected


@pytest.mark.parametrize(
    ("cpus", "affinity", "expected"), [(8, 8, 8), (8, 3, 3), (32, 1, 1), (1, 1, 1), (2, 64, 2), (None, 4, 1)]
)
def test_the_cores_are_the_least_of_machine_and_affinity(
    bare: pytest.MonkeyPatch, tmp_path: Path, cpus: int, affinity: int, expected: int
) -> None:
    assert Machine(tmp_path, bare, cpus=cpus, affinity=affinity).files({}) == expected


def test_cores_come_from_the_setting_or_else_from_the_machine(bare: pytest.MonkeyPatch) -> None:
    bare.setattr(settings, "available_cores", lambda: 6)
    assert (Settings.from_environment().cores, Settings.from_environment().worker_count) == (6, 5)
    bare.setenv("PLAYGROUND_CORES", "3")
    found = Settings.from_environment()
    assert (found.cores, [found.free_cores(training) for training in (0, 1, 2, 9)]) == (3, [3, 2, 1, 1])


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 2), (3, 2), (4, 3), (16, 15)])
def test_there_is_a_worker_process_for_each_core_and_a_core_left_where_there_are_many(cores: int, workers: int) -> None:
    assert Settings(core_limit=cores).worker_count == workers
    assert Settings(core_limit=cores, workers=7).worker_count == 7


MEMINFO = {"proc/meminfo": "MemTotal:       16316412 kB\nMemFree:         1000 kB"}
MACHINE = 16_316_412 * 1024
MEMORY: dict[str, tuple[dict[str, str], int]] = {
    "no limit": ({}, MACHINE),
    "version 2": ({GROUP: "0::/", f"{MOUNT}/memory.max": "2147483648"}, 2**31),
    "version 2, no limit": ({GROUP: "0::/", f"{MOUNT}/memory.max": "max"}, MACHINE),
    "version 2, the limit is above": ({GROUP: "0::/a/b", f"{MOUNT}/a/memory.max": "1073741824"}, 2**30),
    "version 1": ({GROUP: "9:memory:/docker/0", f"{MOUNT}/memory/memory.limit_in_bytes": "1073741824"}, 2**30),
    "version 1, no limit": ({GROUP: "9:memory:/", f"{MOUNT}/memory/memory.limit_in_bytes": "9223372036854771712"},
                            MACHINE),
    "nonsense": ({GROUP: "0::/", f"{MOUNT}/memory.max": "lots"}, MACHINE),
}  # fmt: skip


@pytest.mark.parametrize("case", MEMORY)
def test_the_memory_of_a_container_is_its_limit(tmp_path: Path, case: str) -> None:
    files, expected = MEMORY[case]
    for name, text in (MEMINFO | files).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    assert cores.available_memory(tmp_path) == expected


def test_runs_may_hold_half_of_the_memory_or_what_the_setting_says(bare: pytest.MonkeyPatch) -> None:
    bare.setattr(settings, "available_memory", lambda: 2**30)
    assert Settings.from_environment().memory_limit_mb == 512
    bare.setenv("PLAYGROUND_MEMORY_MB", "100")
    assert Settings.from_environment().memory_limit_mb == 100
