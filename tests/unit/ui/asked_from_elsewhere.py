"""A server on a machine whose packets vanish: opens websockets with Origins of many kinds, and prints what came of it.

    python -m tests.unit.ui.asked_from_elsewhere streamlit|uvicorn [alone]

With "alone" it runs in a network namespace of its own (`unshare --net`) and gets an interface that loses all packets.
A server that looks up its own address ends at once. The output is one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.conftest import healthy, run_server

ALLOWED = "https://school.example"
FOREIGN = ("https://evil.example", "null", "https://school.example.evil.example", "http://[", "")
NO_LOOKUPS = """
import os, sys
from streamlit import net_util
def lookup():
    print("The server looked up its own address.", file=sys.stderr, flush=True)
    os._exit(9)
net_util.get_external_ip = net_util.get_internal_ip = lookup
"""
STREAMLIT = """
from streamlit.web.cli import main
sys.argv = ["streamlit", "run", "app.py", "--server.address=127.0.0.1", "--server.port={port}"]
main()
"""
UVICORN = """
import uvicorn
uvicorn.run("app:app", host="127.0.0.1", port={port}, log_level="warning")
"""
STARTS = {"streamlit": NO_LOOKUPS + STREAMLIT, "uvicorn": NO_LOOKUPS + UVICORN}
HOLE = (
    "ip link set lo up",
    "ip link add hole type veth peer name nowhere",
    "ip link set hole addrgenmode none",
    "ip link set nowhere addrgenmode none",
    "ip address add 10.9.9.1/24 dev hole",
    "ip link set hole up",
    "ip link set nowhere up",
    "ip neighbour add 10.9.9.2 lladdr 02:00:00:00:00:02 dev hole",
    "ip route add default via 10.9.9.2",
)


def opened(address: str, **headers: str) -> Any:
    """What comes of a websocket: "open", an HTTP status with its text, or the code and reason of its end."""
    subprotocols: Any = ["streamlit"] if "_stcore" in address else None
    try:
        with connect(address, additional_headers=headers, subprotocols=subprotocols, proxy=None) as socket:
            try:
                socket.recv(0.5)
            except TimeoutError:
                pass
            except ConnectionClosed as closed:
                return [closed.rcvd.code, closed.rcvd.reason] if closed.rcvd else "cut"
            return "open"
    except InvalidStatus as refused:
        return [refused.response.status_code, (refused.response.body or b"").decode()]


def packets_sent() -> int | None:
    """How many packets went into the hole; None without one."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, _, counts = line.partition(":")
        if name.strip() == "hole":
            return int(counts.split()[9])
    return None


def main(start: str, *options: str) -> None:
    """Try all Origins on all sockets of one server."""
    if "alone" in options:
        for command in HOLE:
            subprocess.run(command.split(), check=True)
    found: dict[str, Any] = {}
    with run_server([sys.executable, "-c", STARTS[start]], settings={"PLAYGROUND_ORIGINS": ALLOWED}) as server:
        own = f"http://127.0.0.1:{server.port}"
        for path in ("/_stcore/stream", "/live/none", "/still/some"):
            address = f"ws://127.0.0.1:{server.port}{path}"
            answers = {origin: opened(address, Origin=origin) for origin in (*FOREIGN, ALLOWED, own)}
            found[path] = answers | {"none": opened(address), "own": answers.pop(own)}
        found["healthy"] = healthy(server.port)
        found["packets"] = packets_sent()
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
