"""What goes up of the log: figures and codes, whatever happens at home."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

from gateway_at_clinic import entered, uploading
from pydantic import TypeAdapter

from analytics.domain.exercise import Segment
from analytics.domain.gateway_health import Code, GatewayHealth
from analytics.domain.session import SensorRecord
from device_gateway.conditions import Conditions, Trouble
from device_gateway.uplink.logs import HealthLog, _version

SECRET = "Maria Lindqvist"


def leaves(schema: dict[str, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    """What a document of this schema consists of in the end."""
    if "$ref" in schema:
        return leaves(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *schema.get("prefixItems", [])]
    inner += [schema[name] for name in ("items", "additionalProperties") if isinstance(schema.get(name), dict)]
    return [leaf for one in inner for leaf in leaves(one, definitions)] if inner else [schema]


def test_the_schema_has_room_for_numbers_and_codes_only() -> None:
    """Free text would be a string without an enumeration, or with a pattern that lets a name through."""
    schema = GatewayHealth.model_json_schema()
    found = leaves(schema, schema.get("$defs", {}))
    assert len(found) == len(GatewayHealth.model_fields)
    for leaf in found:
        if leaf["type"] == "string" and "enum" not in leaf:
            for text in (SECRET, SECRET.lower(), "maria", "p1", "28 degrees", "knee.extension.seated"):
                assert re.search(leaf["pattern"], text) is None, (leaf, text)
        else:
            assert leaf["type"] in {"integer", "boolean"} or "enum" in leaf, leaf


def test_every_condition_there_is_can_be_told() -> None:
    codes = TypeAdapter(tuple[Code, ...])
    assert codes.validate_python(tuple(trouble.value for trouble in Trouble))


async def test_sentences_and_names_stay_at_home(gateway_store, invented, tmp_path: Path) -> None:
    conditions = Conditions()
    conditions.set(Trouble.CLINIC_REFUSES, f"The clinic does not take the session of {SECRET}.")
    now_s = 1000.0
    log = HealthLog(gateway_store, conditions, tmp_path, now=lambda: now_s)
    opened = invented.opening()
    await gateway_store.keep_opening(opened)
    await gateway_store.mark(opened.id, problem=f"{SECRET} is not known.")
    sensor = SensorRecord(
        address="AA:BB", name=SECRET, segment=Segment.RIGHT_SHANK, samples_received=100, samples_lost=3, rate_hz=100,
        clock_skew_ppm=3, clock_residual_ms=4,
    )  # fmt: skip
    log.count(invented.report(opened, []).model_copy(update={"sensors": (sensor, sensor)}))
    now_s = 4600.0
    health = await log.health()
    assert health.model_dump(include={"conditions", "uptime_s", "sessions_waiting", "sessions_refused"}) == {
        "conditions": ("clinic.refuses",),
        "uptime_s": 3600,
        "sessions_waiting": 1,
        "sessions_refused": 1,
    }
    assert (health.samples_received, health.samples_lost) == (200, 6)
    sent = json.dumps(health.model_dump(mode="json"))
    assert not any(word in sent for word in (*SECRET.split(), "AA:BB", str(opened.id), opened.patient_id, "shank"))


def test_a_version_goes_up_without_what_a_builder_added() -> None:
    assert [_version(text) for text in ("0.1.0", "3.13.0rc1", "1.2+maria", "maria")] == [
        "0.1.0",
        "3.13.0",
        "1.2",
        "0.0",
    ]


async def test_it_is_told_once_a_day(own_clinic, gateway_store) -> None:
    own_clinic.start()
    now_s = 0.0
    async with (
        entered(own_clinic.url, gateway_store, await own_clinic.claim_code(), now=lambda: now_s) as at,
        uploading(at, gateway_store, now=lambda: now_s) as uplink,
    ):
        uptimes = []
        for moment_s in (0.0, 3600.0, 86399.0, 86401.0):
            now_s = moment_s
            assert await uplink.drain(10)
            with contextlib.closing(sqlite3.connect(own_clinic.home / "clinic.sqlite3")) as database:
                ((document,),) = database.execute("SELECT document FROM gateway_health").fetchall()
            uptimes.append(GatewayHealth.model_validate_json(document).uptime_s)
    assert uptimes == [0, 0, 0, 86401]
