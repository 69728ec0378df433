"""Real proxies in front of a running app, from the files in docs/deploy: only ports and places on the disk differ."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT, end_group, healthy_at

FILES = ROOT / "docs" / "deploy"
ROOT_NAME, PATH_NAME = "playground.example", "school.example"
NAMES_HOST = ("apache",)  # in X-Forwarded-Host, whatever it keeps
CERTIFICATES = "/etc/ssl/playground"
APP = "127.0.0.1:8501"
PATHS = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin"

# What of each file keeps the browser's Host; without it, the proxy names its own.
KEEPS_HOST = {
    "nginx": r" *proxy_set_header Host .*\n",
    "apache": r"ProxyPreserveHost On\n",
}
MODULES = (
    *("mpm_event", "authz_core", "alias", "headers"),
    *("ssl", "socache_shmcb", "proxy", "proxy_http", "proxy_wstunnel"),
)


@dataclass(frozen=True)
class Ports:
    """Where a proxy listens."""

    http: int
    https: int

    def origin(self, name: str, scheme: str) -> str:
        """The first part of the app's address."""
        return f"{scheme}://{name}:{self.https if scheme == 'https' else self.http}"

    def url(self, name: str, scheme: str) -> str:
        """The address of the app, with a slash at its end."""
        return self.origin(name, scheme) + ("/playground/" if name == PATH_NAME else "/")


def certificate(folder: Path) -> None:
    """A certificate for both names, signed by itself."""
    names = f"subjectAltName=DNS:{ROOT_NAME},DNS:{PATH_NAME}"
    out = ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"]
    kind = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", names]
    subprocess.run(["openssl", "req", "-x509", *kind, *out], check=True, capture_output=True)
    both = (folder / "fullchain.pem").read_text() + (folder / "privkey.pem").read_text()
    (folder / "both.pem").write_text(both)


def configured(text: str, app: str, folder: Path) -> str:
    """A file of docs/deploy with the app's address and the certificate of this test."""
    return text.replace(APP, app).replace(CERTIFICATES, str(folder))


def nginx(text: str, ports: Ports, folder: Path) -> list[str]:
    text = text.replace("listen 80;", f"listen 127.0.0.1:{ports.http};")
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{ports.https} ssl;")
    (folder / "conf").write_text(text)
    once = f"daemon off; pid {folder}/pid; error_log stderr warn;"
    return ["nginx", "-p", str(folder), "-c", str(folder / "conf"), "-g", once]


def haproxy(text: str, ports: Ports, folder: Path) -> list[str]:
    text = text.replace("bind :80\n", f"bind 127.0.0.1:{ports.http}\n")
    text = text.replace("bind :443 ", f"bind 127.0.0.1:{ports.https} ")
    (folder / "conf").write_text(text)
    return ["haproxy", "-db", "-f", str(folder / "conf")]


def apache(text: str, ports: Ports, folder: Path) -> list[str]:
    text = text.replace("*:80", f"127.0.0.1:{ports.http}").replace("*:443", f"127.0.0.1:{ports.https}")
    server = [f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES]
    server += [f"ServerRoot {folder}", f"PidFile {folder}/pid", "ErrorLog /dev/stderr", "ServerName localhost"]
    server += [f"Listen 127.0.0.1:{ports.http}", f"Listen 127.0.0.1:{ports.https}"]
    (folder / "conf").write_text("\n".join([*server, text]))
    return ["apache2", "-D", "FOREGROUND", "-f", str(folder / "conf")]


def caddy(text: str, ports: Ports, folder: Path) -> list[str]:
    options = "admin off\nlocal_certs\nskip_install_trust\nauto_https disable_redirects"
    sites = re.sub(r"^(\S+\.example) \{", r"https://\1, http://\1 {", text, flags=re.MULTILINE)
    options += f"\nhttp_port {ports.http}\nhttps_port {ports.https}\nstorage file_system {folder}/kept"
    (folder / "conf").write_text(f"{{\n{options}\n}}\n{sites}")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "conf")]


@dataclass(frozen=True)
class Proxy:
    """A server that can stand before the app."""

    program: str
    file: str
    command: Callable[[str, Ports, Path], list[str]]

    @property
    def path(self) -> str:
        """Where it is installed; "" where it is not."""
        return shutil.which(self.program, path=PATHS) or ""

    @property
    def is_there(self) -> bool:
        """Whether it is installed."""
        return bool(self.path)


PROXIES = {
    "nginx": Proxy("nginx", "nginx.conf", nginx),
    "haproxy": Proxy("haproxy", "haproxy.cfg", haproxy),
    "apache": Proxy("apache2", "apache.conf", apache),
    "caddy": Proxy("caddy", "Caddyfile", caddy),
}


@contextmanager
def standing(
    kind: str, app: str, ports: Ports, folder: Path, *, keeps_host: bool = True, change: Callable[[str], str] = str
) -> Iterator[None]:
    """Start a proxy before the app at `app` (host and port), and end it afterwards. `change` is done to its file."""
    proxy = PROXIES[kind]
    certificate(folder)
    text = change(configured((FILES / proxy.file).read_text(), app, folder))
    if not keeps_host:
        text, count = re.subn(KEEPS_HOST[kind], "", text)
        assert count, "this file keeps the Host by a line that is not known here"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            proxy.command(text, ports, folder), stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env={"PATH": PATHS, "HOME": str(folder)},
        )  # fmt: skip
        try:
            wait_until_it_answers(process, ports, folder)
            yield
        finally:
            end_group(process)


def wait_until_it_answers(process: subprocess.Popen[bytes], ports: Ports, folder: Path) -> None:
    end = time.monotonic() + 30
    while not healthy_at(ports.http, ROOT_NAME):
        said = (folder / "log").read_text()[-2_000:]
        assert process.poll() is None, f"It ended at once: {said}"
        assert time.monotonic() < end, f"It does not answer: {said}"
        time.sleep(0.1)
