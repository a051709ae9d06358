from analytics.domain.base import uuid7


def test_fields_stand_where_the_rfc_puts_them() -> None:
    made = uuid7(now_ms=0x0123456789AB, random=bytes(range(10)))
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.hex.startswith("0123456789ab7")


def test_sorts_by_time() -> None:
    made = [uuid7(now_ms=ms) for ms in range(1_700_000_000_000, 1_700_000_000_050)]
    assert made == sorted(made)


def test_two_in_one_millisecond_differ() -> None:
    assert len({uuid7(now_ms=1) for _ in range(1000)}) == 1000
