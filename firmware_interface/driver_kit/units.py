"""What makers count in, in SI units."""

from __future__ import annotations

import math

STANDARD_GRAVITY_M_S2 = 9.80665
"""By definition (3rd General Conference on Weights and Measures, 1901)."""
DPS_RAD_S = math.radians(1)
"""A degree a second."""
