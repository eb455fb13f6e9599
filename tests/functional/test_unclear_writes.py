"""Writes without a clear answer: read back, decided anew, retried while somebody needs them, and given up."""

from __future__ import annotations

import pytest

from ..entra_emulator.tenant import Tenant
from .clock import FastClock
from .people import ID, ids
from .running import Ended, Run


def sent(ended: Ended) -> list[list[str]]:
    """The ids of each write, whatever came of it."""
    return [entry["body"]["userIds"] for entry in ended.journal if entry["method"] == "POST"]


def test_gives_up_after_eight_tries_with_growing_pauses(people: Tenant, run: Run, clock: FastClock) -> None:
    people.add_fault(method="POST", drop="before")
    ended = run("risky_user", state="dismissed", user=ID["adele"])
    assert sent(ended) == [ids("adele")] * 8
    assert clock.sleeps == [0.75, 1.5, 3, 6, 12, 22.5, 22.5]
    assert ended.result["requests"]["retried"] == 7
    assert (ended.kind, ended.outcomes, ended.changed) == ("network", ["failed pending"], False)
    assert ended.entries[0]["message"].endswith("it is not known whether this user was written to. Run again.")


@pytest.mark.parametrize("before", [False, True])
def test_takes_only_new_processing_for_the_effect_of_the_write(people: Tenant, run: Run, before: bool) -> None:
    people.change_user(ID["adele"], processing=before)
    # By the time of the reading back Graph works on the record, in one case as it did before.
    people.add_fault(method="POST", times=1, drop="before", change={ID["adele"]: {"processing": True}})
    ended = run("risky_user", state="dismissed", user=ID["adele"])
    assert len(sent(ended)) == 1 + before
    assert ended.outcomes == ["changed"]
