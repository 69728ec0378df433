"""The limits of one server, each a named setting with the environment variable that sets it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import Any


def _setting(default: float | int | str, variable: str, meaning: str) -> Any:
    return field(default=default, metadata={"variable": variable, "meaning": meaning})


@dataclass(frozen=True)
class Settings:
    """The engine's limits, each with the environment variable that sets it."""

    workers: int = _setting(0, "PLAYGROUND_WORKERS", "training threads; 0 means one less than the cores")
    torch_threads: int = _setting(1, "PLAYGROUND_TORCH_THREADS", "threads that one torch operation may use")
    max_runs: int = _setting(64, "PLAYGROUND_MAX_RUNS", "runs open at once; more wait in a queue")
    runs_per_session: int = _setting(4, "PLAYGROUND_RUNS_PER_SESSION", "runs one browser session keeps")
    max_parameters: int = _setting(2_000_000, "PLAYGROUND_MAX_PARAMETERS", "parameters of one model")
    max_points: int = _setting(5_000, "PLAYGROUND_MAX_POINTS", "data points of one run")
    max_run_mb: int = _setting(64, "PLAYGROUND_MAX_RUN_MB", "megabytes of snapshots one run keeps")
    run_seconds: int = _setting(1_800, "PLAYGROUND_RUN_SECONDS", "seconds of training before a run pauses and asks")
    idle_minutes: float = _setting(10.0, "PLAYGROUND_IDLE_MINUTES", "minutes until an unwatched run is dropped")
    frame_rate: float = _setting(30.0, "PLAYGROUND_FRAME_RATE", "frames a second one viewer gets at most")
    origins: str = _setting("", "PLAYGROUND_ORIGINS", "further origins that may open the live stream, by commas")

    @classmethod
    def from_environment(cls) -> Settings:
        """The settings as the environment has them. Raises ValueError naming the variable that is not a number."""
        values: dict[str, Any] = {}
        for item in fields(cls):
            name = item.metadata["variable"]
            text = os.environ.get(name, "").strip()
            if text:
                try:
                    values[item.name] = {"int": int, "float": float, "str": str}[str(item.type)](text)
                except ValueError:
                    raise ValueError(f"{name} is “{text}”, which is not a number. Unset it or give a number.") from None
        return cls(**values)

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Each environment variable and its default."""
        return {item.metadata["variable"]: f"{item.default:g}" if isinstance(item.default, float) else str(item.default)
                for item in fields(cls)}  # fmt: skip

    @property
    def worker_count(self) -> int:
        """How many training threads that makes on this machine."""
        return self.workers or max(1, (os.cpu_count() or 2) - 1)
