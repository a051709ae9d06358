"""The gateway's memory: what it keeps, all in one file.

Another room that keeps tables of its own puts them into the newest schema_N.sql and writes a small class around
`Store.read` and `Store.write`.
"""

from __future__ import annotations

import apsw

from .sessions import UnfinishedSession
from .uploads import SessionUpload, UploadRows

__all__ = ["SessionUpload", "Store", "UnfinishedSession"]


class Store(UploadRows):
    """Sessions, their way to the clinic, and settings. Open with `await Store.open(folder)`.

    waiting_bytes: chunks in memory that wait for this store, of all recorders together.
    """

    waiting_bytes = 0

    async def setting(self, name: str) -> str | None:
        def read(database: apsw.Connection) -> str | None:
            rows = database.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchall()
            return str(rows[0][0]) if rows else None

        return await self.read(read)

    async def keep_settings(self, **values: str) -> None:
        """Write several settings at once: all of them, or none."""
        await self.write(
            lambda database: database.executemany(
                "INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                values.items(),
            )
        )
