"""What is shipped can be run: every procedure and list of every profile binds to the rulebook."""

from __future__ import annotations

from engine.library import Library
from engine.steps import Machine


def test_every_procedure_and_list_of_every_profile_can_be_bound(shipped: Library):
    bound = [Machine(shipped, one, shape="shape", rulebook="book") for one in shipped.machines()]
    assert {machine.definition.procedure for machine in bound} == {f"W-{number:02}" for number in range(1, 49)}


def test_every_deadline_of_every_procedure_can_be_counted(shipped: Library):
    for one in shipped.machines():
        machine = Machine(shipped, one, shape="shape", rulebook="book")
        for name in one.deadlines:
            assert machine.deadline(name).reads is not None
