"""Arduino's Nano 33 BLE Sense with the sketch of its test dashboard."""

from __future__ import annotations

from ...driver_kit.family import IMU, Family, Quantity
from .sketch import Sketch, SketchDriver, decode_vector

__all__ = ["NanoDriver", "decode_vector"]

_UUID = "6fbe1da7-{}-44de-92c4-bb6e04fb0212"
_ACC, _GYR, _MAG = (_UUID.format(number) for number in ("3001", "3002", "3003"))

NANO = Sketch(
    acc=_ACC,
    gyr=_GYR,
    mag=_MAG,
    # Units: BLESense.ino. Ranges and rates: the libraries Arduino_LSM9DS1 (119 Hz) and Arduino_BMI270_BMM150 (99.84 Hz,
    # of a chip set to 100 Hz, which its oscillator holds to 1 %).
    acc_unit_g=1.0,
    gyr_unit_dps=1.0,
    acc_range_g=4,
    gyr_range_dps=2000,
    rates_hz=(100.0, 119.0),
)


class NanoDriver(SketchDriver):
    family = Family(
        code="arduino_nano",
        name="Arduino Nano 33 BLE Sense",
        maker="Arduino",
        quantities=(*IMU, Quantity.MAGNETIC_FIELD),
        rates_hz=(),
        acc_ranges_g=(4,),
        gyr_ranges_dps=(2000,),
        timestamps=None,
        sequence=None,
        synchronisation=None,
        cannot=(
            "tell when a sample was taken, or that one was lost",
            "tell its rate: 119 Hz of the first board and 100 Hz of Rev2 are told apart in the first second",
            "tell its battery level",
        ),
        source="github.com/arduino/ArduinoAI, BLESense-test-dashboard",
    )
    service = _UUID.format("0000")
    characteristics = (_ACC, _GYR, _MAG)
    sketch = NANO
