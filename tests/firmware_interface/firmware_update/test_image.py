"""Which files are taken for firmware, and which are refused, each by its name."""

import struct

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from firmware_maker import Maker, tlv_area
from hypothesis import given
from hypothesis import strategies as st
from smpclient.mcuboot import ImageInfo

from firmware_interface.firmware_update.errors import ImageError, SignatureError, UnsignedImageError
from firmware_interface.firmware_update.image import parse_image, read_image
from firmware_interface.firmware_update.signature import read_public_key
from firmware_interface.firmware_update.version import Version

MAKER = Maker()
ECDSA_MAKER = Maker(ec.derive_private_key(7, ec.SECP256R1()))
SMALL = MAKER.image("1.4.0", program_bytes=64)
HASHED_BYTES = 512 + 64
KEY = read_public_key(MAKER.public_pem)


@pytest.fixture(scope="module")
def rsa_makers():
    return {bits: Maker(rsa.generate_private_key(65537, bits)) for bits in (2048, 3072)}


def test_an_image_is_read_as_smpclient_reads_it(tmp_path):
    path = tmp_path / "sensor.signed.bin"
    path.write_bytes(MAKER.image("1.4.0+7", protected=[(0x50, b"\x01\x02\x03\x04")]))
    theirs, ours = ImageInfo.load_file(str(path)), read_image(path.read_bytes(), KEY)
    assert str(theirs.header.ver) == "1.4.0-build7"
    assert ours.version == Version(1, 4, 0, 7)
    assert ours.digest == theirs.get_tlv(0x10).value


@pytest.mark.parametrize(
    "options",
    [{}, {"algorithm": "sha512"}, {"pure": True}, {"protected": [(0x50, bytes(4))]}],
    ids=["digest", "sha512", "pure", "protected TLVs"],
)
def test_an_image_signed_with_ed25519(options):
    assert read_image(MAKER.image("1.4.0", **options), KEY).version == (1, 4, 0, 0)


@pytest.mark.parametrize("pad_signature", [False, True])
def test_an_image_signed_with_ecdsa(pad_signature):
    data = ECDSA_MAKER.image("1.4.0", pad_signature=pad_signature)
    assert read_image(data, read_public_key(ECDSA_MAKER.public_pem)).data == data


@pytest.mark.parametrize("bits", [2048, 3072])
def test_an_image_signed_with_rsa(rsa_makers, bits):
    maker = rsa_makers[bits]
    assert read_image(maker.image("1.4.0"), read_public_key(maker.public_pem))
    with pytest.raises(SignatureError):
        read_image(rsa_makers[5120 - bits].image("1.4.0"), read_public_key(maker.public_pem))


def test_an_unsigned_image_is_refused():
    with pytest.raises(UnsignedImageError, match="not signed"):
        read_image(MAKER.image("1.4.0", signed=False), KEY)


def test_an_image_of_another_maker_is_refused():
    other = Maker(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with pytest.raises(SignatureError, match="not signed with this Ed25519 key"):
        read_image(other.image("1.4.0"), KEY)


def test_an_image_signed_with_another_kind_of_key_is_refused():
    with pytest.raises(SignatureError, match="ECDSA P-256 found"):
        read_image(ECDSA_MAKER.image("1.4.0"), KEY)


@pytest.mark.parametrize(
    ("maker", "options", "signed"),
    [
        (ECDSA_MAKER, {"algorithm": "sha384"}, "SHA-384 hash"),
        (ECDSA_MAKER, {"algorithm": "sha512"}, "SHA-512 hash"),
        (ECDSA_MAKER, {"pure": True}, "own bytes"),
        (MAKER, {"algorithm": "sha384"}, "SHA-384 hash"),
    ],
)
def test_a_key_that_never_signs_this_is_no_contradiction(maker, options, signed):
    """As imgtool: ALLOWED_KEY_SHA. An image with a SHA-384 hash was signed with an ECDSA P-384 key."""
    with pytest.raises(SignatureError, match=f"is signed over its {signed}, and an .* key signs the SHA-256 hash"):
        read_image(maker.image("1.4.0", **options), read_public_key(maker.public_pem))


@given(bit=st.integers(0, 8 * (HASHED_BYTES + 4 + 4 + 32) - 1))
def test_a_single_wrong_bit_of_program_or_hash_is_found(bit):
    damaged = bytearray(SMALL)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ImageError):
        read_image(bytes(damaged), KEY)


@given(bit=st.integers(0, 8 * 64 - 1), maker=st.sampled_from([MAKER, ECDSA_MAKER]))
def test_a_single_wrong_bit_of_the_signature_is_found(bit, maker):
    damaged = bytearray(maker.image("1.4.0", program_bytes=64))
    damaged[len(damaged) - 64 + bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureError):
        read_image(bytes(damaged), read_public_key(maker.public_pem))


@given(size=st.integers(0, len(SMALL) - 1))
def test_an_image_cut_short_is_refused(size):
    with pytest.raises(ImageError):
        read_image(SMALL[:size], KEY)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "no firmware image"),
        (b"\x7fELF" + bytes(600), "no firmware image"),
        (SMALL + bytes(8), "without padding"),
        (SMALL[:-1], "cut short"),
        (MAKER.image("1.4.0", flags=0x04), "encrypted"),
        (MAKER.image("1.4.0", program_bytes=0), "damaged header"),
        (MAKER.image("1.4.0", extra=[(0x12, bytes(64))]), "2 hashes"),
        (SMALL[:HASHED_BYTES] + tlv_area(0x6907, []), "0 hashes"),
        (SMALL[:HASHED_BYTES] + struct.pack("<HHHH", 0x6907, 8, 0x10, 32), "list of signatures"),
        (SMALL[:HASHED_BYTES] + struct.pack("<HHB", 0x6907, 5, 0x10), "list of signatures"),
    ],
)
def test_what_is_wrong_is_said(data, complaint):
    with pytest.raises(ImageError, match=complaint):
        read_image(data, KEY)


@given(
    header=st.tuples(st.integers(0, 0xFFFF), st.integers(0, 600), st.integers(0, 600), st.integers(0, 3)),
    rest=st.binary(max_size=700),
)
def test_whatever_follows_the_magic_is_read_or_refused_by_name(header, rest):
    header_bytes, protected_bytes, program_bytes, flags = header
    data = struct.pack("<IIHHII", 0x96F3B83D, 0, header_bytes, protected_bytes, program_bytes, flags) + rest
    with pytest.raises(ImageError):
        read_image(data, KEY)


@given(st.lists(st.tuples(st.sampled_from([0x01, 0x10, 0x12, 0x22, 0x24, 0x25, 0x99]), st.binary(max_size=70))))
def test_whatever_stands_in_the_signatures_only_the_maker_gets_through(tlvs):
    with pytest.raises(ImageError):
        parse_image(SMALL[:HASHED_BYTES] + tlv_area(0x6907, tlvs)).verify(KEY)


def test_versions_are_ordered_as_mcuboot_orders_them():
    texts = ["0.9.255", "1.4.0", "1.4.0.7", "1.4.1", "1.10.0", "2.0.0"]
    versions = [Version.parse(text) for text in texts]
    assert versions == sorted(versions)
    assert [str(version) for version in versions] == texts


@pytest.mark.parametrize("text", ["", "1.4", "<???>", "1.4.0-rc1", "v1.4.0", "1.4.0.", "-1.0.0", "１.4.0"])
def test_what_is_no_version_is_refused(text):
    with pytest.raises(ValueError, match="is not a version"):
        Version.parse(text)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        Maker(ec.derive_private_key(7, ec.SECP384R1())).public_pem,
    ],
    ids=["empty", "garbled", "P-384"],
)
def test_what_is_no_key_of_mcuboot_is_refused(pem):
    with pytest.raises(SignatureError, match="public key"):
        read_public_key(pem)
