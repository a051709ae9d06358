"""Every table of the clinic in one place, and the version of their shape."""

from __future__ import annotations

from server.access import records as access
from server.adaptation import records as adaptation
from server.consents import records as consents
from server.devices import records as devices
from server.patients import records as patients
from server.programs import records as programs
from server.records import Record
from server.recovery import records as recovery
from server.sessions import records as sessions

MODULES = (access, adaptation, consents, devices, patients, programs, recovery, sessions)
METADATA = Record.metadata
VERSION = 4
"""Stamped into the database (PRAGMA user_version); a program refuses a database newer than itself.

A change of shape counts it up and has a step in `server.upgrades`."""
APPLICATION_ID = 0x53494E57  # "SINW": tells our file from any other SQLite file (PRAGMA application_id)
