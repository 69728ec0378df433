"""The limits of one server, each a named setting with the environment variable that sets it."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, fields
from typing import Any

NOT_A_NUMBER = "{name} is “{text}”, which is not a {kind}. Unset it or set it to one."
OUT_OF_BOUNDS = "{name} is “{text}”; it must be a finite number of at least {least:g}."


def _setting(default: float | int | str, variable: str, meaning: str, least: float = 1) -> Any:
    return field(default=default, metadata={"variable": variable, "meaning": meaning, "least": least})


@dataclass(frozen=True)
class Settings:
    """The limits of the engine and the server."""

    workers: int = _setting(0, "PLAYGROUND_WORKERS", "training threads; 0: one less than the cores", 0)
    torch_threads: int = _setting(1, "PLAYGROUND_TORCH_THREADS", "threads that one torch operation may use")
    max_runs: int = _setting(64, "PLAYGROUND_MAX_RUNS", "runs open at once; more wait in a queue")
    runs_per_session: int = _setting(4, "PLAYGROUND_RUNS_PER_SESSION", "runs one browser session keeps")
    max_parameters: int = _setting(2_000_000, "PLAYGROUND_MAX_PARAMETERS", "parameters of one model")
    max_points: int = _setting(5_000, "PLAYGROUND_MAX_POINTS", "data points of one run")
    max_run_mb: int = _setting(64, "PLAYGROUND_MAX_RUN_MB", "megabytes of snapshots one run keeps")
    run_seconds: int = _setting(1_800, "PLAYGROUND_RUN_SECONDS", "seconds of training before a run is paused")
    idle_minutes: float = _setting(10.0, "PLAYGROUND_IDLE_MINUTES", "minutes until an unwatched run is closed", 0.01)
    frame_rate: float = _setting(30.0, "PLAYGROUND_FRAME_RATE", "frames a second one viewer gets at most")
    loaders: int = _setting(1, "PLAYGROUND_LOADERS", "visitors whose data loading workers run at once; 0: none", 0)
    origins: str = _setting("", "PLAYGROUND_ORIGINS", "more origins that may open the live stream, separated by commas")

    @classmethod
    def from_environment(cls) -> Settings:
        """The settings from the environment. Raises ValueError that names a variable with an illegal value."""
        values: dict[str, Any] = {}
        for item in fields(cls):
            name = item.metadata["variable"]
            text = os.environ.get(name, "").strip()
            if text:
                try:
                    values[item.name] = {"int": int, "float": float, "str": str}[str(item.type)](text)
                except ValueError:
                    kind = "whole number" if item.type == "int" else "number"
                    raise ValueError(NOT_A_NUMBER.format(name=name, text=text, kind=kind)) from None
                least = item.metadata["least"]
                if item.type != "str" and not least <= values[item.name] < math.inf:
                    raise ValueError(OUT_OF_BOUNDS.format(name=name, text=text, least=least))
        return cls(**values)

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Each environment variable and its default."""
        return {item.metadata["variable"]: f"{item.default:g}" if isinstance(item.default, float) else str(item.default)
                for item in fields(cls)}  # fmt: skip

    @property
    def cores(self) -> int:
        """The number of cores of this machine."""
        return os.cpu_count() or 2

    @property
    def worker_count(self) -> int:
        """The number of training threads on this machine."""
        return self.workers or max(1, self.cores - 1)

    def cores_each(self, runs: int) -> int:
        """The number of cores that each of `runs` training runs may use: all for a single run, at least one."""
        return max(1, self.cores // max(1, min(runs, self.worker_count)))
