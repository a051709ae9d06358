"""A port that can be had, and the same one again where a gateway's samples wait for it."""

import os
import socket
from pathlib import Path

import pytest

from demo.errors import DemoError
from demo.ports import gateway_folder, require_free_port, server_port


@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_a_number_that_no_port_has(port: int) -> None:
    with pytest.raises(DemoError, match=f"There is no port {port}: choose one from 1 to 65535"):
        require_free_port(port)


def test_any_port_is_the_latest_of_this_home_that_is_free(tmp_path: Path) -> None:
    earlier, later = require_free_port(0), require_free_port(0)
    for age, port in enumerate((later, earlier)):
        gateway_folder(tmp_path, port).mkdir()
        os.utime(gateway_folder(tmp_path, port), (1000 - age, 1000 - age))
    (tmp_path / "gateway-of-somebody").mkdir()
    assert server_port(0, tmp_path) == later
    with socket.create_server(("127.0.0.1", later)):
        assert server_port(0, tmp_path) == earlier
        with pytest.raises(DemoError, match=f"Port {later}"):
            server_port(later, tmp_path)


def test_any_port_where_there_was_none(tmp_path: Path) -> None:
    assert 0 < server_port(0, tmp_path / "not yet made") < 65536
