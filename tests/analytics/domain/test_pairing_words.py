"""The codes people read, and the proofs made of them: fixed for good, since phone and gateway are updated apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.pairing import LENGTH, LETTERS, proof, proves, read_code, shared_key, written

codes = st.text(LETTERS, min_size=LENGTH, max_size=LENGTH)


@given(codes, st.booleans(), st.lists(st.tuples(st.integers(0, 10), st.sampled_from("- ")), max_size=4))
def test_a_code_is_read_however_it_is_typed(code: str, small: bool, marks: list[tuple[int, str]]) -> None:
    typed = written(code).lower() if small else written(code)
    for place, mark in marks:
        typed = typed[:place] + mark + typed[place:]
    assert read_code(typed) == code


@given(st.text(max_size=14))
def test_what_is_read_is_a_code(text: str) -> None:
    try:
        code = read_code(text)
    except ValueError:
        return
    assert len(code) == LENGTH
    assert set(code) <= set(LETTERS)


@pytest.mark.parametrize("text", ["", "ABCDE-FGHJ", "ABCDE-FGHJK2", "ABCDE-FGHJ0", "ABCDE-FGHJI"])
def test_what_is_no_code_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="10 letters and digits, as in"):
        read_code(text)


def test_the_proofs_stay_what_they_are() -> None:
    key = shared_key("ABCDEFGHJK", "11" * 32, "22" * 32, "33" * 32)
    assert key.hex() == "b4dc29105c27959635f0d77ee2049e6ddc1b1c5016c444cf00889b945bed18fc"
    assert proof(key, "phone") == "8e3881d6951018692eb78296d242511a2c06fee9c71c98fbd290b41aa1141d25"
    assert proof(key, "gateway") == "0b0394a1b67149e693e55135e67a40c89974b0977b6a5ccf2924fe530a35a962"


@pytest.mark.parametrize("changed", [0, 1, 2, 3])
def test_a_key_hangs_on_everything_that_was_said(monkeypatch: pytest.MonkeyPatch, changed: int) -> None:
    monkeypatch.setattr("analytics.domain.pairing.SCRYPT_COST", 16)
    said = ["ABCDEFGHJK", "11" * 32, "22" * 32, "33" * 32]
    other = [*said]
    other[changed] = other[changed][:-2] + "99"
    key = shared_key(*said)
    assert proves(proof(key, "phone"), key, "phone")
    assert not proves(proof(shared_key(*other), "phone"), key, "phone")
    assert not proves(proof(key, "phone"), key, "gateway")
