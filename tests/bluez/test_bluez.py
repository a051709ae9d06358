"""Sinew on a real BlueZ: what the scenarios in the virtual machine brought (guest/scenarios.py).

Asserted is what happened and what arrived, by sequence; how fast it went is printed only.
"""

import pytest
from stage import SENSORS, SHY

pytestmark = [pytest.mark.bluez, pytest.mark.timeout(1500)]  # the first test waits for the whole run


@pytest.fixture
def figures(results):
    def of(scenario):
        assert "error" not in results[scenario], results[scenario]["error"]
        return results[scenario]

    return of


def assert_all_arrived(figures):
    assert figures["lost"] == [0] * SENSORS
    assert figures["received"] == figures["taken"]
    assert min(figures["received"]) > 100


def test_a_scan_finds_all_sensors(figures):
    assert figures("scan")["found"] == [f"C1:00:00:00:00:0{number}" for number in range(1, SENSORS + 1)]


def test_all_sensors_are_connected_and_tell_who_they_are(figures):
    connected = figures("connect")
    assert connected["names"] == [f"Sinew {number}" for number in range(1, SENSORS + 1)]
    assert connected["batteries"] == [90] * SENSORS
    assert connected["models"] == ["Virtual IMU"] * SENSORS


def test_five_stream_at_100_hz_without_loss(figures):
    streamed = figures("stream")
    assert_all_arrived(streamed)
    assert streamed["acquired"] == SENSORS, "past D-Bus"


def test_a_sensor_that_hangs_up_is_noticed_and_connected_again(figures):
    assert figures("disconnection")["battery"] == 90


def test_a_sensor_out_of_range_comes_back_and_its_gap_is_counted(figures):
    """The sensor's memory makes up for some or all of the gap; what it does not is counted as lost."""
    streamed = figures("out_of_range")
    assert streamed["continues"]
    received, lost, taken = (streamed[name] for name in ("received", "lost", "taken"))
    assert received[2] + lost[2] == taken[2]
    assert taken[2] > min(taken[:2] + taken[3:]) - 100, "its samples span the same time as the others'"
    del received[2], lost[2], taken[2]
    assert lost == [0] * (SENSORS - 1)
    assert received == taken


def test_without_an_agent_nothing_pairs(figures):
    pairing = figures("pairing_without_agent")
    assert "AuthenticationFailed" in pairing["refused"]
    assert not pairing["paired"]


def test_with_the_agent_a_sensor_pairs_and_stays_bonded(figures):
    pairing = figures("pairing")
    assert pairing["refused"] == ""
    assert pairing["paired"]
    assert pairing["bonded"]
    assert pairing["battery_when_bonded"] == 90


def test_the_agent_lets_in_only_whom_it_expects(figures):
    assert figures("pairing_that_the_sensor_begins") == {"refused": True, "paired": True}


def test_acquire_notify_carries_500_notifications_a_second_without_loss(figures):
    streamed = figures("acquire_notify")
    assert_all_arrived(streamed)
    assert streamed["acquired"] == SENSORS


def test_start_notify_goes_through_d_bus(figures):
    streamed = figures("start_notify")
    assert streamed["acquired"] == 0
    assert streamed["cpu_percent"]["dbus-daemon"] > 0
    assert min(streamed["received"]) > 100


def test_bluez_lives_to_see_the_last_sensor_go(figures):
    assert figures("hang_up")["connected"] == [False] * SENSORS


def test_an_adapter_that_is_switched_off_is_a_condition_and_the_stream_comes_back(figures):
    switched = figures("switched_off")
    (told,) = switched["told"]
    assert told["code"] == "bluetooth.off"
    assert "bluetoothctl power on" in told["sentence"]
    assert switched["connections"] == 2
    assert switched["states"][:2] == ["connecting", "streaming"]
    assert {"lost", "searching"} <= set(switched["states"])
    assert [name for name, _ in switched["adapters"]] == ["hci0"]


def test_a_sensor_is_assigned_by_tapping_and_paired_where_it_wants_to_be(figures):
    assigned = figures("assigning")
    assert assigned["cues"][-1] == "That is the right thigh."
    assert assigned["worn"] == {SHY: "right_thigh"}
    assert (assigned["paired"], assigned["bonded"], assigned["connected"]) == (True, True, False)


def test_a_bonded_sensor_streams_until_it_is_forgotten(figures):
    bonded = figures("bonded")
    assert bonded["received"] > 100
    assert not bonded["known"]
    assert bonded["states"] == ["connecting", "lost"]
