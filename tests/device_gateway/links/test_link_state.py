"""Every move of a link's state, allowed and forbidden."""

from __future__ import annotations

import itertools

import pytest

from device_gateway.links.state import ForbiddenMoveError, LinkState, LinkStateMachine

SEARCHING, CONNECTING, STREAMING, LOST, CLOSED = LinkState
WAYS_TO = {
    SEARCHING: (),
    CONNECTING: (CONNECTING,),
    STREAMING: (CONNECTING, STREAMING),
    LOST: (LOST,),
    CLOSED: (CLOSED,),
}
ALLOWED = {
    (SEARCHING, CONNECTING), (SEARCHING, LOST), (SEARCHING, CLOSED),
    (CONNECTING, STREAMING), (CONNECTING, LOST), (CONNECTING, CLOSED),
    (STREAMING, LOST), (STREAMING, CLOSED),
    (LOST, SEARCHING), (LOST, CLOSED),
}  # fmt: skip


def machine_in(state: LinkState) -> tuple[LinkStateMachine, list[LinkState]]:
    told: list[LinkState] = []
    machine = LinkStateMachine(lambda: told.append(machine.now))
    for step in WAYS_TO[state]:
        machine.move(step)
    told.clear()
    return machine, told


def test_it_begins_by_searching() -> None:
    assert machine_in(SEARCHING)[0].now is SEARCHING


@pytest.mark.parametrize(("before", "after"), sorted(ALLOWED))
def test_an_allowed_move_is_made_and_told(before: LinkState, after: LinkState) -> None:
    machine, told = machine_in(before)
    machine.move(after)
    assert machine.now is after
    assert told == [after]


@pytest.mark.parametrize(("before", "after"), sorted(set(itertools.product(LinkState, repeat=2)) - ALLOWED))
def test_a_forbidden_move_is_refused_and_nobody_told(before: LinkState, after: LinkState) -> None:
    machine, told = machine_in(before)
    with pytest.raises(ForbiddenMoveError, match=f"is {before} cannot become {after}"):
        machine.move(after)
    assert machine.now is before
    assert told == []
