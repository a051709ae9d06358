"""The clinic: who may see what, patients, programs, sessions and their raw samples, forecasts, proposals, dashboard."""
