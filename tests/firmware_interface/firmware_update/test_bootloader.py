"""The virtual sensor's flash does what MCUboot and Zephyr do."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from firmware_maker import Maker
from smp.image_management import IMG_MGMT_ERR

from firmware_interface.firmware_update import read_public_key
from firmware_interface.virtual.bootloader import Bootloader, FlashError

MAKER = Maker()
OLD, NEW = MAKER.image("1.3.2", program_bytes=100), MAKER.image("1.4.0", program_bytes=300)
SHA = hashlib.sha256(NEW).digest()


@pytest.fixture
def flash():
    return Bootloader(OLD, read_public_key(MAKER.public_pem), slot_bytes=2000, fails_at=1500)


def upload(flash, data):
    return flash.upload(0, data, len(data), hashlib.sha256(data).digest())


def listed(flash):
    return [(state["slot"], state["version"], flags(state)) for state in flash.states()]


def flags(state):
    return {name for name in ("active", "confirmed", "pending", "permanent") if state[name]}


def digest(flash, slot):
    return flash.states()[slot]["hash"]


def refused(code):
    return pytest.raises(FlashError, match=f"^{code.name}$")


def test_a_trial_is_taken_back_unless_confirmed(flash):
    upload(flash, NEW)
    flash.mark(digest(flash, 1), confirm=False)
    assert listed(flash) == [(0, "1.3.2", {"active", "confirmed"}), (1, "1.4.0", {"pending"})]
    flash.boot()
    assert listed(flash) == [(0, "1.4.0", {"active"}), (1, "1.3.2", {"confirmed"})]
    flash.boot()
    assert listed(flash) == [(0, "1.3.2", {"active", "confirmed"}), (1, "1.4.0", set())]


def test_what_is_confirmed_stays(flash):
    upload(flash, NEW)
    flash.mark(digest(flash, 1), confirm=False)
    flash.boot()
    flash.mark(None, confirm=True)
    flash.boot()
    assert listed(flash) == [(0, "1.4.0", {"active", "confirmed"}), (1, "1.3.2", set())]


def test_what_is_confirmed_before_it_ran_is_not_taken_back(flash):
    upload(flash, NEW)
    flash.mark(digest(flash, 1), confirm=True)
    assert listed(flash)[1] == (1, "1.4.0", {"pending", "permanent"})
    flash.boot()
    flash.boot()
    assert listed(flash)[0] == (0, "1.4.0", {"active", "confirmed"})


@pytest.mark.parametrize("flaw", ["foreign", "damaged"])
def test_what_is_not_genuine_is_thrown_away_at_boot(flash, flaw):
    foreign = Maker(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))).image("1.4.0", program_bytes=300)
    upload(flash, foreign if flaw == "foreign" else NEW.replace(NEW[600:610], bytes(10)))
    flash.mark(digest(flash, 1), confirm=False)
    flash.boot()
    assert listed(flash) == [(0, "1.3.2", {"active", "confirmed"})]


def test_an_upload_goes_on_where_it_was(flash):
    assert flash.upload(0, NEW[:200], len(NEW), SHA) == (200, None)
    assert flash.upload(0, NEW[:100], len(NEW), SHA) == (200, None), "the same image again"
    assert flash.upload(150, NEW[150:300]) == (200, None), "another offset than is due"
    assert flash.upload(200, NEW[200:]) == (len(NEW), True)
    assert flash.written_bytes == len(NEW)


def test_another_image_starts_over(flash):
    flash.upload(0, NEW[:200], len(NEW), SHA)
    assert flash.upload(0, OLD[:100], len(OLD), hashlib.sha256(OLD).digest()) == (100, None)


def test_a_restart_forgets_how_far_an_upload_was(flash):
    flash.upload(0, NEW[:200], len(NEW), SHA)
    flash.boot()
    assert flash.upload(200, NEW[200:]) == (0, None)


def test_wrong_bytes_are_told_at_the_end(flash):
    assert flash.upload(0, NEW, len(NEW), bytes(32)) == (len(NEW), False)


@pytest.mark.parametrize(
    ("piece", "code"),
    [
        ((0, NEW[:31], len(NEW)), IMG_MGMT_ERR.INVALID_IMAGE_HEADER),
        ((0, NEW), IMG_MGMT_ERR.INVALID_LENGTH),
        ((0, bytes(100), 100), IMG_MGMT_ERR.INVALID_IMAGE_HEADER_MAGIC),
        ((0, NEW, 2001), IMG_MGMT_ERR.INVALID_IMAGE_TOO_LARGE),
        ((0, NEW, 50), IMG_MGMT_ERR.INVALID_IMAGE_DATA_OVERRUN),
        ((0, NEW.ljust(1501), 1501), IMG_MGMT_ERR.FLASH_WRITE_FAILED),
    ],
)
def test_a_piece_that_cannot_be_taken(flash, piece, code):
    with refused(code):
        flash.upload(*piece)


def test_what_is_needed_is_neither_overwritten_nor_erased(flash):
    upload(flash, NEW)
    flash.mark(digest(flash, 1), confirm=False)
    for _ in ("pending", "on trial"):
        with refused(IMG_MGMT_ERR.NO_FREE_SLOT):
            upload(flash, NEW)
        with refused(IMG_MGMT_ERR.NO_FREE_SLOT):
            flash.erase()
        flash.boot()
    flash.erase()
    assert len(flash.states()) == 1


def test_marks_that_make_no_sense(flash):
    upload(flash, NEW)
    with refused(IMG_MGMT_ERR.INVALID_HASH):
        flash.mark(None, confirm=False)
    with refused(IMG_MGMT_ERR.HASH_NOT_FOUND):
        flash.mark(bytes(32), confirm=False)
    with refused(IMG_MGMT_ERR.IMAGE_SETTING_TEST_TO_ACTIVE_DENIED):
        flash.mark(digest(flash, 0), confirm=False)
    flash.mark(digest(flash, 1), confirm=False)
    flash.mark(digest(flash, 1), confirm=False)  # the same once more is no error
    with refused(IMG_MGMT_ERR.IMAGE_ALREADY_PENDING):
        flash.mark(digest(flash, 0), confirm=True)
    flash.boot()
    with refused(IMG_MGMT_ERR.IMAGE_ALREADY_PENDING):
        flash.mark(digest(flash, 1), confirm=False)
