"""The C reference against the Python codec, byte for byte, under AddressSanitizer and UndefinedBehaviorSanitizer."""

import os
import platform
import re
import shutil
import subprocess
import tomllib
import uuid
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from firmware_interface import open_profile as profile

ROOT = Path(__file__).parents[3]
C = ROOT / "firmware_interface" / "open_profile" / "c"
HARNESS = Path(__file__).with_name("c_harness.c")
FIRMWARE = Path(__file__).with_name("c_firmware.c")
EXAMPLES = tomllib.loads((C.parent / "definition.toml").read_text("utf-8"))["examples"]
STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wconversion", f"-I{C}"]
SANITIZED = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
NO_ERROR, NO_ROOM, BAD_VALUE = range(3)

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
READINGS = st.sampled_from([6, 9]).flatmap(lambda axes: arrays(np.int16, st.tuples(st.integers(1, 255), st.just(axes))))
SPARE = st.integers(-30, 3)
"""Bytes of room beyond what is needed."""

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc here to compile the C reference with")


def compiled(program, *sources, flags=()):
    subprocess.run(["gcc", *STRICT, *flags, *sources, "-o", program], check=True)
    return program


class Reference:
    """The C functions, called through the harness; it ends with a report of the sanitizer where one misbehaves."""

    def __init__(self, process):
        self._process = process

    def ask(self, *words):
        print(*words, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline().split()
        assert answer, "the C reference broke off; the sanitizer's report is above"
        return answer

    def encoded(self, what, needed, spare, *numbers):
        """The bytes where there is room for them, after a check that without room there are none."""
        error, *data = self.ask(what, max(0, needed + spare), *numbers)
        assert (int(error), bool(data)) == ((NO_ERROR, True) if spare >= 0 else (NO_ROOM, False))
        return bytes.fromhex(data[0]) if data else None


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    program = compiled(tmp_path_factory.mktemp("c") / "harness", HARNESS, C / "sinew_imu.c", flags=SANITIZED)
    no_leaks = os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}  # the reference allocates nothing
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([program], text=True, env=no_leaks, **pipes) as process:
        yield Reference(process)
        process.stdin.close()
        assert process.wait(10) == 0


@given(sequence=U16, time_us=U32, counts=READINGS, resent=st.booleans(), spare=SPARE)
@settings(UNHURRIED)
def test_packets(reference, sequence, time_us, counts, resent, spare):
    expected = profile.encode_packet(sequence, time_us, counts, resent=resent)
    flags = (profile.Flag.NINE_AXES if counts.shape[1] == 9 else 0) | (profile.Flag.RESENT if resent else 0)
    readings = counts.astype(int).ravel() + 32768
    numbers = [int(flags), sequence, time_us, len(counts), len(readings), *readings]
    data = reference.encoded("packet", len(expected), spare, *numbers)
    assert data == (expected if spare >= 0 else None)


@pytest.mark.parametrize(("flags", "count"), [(0x00, 0), (0x40, 1), (0x80, 1), (0x01, 1), (0x0F, 1)])
def test_no_packet_is_made_that_the_profile_does_not_have(reference, flags, count):
    assert reference.ask("packet", 100, flags, 0, 0, count, 9, *[0] * 9) == [str(BAD_VALUE)]


@pytest.mark.parametrize("axes", [6, 9])
@pytest.mark.parametrize("mtu", [0, 10, 11, 22, 23, 28, 29, 34, 35, 247, 517, 3070, 3071, 4601, 65535])
def test_packet_capacity(reference, mtu, axes):
    flags = profile.Flag.NINE_AXES if axes == 9 else 0
    assert int(*reference.ask("capacity", mtu, int(flags))) == profile.packet_capacity(mtu, axes)


@given(rate=U32, acc=U8, gyr=U16, stream=U16, clock=U64, mag=st.just(0) | U16, spare=SPARE)
@settings(UNHURRIED)
@example(rate=1, acc=1, gyr=1, stream=0, clock=0, mag=1, spare=0)
@example(rate=0, acc=8, gyr=1000, stream=1, clock=0, mag=0, spare=0)
@example(rate=1, acc=0, gyr=1000, stream=1, clock=0, mag=0, spare=0)
@example(rate=1, acc=8, gyr=0, stream=1, clock=0, mag=0, spare=0)
def test_started(reference, rate, acc, gyr, stream, clock, mag, spare):
    numbers = [rate, acc, gyr, stream, clock, mag]
    if not (rate and acc and gyr):
        assert reference.ask("started", 30, *numbers) == [str(BAD_VALUE)]
        return
    expected = profile.encode_started(profile.Started(rate / 1000, acc, gyr, stream, clock, mag or None))
    assert reference.encoded("started", len(expected), spare, *numbers) == (expected if spare >= 0 else None)


ANSWERS = st.one_of(
    st.builds(profile.RangesSet, st.integers(1, 255), st.integers(1, 65535)),
    st.builds(profile.TimeTold, U32, U64, U32),
    st.builds(profile.Resending, U16, U16),
    st.tuples(U8, st.sampled_from(profile.Status)),
)


@given(answer=ANSWERS, spare=SPARE)
@settings(UNHURRIED)
def test_the_other_answers(reference, answer, spare):
    match answer:
        case profile.RangesSet():
            what, expected = "ranges", profile.encode_ranges_set(answer)
        case profile.TimeTold():
            what, expected = "time", profile.encode_time_told(answer)
        case profile.Resending():
            what, expected = "resending", profile.encode_resending(answer)
        case _:
            what, expected = "reply", profile.encode_reply(*answer)
    three = [*map(int, answer), 0][:3]
    assert reference.encoded(what, len(expected), spare, *three) == (expected if spare >= 0 else None)


@pytest.mark.parametrize("ranges", [(0, 1000), (8, 0)])
def test_no_range_is_zero(reference, ranges):
    assert reference.ask("ranges", 30, *ranges, 0) == [str(BAD_VALUE)]


COMMANDS = st.one_of(
    st.builds(profile.encode_start, U32.map(lambda mhz: mhz / 1000), U8, st.sampled_from([6, 9])),
    st.just(profile.encode_stop()),
    st.builds(profile.encode_ranges, U8, U16),
    st.builds(profile.encode_identify, U8),
    st.builds(profile.encode_time, U32),
    st.builds(profile.encode_resend, U16, U16),
)
GARBAGE = st.one_of(
    st.binary(max_size=30),
    st.builds(lambda opcode, rest: bytes([opcode]) + rest, st.integers(0, 8), st.binary(max_size=8)),
    st.builds(lambda command, cut: command[:cut], COMMANDS, st.integers(0, 7)),
    st.builds(lambda command, more: command + more, COMMANDS, st.binary(max_size=3)),
)


@given(data=COMMANDS | GARBAGE)
@settings(UNHURRIED, max_examples=400)
@example(data=b"")
@example(data=bytes.fromhex("01 a0 86 01 00 05 07"))
@example(data=bytes.fromhex("01 a0 86 01 00 00"))
@example(data=bytes.fromhex("06 00 00 00 00"))
def test_commands_and_garbage(reference, data):
    try:
        parameters = profile.decode_command(data) or ()
        expected = [profile.Status.OK, data[0], *parameters]
    except profile.CommandError as error:
        expected = [error.status, error.opcode]
    got = [int(word) for word in reference.ask("command", len(data), *data)]
    if got[:2] == [profile.Status.OK, profile.Opcode.START]:
        got[2] /= 1000
    assert got == expected


@given(next_sequence=U16, held=U16, first=U16, count=U16)
@settings(UNHURRIED, max_examples=400)
@example(next_sequence=1, held=2, first=65533, count=6)
def test_what_can_be_resent(reference, next_sequence, held, first, count):
    expected = profile.resendable(profile.ResendCommand(first, count), next_sequence, held)
    assert tuple(map(int, reference.ask("resendable", next_sequence, held, first, count))) == expected


def test_uuids(reference):
    strings = (profile.SERVICE_UUID, profile.DATA_UUID, profile.CONTROL_UUID)
    assert [bytes.fromhex(text)[::-1] for text in reference.ask("uuids")] == [uuid.UUID(text).bytes for text in strings]


@pytest.mark.parametrize("level", ["-O0", "-Os", "-O3"])
def test_it_needs_no_library_and_no_floating_point(tmp_path, level):
    flags = [level, "-ffreestanding", "-nostdlib", "-shared", "-fPIC", "-Wl,--no-undefined"]
    if platform.machine() in ("x86_64", "aarch64"):
        flags.append("-mgeneral-regs-only")  # gcc refuses code that would need a floating-point register
    compiled(tmp_path / "freestanding.so", C / "sinew_imu.c", flags=flags)


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ here to compile the header with")
def test_cpp_firmware_can_include_it(tmp_path):
    source = tmp_path / "sketch.cpp"
    source.write_text('#include "sinew_imu.h"\nsinew_imu_command command;\n')
    subprocess.run(["g++", "-std=c++11", *STRICT[1:], "-fsyntax-only", source], check=True)


def test_the_documents_code_makes_the_documents_bytes(tmp_path):
    hexes = {example["name"]: example["hex"] for example in EXAMPLES}
    (samples,) = (found["samples"] for found in EXAMPLES if found["name"] == "Samples 65535 and 0, taken at 5.000000 s")
    answers = {
        hexes["START at 100 Hz, 5 samples to a packet"]: "START worked: 100 Hz, 8 g, 1000 °/s, stream 1, clock 5 s",
        hexes["START at the sensor's own rate, 1 sample to a packet"]: "START refused, data is not subscribed",
        hexes["TIME with the token 0x12345678"]: "TIME worked: clock 5 s, held 250 µs",
        hexes["STOP"]: "STOP worked",
        "7f": "Opcode 0x7F refused, unknown",
    }
    document = (ROOT / "docs" / "firmware-open-profile.md").read_text("utf-8")
    snippets = re.findall(r"^```c\n(.*?)^```$", document, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "document.c").write_text("\n".join(snippets))
    readings = ",".join(str(reading) for sample in samples for reading in sample)
    flags = [*SANITIZED, f"-I{tmp_path}", f"-DREADINGS={readings}"]
    firmware = compiled(tmp_path / "firmware", FIRMWARE, C / "sinew_imu.c", flags=flags)
    printed = subprocess.run([firmware, *answers], check=True, capture_output=True, text=True).stdout.splitlines()
    assert printed == [hexes["Samples 65535 and 0, taken at 5.000000 s"], *(hexes[name] for name in answers.values())]
