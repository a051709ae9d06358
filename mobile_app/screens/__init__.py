"""One .py and one .kv per screen. A screen has a view model as `vm` and nothing else to ask."""
