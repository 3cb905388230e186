"""Ports are chosen once and kept, and a taken one is named with its holder."""

import os
import socket
from pathlib import Path

import pytest
from launcher import ports
from launcher.folders import State
from launcher.services import Fleet
from launcher.trouble import PortTaken


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path)
    state.prepare()
    return state


def test_a_port_is_kept_for_the_next_run(state: State) -> None:
    first = ports.keep_or_choose(state, "kafka")
    assert ports.keep_or_choose(State(state.folder), "kafka") == first
    assert ports.keep_or_choose(state, "postgres") != first


def test_a_port_that_somebody_took_meanwhile_is_replaced(state: State) -> None:
    first = ports.keep_or_choose(state, "kafka")
    with socket.create_server((ports.HOST, first)):
        second = ports.keep_or_choose(state, "kafka")
        assert second != first
    assert ports.keep_or_choose(state, "kafka") == second


def test_a_service_port_in_use_is_named_with_its_holder_and_the_way_out(state: State) -> None:
    with socket.create_server((ports.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as refused:
            Fleet(state, print).check_ports(["invoice"], port)
    sentence = str(refused.value)
    assert f"Port {port} is in use by" in sentence
    assert f"(pid {os.getpid()})" in sentence
    assert "make up PORT_BASE=" in sentence
