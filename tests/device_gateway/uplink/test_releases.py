"""Models and exercises that come down: believed only when signed, new, whole, and working on this machine."""

from __future__ import annotations

import hashlib
import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from analytics.domain.release import Release, ReleaseKind, ReleaseList
from analytics.exercises.catalogue import UnknownExercise
from analytics.form.bundle import shipped_bundle
from analytics.form.card import CARD_NAME
from device_gateway.conditions import Conditions
from device_gateway.errors import UnreachableError
from device_gateway.storage.store import Store
from device_gateway.uplink.releases import Releases
from server.releases.command import sign

KNEE = "knee.extension.seated"
MODEL = shipped_bundle(KNEE).read_bytes()
PUBLISHER, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))


def with_card(**changes: object) -> bytes:
    """The shipped model with another card."""
    with zipfile.ZipFile(BytesIO(MODEL)) as archive:
        card = json.loads(archive.read(CARD_NAME))
    model = MODEL[: MODEL.index(b"PK\x03\x04")]
    bundle = BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr(CARD_NAME, json.dumps(card | changes))
    return model + bundle.getvalue()


def spoilt(version: int) -> bytes:
    """A model that answers other than its card says."""
    with zipfile.ZipFile(BytesIO(MODEL)) as archive:
        golden = json.loads(archive.read(CARD_NAME))["golden"]
    golden["outputs"][0] = [1.0 - value for value in golden["outputs"][0]]
    return with_card(golden=golden, version=version)


class Shelf:
    """What a clinic offers. `publish` as the clinic's own publisher would, unless told otherwise."""

    def __init__(self) -> None:
        self.keys = (PUBLISHER.public_key().public_bytes_raw().hex(),)
        self.on_offer: list[Release] = []
        self.contents: dict[str, bytes] = {}
        self.asked = 0

    def publish(
        self,
        content: bytes,
        version: int,
        *,
        kind: ReleaseKind = ReleaseKind.FORM_MODEL,
        name: str = KNEE,
        key: Ed25519PrivateKey = PUBLISHER,
    ) -> Release:
        release = sign(content, kind, name, version, key)
        self.on_offer.append(release)
        self.contents[release.sha256] = content
        return release

    async def releases(self) -> ReleaseList:
        return ReleaseList(keys=self.keys, releases=tuple(self.on_offer))

    async def release_content(self, sha256: str) -> bytes:
        self.asked += 1
        return self.contents[sha256]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def conditions() -> Conditions:
    return Conditions()


@pytest.fixture
async def releases(gateway_store: Store, conditions: Conditions) -> Releases:
    releases = Releases(gateway_store, conditions)
    await releases.load()
    return releases


async def reopened(store: Store, conditions: Conditions) -> Releases:
    """As after a restart."""
    releases = Releases(store, conditions)
    await releases.load()
    return releases


def judged_by(releases: Releases) -> int:
    scorer, why = releases.scorer(KNEE)
    assert scorer is not None, why
    return scorer.card.version


async def test_without_any_the_shipped_model_judges(releases: Releases, conditions: Conditions) -> None:
    with zipfile.ZipFile(BytesIO(MODEL)) as archive:
        assert judged_by(releases) == json.loads(archive.read(CARD_NAME))["version"]
    assert conditions.now() == ()


async def test_a_signed_model_is_used_and_kept(
    releases: Releases, shelf: Shelf, gateway_store: Store, conditions: Conditions
) -> None:
    shelf.publish(with_card(version=7), 7)
    await releases.refresh(shelf)
    assert judged_by(releases) == 7
    await releases.refresh(shelf)
    assert shelf.asked == 1
    later = await reopened(gateway_store, conditions)
    assert judged_by(later) == 7
    assert later.versions() == {f"form_model {KNEE}": 7}
    assert conditions.now() == ()


async def test_two_versions_are_kept_and_an_older_one_is_never_taken(
    releases: Releases, shelf: Shelf, gateway_store: Store
) -> None:
    for version in (2, 3, 4):
        shelf.publish(with_card(version=version), version)
        await releases.refresh(shelf)
    rows = await gateway_store.read(lambda db: db.execute("SELECT version FROM release ORDER BY version").fetchall())
    assert rows == [(3,), (4,)]
    shelf.on_offer = shelf.on_offer[:1]
    asked = shelf.asked
    await releases.refresh(shelf)
    assert (judged_by(releases), shelf.asked) == (4, asked)


REFUSED = {
    "another model's golden values": (lambda shelf: shelf.publish(spoilt(3), 3), "other probabilities"),
    "no model": (lambda shelf: shelf.publish(b"junk", 3), "not used"),
    "another exercise's": (lambda shelf: shelf.publish(with_card(version=3, exercise="hip"), 3), "a model for hip"),
    "an older model in a newer's name": (lambda shelf: shelf.publish(with_card(version=1), 3), "It is version 1"),
}


@pytest.mark.parametrize(("publish", "says"), REFUSED.values(), ids=REFUSED)
async def test_what_must_not_be_used_is_refused_and_said(
    releases: Releases, shelf: Shelf, gateway_store: Store, conditions: Conditions, publish, says: str
) -> None:
    shelf.publish(with_card(version=2), 2)
    publish(shelf)
    await releases.refresh(shelf)
    assert judged_by(releases) == 2
    (told,) = conditions.now()
    assert told.code == "model.refused"
    assert says in told.sentence
    asked = shelf.asked
    await releases.refresh(shelf)
    assert shelf.asked == asked, "what was refused is not fetched again"
    later = Conditions()
    assert judged_by(await reopened(gateway_store, later)) == 2
    assert later.now() == (told,)
    shelf.publish(with_card(version=4), 4)
    await releases.refresh(shelf)
    assert (judged_by(releases), conditions.now()) == (4, ())


@pytest.mark.parametrize("forged", [False, True], ids=["a stranger's", "spoilt on its way"])
async def test_what_is_not_the_publishers_word_is_said_and_blocks_nothing(
    releases: Releases, shelf: Shelf, gateway_store: Store, conditions: Conditions, forged: bool
) -> None:
    shelf.publish(with_card(version=2), 2)
    if forged:
        release = shelf.publish(with_card(version=9), 9)
        genuine, shelf.contents[release.sha256] = shelf.contents[release.sha256], b"<html>"
    else:
        shelf.publish(with_card(version=10**9), 10**9, key=STRANGER)
    await releases.refresh(shelf)
    assert judged_by(releases) == 2
    assert ("not what was signed" if forged else "signed by nobody") in conditions.now()[0].sentence
    shelf.on_offer.pop()
    if forged:
        shelf.on_offer.append(release)
        shelf.contents[release.sha256] = genuine
    else:
        shelf.publish(with_card(version=9), 9)
    await releases.refresh(shelf)
    assert (judged_by(releases), conditions.now()) == (9, ())
    assert judged_by(await reopened(gateway_store, Conditions())) == 9


async def test_a_signature_covers_every_word(releases: Releases, shelf: Shelf, conditions: Conditions) -> None:
    release = shelf.publish(with_card(version=7), 7)
    other = hashlib.sha256(b"other").hexdigest()
    shelf.contents[other] = b"other"
    for change in ({"version": 9}, {"name": "knee"}, {"kind": ReleaseKind.EXERCISE}, {"sha256": other}):
        shelf.on_offer = [release.model_copy(update=change)]
        await releases.refresh(shelf)
        assert "not genuine" in conditions.now()[0].sentence, change
    assert releases.versions() == {}


async def test_content_that_is_not_what_was_signed_is_refused(
    releases: Releases, shelf: Shelf, conditions: Conditions
) -> None:
    release = shelf.publish(with_card(version=7), 7)
    shelf.contents[release.sha256] = with_card(version=8)
    await releases.refresh(shelf)
    assert "not what was signed" in conditions.now()[0].sentence
    assert releases.versions() == {}


async def test_the_publishers_key_is_pinned_at_the_first_asking(
    releases: Releases, shelf: Shelf, conditions: Conditions
) -> None:
    shelf.publish(with_card(version=2), 2)
    await releases.refresh(shelf)
    shelf.keys = (STRANGER.public_key().public_bytes_raw().hex(),)
    shelf.publish(with_card(version=3), 3, key=STRANGER)
    await releases.refresh(shelf)
    assert judged_by(releases) == 2
    assert "signed by nobody" in conditions.now()[0].sentence


async def test_a_model_that_goes_wrong_later_is_rolled_back(
    releases: Releases, shelf: Shelf, gateway_store: Store, conditions: Conditions
) -> None:
    for version in (2, 3):
        shelf.publish(with_card(version=version), version)
        await releases.refresh(shelf)
    await gateway_store.write(lambda db: db.execute("UPDATE release SET content = ? WHERE version = 3", (spoilt(3),)))
    later = await reopened(gateway_store, conditions)
    assert judged_by(later) == 2
    assert "other probabilities" in conditions.now()[0].sentence
    await gateway_store.write(lambda db: db.execute("UPDATE release SET content = x'00' WHERE version = 2"))
    worst = await reopened(gateway_store, Conditions())
    assert judged_by(worst) == judged_by(Releases(gateway_store, Conditions()))  # what the program ships


async def test_a_program_that_ships_a_newer_model_judges_by_that(
    releases: Releases, shelf: Shelf, gateway_store: Store, conditions: Conditions, monkeypatch, tmp_path: Path
) -> None:
    shelf.publish(with_card(version=3), 3)
    await releases.refresh(shelf)
    newer = tmp_path / "newer.tflite"
    newer.write_bytes(with_card(version=5))
    monkeypatch.setattr("device_gateway.uplink.release_checks.shipped_bundle", lambda _: newer)
    assert judged_by(await reopened(gateway_store, conditions)) == 5


async def test_a_link_that_breaks_keeps_what_is_here(releases: Releases, shelf: Shelf) -> None:
    shelf.publish(with_card(version=2), 2)
    await releases.refresh(shelf)
    shelf.publish(with_card(version=3), 3)

    async def broken(_: str) -> bytes:
        raise UnreachableError("gone")

    whole, shelf.release_content = shelf.release_content, broken
    with pytest.raises(UnreachableError):
        await releases.refresh(shelf)
    assert judged_by(releases) == 2
    shelf.release_content = whole
    await releases.refresh(shelf)
    assert judged_by(releases) == 3


async def test_an_exercise_comes_down_and_a_faulty_one_is_refused(
    releases: Releases, shelf: Shelf, gateway_store: Store, conditions: Conditions
) -> None:
    shipped = (Path(__file__).parents[3] / "analytics" / "exercises" / "knee" / f"{KNEE}.toml").read_text("utf-8")
    lying = shipped.replace(KNEE, "knee.extension.lying")
    with pytest.raises(UnknownExercise):
        releases.exercise("knee.extension.lying")
    shelf.publish(lying.encode(), 1, kind=ReleaseKind.EXERCISE, name="knee.extension.lying")
    await releases.refresh(shelf)
    later = await reopened(gateway_store, conditions)
    assert later.exercise("knee.extension.lying").code == "knee.extension.lying"
    assert later.exercise(KNEE).code == KNEE
    shelf.publish(b"code = 1", 2, kind=ReleaseKind.EXERCISE, name="knee.extension.lying")
    await later.refresh(shelf)
    assert later.exercise("knee.extension.lying").code == "knee.extension.lying"
    assert "exercise knee.extension.lying" in conditions.now()[0].sentence
