"""What the sensors that are worn should be seen to do in an exercise, and whether that tells which of them is where.

In a bridge, a squat or a lunge both segments of the joint turn much alike, and people differ more from each other than
one segment from the other: such movements decide nothing, and moving the outer segment by itself does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from analytics.domain.exercise import Exercise, Segment, Side

from .drawn import drawn_turns_deg
from .placement import LEAST_DIFFERENCE, LEAST_MARGIN

LEAST_DRAWN_DEG = 10.0
"""A smaller movement decides nothing: people sway by as much."""
ALONE_MARGIN = 1.6
"""Asked to move one segment alone, the other must turn by less than a fifth of it (2 · 0.8 · 1), so that nobody who
does the exercise instead is misunderstood: where that is to be asked, the drawings have both turn by more than half."""


class ExpectedTurns:
    """worn: the segments that sensors are said to be on.

    shares: how far each worn segment of the exercise turns, by its drawing, as a share of the one that turns most.
    pair: the segments on both sides of the joint, from the body outwards; None where one sensor is enough.
    decides: whether doing the exercise tells the one from the other; what others do beside it counts as well.
    """

    def __init__(self, exercise: Exercise, side: Side, worn: Collection[Segment]) -> None:
        drawn = {part.on(side): deg for part, deg in drawn_turns_deg(exercise).items() if part.on(side) in worn}
        most_deg = max(drawn.values(), default=0.0)
        self.shares: Mapping[Segment, float] = {one: deg / max(most_deg, 1e-9) for one, deg in drawn.items()}
        layout = exercise.layout(worn, side)
        needed = layout.on(side) if layout else ()
        self.pair = (needed[0], needed[1]) if len(needed) == 2 else None
        self.decides = False
        self.outer_turns_more = False
        if self.pair is not None:
            inner, outer = (self.shares[segment] for segment in self.pair)
            self.decides = most_deg >= LEAST_DRAWN_DEG and abs(outer - inner) >= LEAST_DIFFERENCE
            self.outer_turns_more = outer > inner

    def contradicts(self, inner_deg: float, outer_deg: float) -> bool:
        """Whether a movement in which the pair turned so far is none of this exercise, as surely as it would tell that
        they are exchanged: sitting down turns the thigh, and a seated knee extension the lower leg."""
        if self.pair is None or not self.decides:
            return False
        inner, outer = (self.shares[segment] for segment in self.pair)
        turned = (outer_deg - inner_deg) / max(inner_deg, outer_deg, 1e-9)
        return 2.0 * (outer - inner) * turned <= -LEAST_MARGIN

    @property
    def outer_alone(self) -> Mapping[Segment, float]:
        """The shares of the pair when its outer segment moves by itself."""
        return {} if self.pair is None else {self.pair[0]: 0.0, self.pair[1]: 1.0}
