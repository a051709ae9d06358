"""What every word has in common."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from analytics.domain.program import Assignment


def test_an_error_quotes_nothing_of_what_did_not_fit() -> None:
    spoilt = '{"patient_id": "p1", "patient_name": "Anna Maier"}'
    with pytest.raises(ValidationError) as error:
        Assignment.model_validate_json(spoilt)
    assert "Anna" not in str(error.value)
    assert "program" in str(error.value)
