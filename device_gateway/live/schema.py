"""The live channel's words as JSON Schema, for who writes a room display or another phone."""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated

from pydantic import Field, TypeAdapter

from analytics.domain.live import Command, LiveEvent

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def live_schema() -> str:
    """One document: `LiveEvent` is what the gateway says, `Command` what it understands."""
    by_name, definitions = TypeAdapter.json_schemas(
        [
            ("LiveEvent", "serialization", TypeAdapter(Annotated[LiveEvent, Field(discriminator="kind")])),
            ("Command", "validation", TypeAdapter(Command)),
        ]
    )
    schema = {
        "$schema": DIALECT,
        "title": "Sinew live channel",
        "description": "Each WebSocket message from the gateway is a LiveEvent, each one to it a Command.",
        "$defs": definitions["$defs"] | {name: body for (name, _), body in by_name.items() if "$ref" not in body},
        "oneOf": [{"$ref": "#/$defs/LiveEvent"}, {"$ref": "#/$defs/Command"}],
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
