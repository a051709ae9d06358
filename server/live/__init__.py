"""Watching a patient exercise, where the patient agrees: events pass through and are not kept."""
