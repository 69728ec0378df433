"""The labs of the clinic: silent faults, error messages, and myths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playground.knobs import Config, knob
from playground.lesson import Chart, Lab
from playground.lessons.training_loop.clinic import one_batch, words
from playground.lessons.training_loop.clinic.case import Case
from playground.lessons.training_loop.clinic.cases import LOUD, MYTHS, SILENT
from playground.lessons.training_loop.clinic.run import LoudRun, MythRun, SilentRun

SCRIPT = Chart("script", "Script", "The lines of a script, with what each one makes.", controls=("script",))
CURVES = Chart("curves", "Curves", "What the script computes in each step.")


def _numbered(cases: Mapping[str, Case], template: str) -> dict[str, str]:
    return {name: template.format(number=number) for number, name in enumerate(cases, start=1)}


# What a silent case is called says what its curve shows, never its fault.
SILENT_NAMES = {
    name: words.GROUP_AND_NUMBER.format(number=number, group=case.group)
    for number, (name, case) in enumerate(SILENT.items(), start=1)
}
LOUD_NAMES = _numbered(LOUD, words.ERROR_AND_NUMBER)
MYTH_NAMES = _numbered(MYTHS, words.CLAIM)


@dataclass(frozen=True)
class ClinicConfig(Config):
    """A silent case and its seed."""

    # fmt: off
    case: str = knob("e1", "Case", group="Case", bar=True, options=tuple(SILENT), names=SILENT_NAMES)
    seed: int = knob(0, "Seed", group="Case", bar=True, lo=0, hi=99, step=1,
                     help="Of the data, the weights and the batches.")
    # fmt: on


@dataclass(frozen=True)
class ErrorsConfig(Config):
    """A case with a message, and its seed."""

    # fmt: off
    case: str = knob("l1", "Case", group="Case", bar=True, options=tuple(LOUD), names=LOUD_NAMES)
    seed: int = knob(0, "Seed", group="Case", lo=0, hi=99, step=1, help="Of the data, the weights and the batches.")
    # fmt: on


@dataclass(frozen=True)
class MythsConfig(Config):
    """A claim, and the seed of both scripts."""

    # fmt: off
    case: str = knob("m1", "Claim", group="Case", bar=True, options=tuple(MYTHS), names=MYTH_NAMES)
    seed: int = knob(0, "Seed", group="Case", bar=True, lo=0, hi=99, step=1,
                     help="Of the data, the weights and the batches.")
    # fmt: on


CLINIC = Lab(
    name="training_loop_clinic",
    title="Clinic",
    sentence="A script with one fault and no message. torch, nn, DataLoader and the data sets are imported. Find the "
    "line, then the cure.",
    config=ClinicConfig,
    build=SilentRun,
    charts=(SCRIPT, CURVES),
    status={"step": words.STEP, "loss": "Loss", "changed_loss": "Loss, changed"},
)
ERRORS = Lab(
    name="training_loop_errors",
    title="Error messages",
    sentence="A script that fails, with the message of this server's torch. Find the line that has to change.",
    config=ErrorsConfig,
    build=LoudRun,
    charts=(SCRIPT,),
    status={"step": words.LINES_RUN},
    unit_names={"step": words.LINES},
)
MYTHS_LAB = Lab(
    name="training_loop_myths",
    title="Myths",
    sentence="Changes that people warn of. Say whether one breaks the script; then it runs beside one without it.",
    config=MythsConfig,
    build=MythRun,
    charts=(SCRIPT, CURVES),
    status={"step": words.STEP, "loss": "Loss", "changed_loss": "Loss without it"},
    asks=True,
)
LABS = (one_batch.lab((SCRIPT, CURVES)), CLINIC, ERRORS, MYTHS_LAB)
