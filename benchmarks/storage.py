"""Measurements as a JSON file, so that the report can be made again without measuring again."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path

from .cases import Case
from .refusal import Refusal
from .runner import Result, Run
from .startup import Startup
from .targets import Measurements
from .together import Together


def save(measurements: Measurements, path: Path) -> None:
    """Write them."""
    path.write_text(json.dumps(dataclasses.asdict(measurements), indent=1), encoding="utf-8")


def load(path: Path) -> Measurements:
    """Read what `save` wrote."""
    data: dict[str, t.Any] = json.loads(path.read_text(encoding="utf-8"))
    return Measurements(
        machine=data["machine"],
        results=[
            Result(Case(**result["case"]), Run(**result["first"]), Run(**result["second"]))
            for result in data["results"]
        ],
        refusal=Refusal(**data["refusal"]),
        together=Together(**data["together"]),
        startup=[Startup(**startup) for startup in data["startup"]],
    )
