"""The card zipped onto a form model: what it is for, what it learned from, how well, and what must come out of it.

A zip archive begins at the end of a file and a TFLite flatbuffer at its start, so one file is both.
"""

from __future__ import annotations

import io
import zipfile

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analytics.domain.session import FormLabel

CARD_NAME = "card.json"
LARGEST_FILE = 4_000_000
LARGEST_CARD = 1_000_000


class BundleError(ValueError):
    """A form model that must not be used; the message says why and what to do."""


class CardPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Feature(CardPart):
    """name, and how it is brought to mean 0 and spread 1."""

    name: str
    mean: float
    scale: float = Field(gt=0)


class Gate(CardPart):
    """When a repetition is not judged: too far from all that was learned from, or undecided.

    centres: one per label, in normalised features. precision: inverse of the covariance about them.
    held_out_rate: share of repetitions of people left out of training that it kept from being judged.
    """

    centres: tuple[tuple[float, ...], ...]
    precision: tuple[tuple[float, ...], ...]
    largest_distance: float = Field(gt=0)
    least_probability: float = Field(ge=0, le=1)
    held_out_rate: float


class LeaveOneSubjectOut(CardPart):
    """Judged by a model that never saw the person. `accuracy` is over judged and not judged alike."""

    reference: str
    n: int
    accuracy: float
    accuracy_per_label: dict[str, float]
    accuracy_per_subject: dict[str, float]
    majority_baseline: float


class TrainingData(CardPart):
    name: str
    simulated: bool
    licence: str
    citation: str
    labels: str
    subjects: int
    repetitions: int
    sha256: dict[str, str]


class Golden(CardPart):
    """Normalised features in, probabilities out, as the trained model gave them."""

    inputs: tuple[tuple[float, ...], ...] = Field(min_length=1)
    outputs: tuple[tuple[float, ...], ...] = Field(min_length=1)


class Card(CardPart):
    format: int = 1
    exercise: str
    version: int = Field(ge=1)
    labels: tuple[FormLabel, ...] = Field(min_length=2)
    features: tuple[Feature, ...] = Field(min_length=1)
    typical_excursion_deg: float = Field(gt=0, description="the reference where none is known for the person")
    gate: Gate
    data: TrainingData
    results: tuple[LeaveOneSubjectOut, ...]
    limits: tuple[str, ...]
    seed: int
    golden: Golden


def write_bundle(model: bytes, card: Card) -> bytes:
    """Model and card as one file. The same input gives the same bytes."""
    buffer = io.BytesIO(model)
    entry = zipfile.ZipInfo(CARD_NAME, (1980, 1, 1, 0, 0, 0))
    entry.create_system = 3
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(entry, card.model_dump_json(indent=1))
    return buffer.getvalue()


def read_card(bundle: bytes) -> Card:
    """The card of a bundle. Raises BundleError."""
    if len(bundle) > LARGEST_FILE:
        raise BundleError(f"The form model is larger than {LARGEST_FILE // 1_000_000} MB; it is not one of Sinew's.")
    try:
        with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
            if archive.getinfo(CARD_NAME).file_size > LARGEST_CARD:
                raise BundleError("The form model's card is too large; it is not one of Sinew's.")
            text = archive.read(CARD_NAME)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError) as error:
        raise BundleError("The form model has no card or is damaged; train it anew or fetch it again.") from error
    try:
        card = Card.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BundleError(f"The form model's card has a fault at {field!r}: {first['msg']}; train it anew.") from error
    if card.format != 1:
        raise BundleError(
            f"The form model's card is of format {card.format}, this program reads 1; update the program."
        )
    return card
