"""Where a segment lies still, its heading shows in nothing it does; what little it turns along has to say it."""

from __future__ import annotations

import numpy as np

from analytics.signals.samples import FloatArray


def heading_from_shared_turning(axis: FloatArray, proximal_rad_s: FloatArray, distal_rad_s: FloatArray) -> float:
    """Heading difference [rad] that turns the distal earth frame into the proximal one, from one movement of both.

    axis: (3,) joint axis in the distal earth frame. proximal_rad_s, distal_rad_s: (n, 3) angular rates in the earth
    frame of each.

    What the proximal segment turns in step with the distal one is taken to be about the joint's axis and in the same
    sense: a thigh lifts as the foot comes up. In the six recordings of seated knee extension by Yurtman & Barshan,
    with the magnetometer as witness, it does so by 9 to 12 % of the shank's turn, always in this sense. The hinge's
    other consequence, that across the axis both turn alike, does not hold for a strap on a soft thigh (correlation
    0.2 to 0.5), so it is not used. A segment that lies still says nothing, and then the answer is arbitrary and does
    no harm, for nothing is taken off the angle.
    """
    in_step = (distal_rad_s @ axis) @ proximal_rad_s
    return float(np.arctan2(axis[0] * in_step[1] - axis[1] * in_step[0], axis[0] * in_step[0] + axis[1] * in_step[1]))
