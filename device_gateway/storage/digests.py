"""How a report vouches for its session's chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from analytics.domain.session import SessionReport


def root_sha256(digests: Sequence[bytes]) -> str:
    """Hex SHA-256 over the chunks' digests in order."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


def report_over(report: SessionReport, digests: Sequence[bytes]) -> SessionReport:
    """The same report, of these chunks."""
    return report.model_copy(update={"chunk_count": len(digests), "chunks_sha256": root_sha256(digests)})
