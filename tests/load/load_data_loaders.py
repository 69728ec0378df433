"""A visitor's data loader beside five playing boards: whoever reads with its processes must not stall the others.

Needs a quiet machine: `pytest -s tests/load/load_data_loaders.py`. All goes through the real server and its workers;
the boards are watched as by a browser, first alone, then while a loader's timeline plays again and again.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import connect

from tests.load.room import SERVER, classroom, control_of

BOARDS = 5
SECONDS = 8.0
RAMP_SECONDS = 2.0
SMALLEST_SHARE = 0.6  # of the frames that each board had before
ASK = '{"ask": ["lanes", "throughput", "ahead"], "options": {}}'
READINGS = ({"item_ms": 30}, {"item_ms": 30, "cost": "computing"})


async def play_timeline(port: int, run_id: str) -> int:
    """Watch a loader's timeline as a board does, and play it again whenever it is done; returns how often it was."""
    done = 0
    async with connect(f"ws://127.0.0.1:{port}/live/{run_id}") as socket:
        try:
            await socket.send(ASK)
            await socket.send('{"do": "play"}')
            async for message in socket:
                assert isinstance(message, bytes)
                frame: dict[str, Any] = orjson.loads(message[4 : 4 + int.from_bytes(message[:4], "little")])
                if frame.get("state") == "done":
                    done += 1
                    await socket.send('{"do": "reset"}')
                    await socket.send('{"do": "play"}')
                assert frame.get("state") != "failed", frame.get("notice")
                await asyncio.sleep(0.015)
                await socket.send(ASK)
        except asyncio.CancelledError:
            return done
    raise AssertionError("The server closed the stream of the timeline.")


async def measure(port: int) -> tuple[list[float], dict[str, list[float]], dict[str, int]]:
    """Frames a second of each board: alone, and beside each kind of reading; and how many readings were done."""
    async with control_of(port) as control, classroom(port, control, BOARDS) as viewers:

        async def rates() -> list[float]:
            await asyncio.sleep(RAMP_SECONDS)
            start = time.monotonic()
            await asyncio.sleep(SECONDS)
            return [viewer.frames_per_second(start, time.monotonic()) for viewer in viewers]

        before, beside, readings = await rates(), {}, {}
        for knobs in READINGS:
            name = str(knobs.get("cost", "waiting"))
            (run_id,) = await control.ask({"bench": ["data_loader_timeline", knobs]})
            playing = asyncio.create_task(play_timeline(port, run_id))
            beside[name] = await rates()
            playing.cancel()
            readings[name] = await playing
            await control.ask({"close": [run_id]})
        return before, beside, readings


@pytest.mark.timeout(180)
def test_a_data_loader_leaves_other_boards_their_frames(serve: Any) -> None:
    with serve(SERVER) as server:
        before, beside, readings = asyncio.run(measure(server.port))
    print(f"\n{os.cpu_count()} cores; frames/s of {BOARDS} boards alone: {', '.join(f'{each:.1f}' for each in before)}")
    for name, after in beside.items():
        shares = [now / then for now, then in zip(after, before, strict=True)]
        print(f"beside {readings[name]} readings ({name}): {', '.join(f'{each:.1f}' for each in after)}; "
              f"least share {min(shares):.2f}")  # fmt: skip
        assert readings[name] > 0, "the timeline was read to its end at least once"
        assert min(shares) >= SMALLEST_SHARE
