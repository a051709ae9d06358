"""The gateway's one file of settings, `gateway.toml`: read, checked, and written out with every key explained."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from analytics.domain.exercise import Segment
from device_gateway.errors import GatewayError
from device_gateway.settings import DEVICE_ADDRESS, GatewaySettings

FILE = Path("/etc/sinew/gateway.toml")
"""Read where `--config` names no other and it is there."""
HOME = Path("/var/lib/sinew-gateway")
"""What systemd makes of StateDirectory=sinew-gateway."""


def _device_address(text: str) -> str:
    if not DEVICE_ADDRESS.fullmatch(text.upper()):
        raise ValueError("a Bluetooth address, as C4:64:E3:00:00:01")
    return text.upper()


class Configuration(GatewaySettings):
    """The whole file, for a gateway that serves a home. Unlike a message, a misspelt key is refused, not ignored."""

    home: Path = Field(HOME, description="the folder of the store, the certificate and its key; it holds health data")
    host: str = Field("0.0.0.0", description="the address to listen on for phones; 0.0.0.0 is all of them")  # noqa: S104 - a phone must reach it; TLS and a token guard it
    health_host: str = Field("127.0.0.1", description="the address that /healthz and /metrics are served on")
    health_port: int = Field(9464, ge=0, le=65535, description="their port, plain HTTP; 0 serves them to nobody")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least that is logged")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="json: one object per line; text: for a terminal; auto: json where systemd reads it"
    )
    sensors: dict[Annotated[str, AfterValidator(_device_address)], Segment] = Field(
        default_factory=dict,
        description="Bluetooth address of each sensor, and the body segment that it is worn on",
        examples=[{"C4:64:E3:00:00:01": "right_thigh", "C4:64:E3:00:00:02": "right_shank"}],
    )


KEYS: dict[str, FieldInfo] = {
    name: field for name, field in Configuration.model_fields.items() if name not in {"simulated", "sensors"}
} | {"sensors": Configuration.model_fields["sensors"]}
"""The file's keys in the order in which they are told; TOML wants tables after plain values."""


def read_configuration(path: Path | None, options: Mapping[str, Any] | None = None) -> Configuration:
    """The file's settings with `options` of the command line over them. Raises GatewayError in one sentence.

    path: None for the usual file, where there is one.
    """
    given = dict(options or {})
    table: dict[str, Any] = {}
    if path is not None or FILE.is_file():
        table = _table(path or FILE)
    unknown = next((key for key in table if key not in KEYS), None)
    try:
        if unknown is None:
            return Configuration.model_validate(table | given)
    except ValidationError as error:
        first = error.errors()[0]
        raise GatewayError(_sentence(first, path or FILE, str(first["loc"][0]) in given)) from error
    close = difflib.get_close_matches(str(unknown), KEYS, 1)
    meant = f"did you mean {close[0]}?" if close else "see `sinew gateway config` for all there are."
    raise GatewayError(f"{path or FILE}: {unknown} is no key of this file: {meant}")


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise GatewayError(f"{path} cannot be read ({error.strerror}): name a file that exists.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GatewayError(f"{path} is not valid TOML ({error}): mend that line.") from error


def _sentence(error: ErrorDetails, path: Path, from_option: bool) -> str:
    key = str(error["loc"][0])
    field = KEYS[key]
    place = f"--{OPTIONS[key]}" if from_option else f"{path}: {'.'.join(map(str, error['loc']))}"
    example = f", as in {key} = {toml_value(field.examples[0])}" if field.examples and key != "sensors" else ""
    if error["type"] == "missing":
        return f"{key} is missing: give {field.description}{example}, in {path} or with --{OPTIONS[key]}."
    expected = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return f"{place} is {error['input']!r}, but should be {expected} ({field.description}){example}."


OPTIONS = {
    "server_url": "server",
    "claim_code": "claim",
    "home": "home",
    "host": "host",
    "port": "port",
    "name": "name",
    "health_port": "health-port",
    "log_level": "log-level",
    "log_format": "log-format",
    "sensors": "sensor",
}
"""The keys that the command line has an option for."""


def commented_file(given: Mapping[str, Any]) -> str:
    """A complete file: every key explained, those given set, the others at their defaults and commented out."""
    parts = [
        "# Sinew gateway: its settings. Mend, check with `sinew gateway config --check FILE`, restart the gateway."
    ]
    for key, field in KEYS.items():
        value = given.get(key, _shown_default(field))
        mark = "" if key in given or field.is_required() else "# "
        parts.append(f"\n# {field.description}")
        if isinstance(value, dict):
            parts += [
                f"{mark}[{key}]",
                *(f"{mark}{toml_value(name)} = {toml_value(item)}" for name, item in value.items()),
            ]
        else:
            parts.append(f"{mark}{key} = {toml_value(value)}")
    return "\n".join(parts) + "\n"


def _shown_default(field: FieldInfo) -> Any:
    """What stands in the file where nothing is given: an example where the default is nothing."""
    return field.examples[0] if field.examples else field.get_default(call_default_factory=True)


def toml_value(value: Any) -> str:
    """A value or a list in TOML, which JSON's strings, numbers, booleans and arrays are (TOML 1.0)."""
    plain = value if isinstance(value, bool | int | float | list | tuple) else str(value)
    return json.dumps(plain, ensure_ascii=False)
