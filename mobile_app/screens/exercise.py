# mypy: allow-subclassing-any
"""The screen during an exercise."""

from __future__ import annotations

from kivy.clock import Clock
from kivy.properties import ObjectProperty

from mobile_app.widgets.common import Sheet
from mobile_app.widgets.rating import NONE_CHOSEN

from .page import Page, load_rules

PLOT_INTERVAL_S = 1 / 30
"""The plot need not be redrawn as often as angles come in; gauge and figure are."""


class HurtSheet(Sheet):
    """'How much does it hurt?', at once after 'It hurts'; then whether to end or to go on."""

    vm = ObjectProperty()

    def begin(self) -> None:
        self.ids.pain.value = NONE_CHOSEN


class EndSheet(Sheet):
    """'End for today?', when a session that is under way is left."""

    vm = ObjectProperty()


class CheckInSheet(Sheet):
    """The questions before exercising, one at a time, or why not to exercise today."""

    vm = ObjectProperty()


class ExerciseScreen(Page):
    """Gauge, figure and plot follow the view model; sheets come and go with it."""

    def __init__(self, **properties: object) -> None:
        super().__init__(**properties)
        self._hurt_sheet = HurtSheet(vm=self.vm)
        self._end_sheet = EndSheet(vm=self.vm)
        self._check_in_sheet = CheckInSheet(vm=self.vm.check_in)
        self.vm.check_in.bind(stage=lambda _, stage: self._lay_over(self._check_in_sheet, stage != ""))
        self.vm.check_in.bind(question=lambda *_: setattr(self._check_in_sheet.ids.pain, "value", NONE_CHOSEN))
        self._draw_plot = Clock.create_trigger(self._show_trace, PLOT_INTERVAL_S)
        self.vm.bind(
            excursion_deg=self._draw_plot,
            moving=self._draw_plot,
            hurt=lambda _, stage: self._lay_over(self._hurt_sheet, stage != ""),
            asking_end=lambda _, shown: self._lay_over(self._end_sheet, shown),
        )

    def _show_trace(self, _: float) -> None:
        self.ids.plot.show(self.vm.trace)

    def _lay_over(self, sheet: Sheet, shown: bool) -> None:
        if shown and sheet.parent is None:
            sheet.begin()
            self.add_widget(sheet)
        elif not shown and sheet.parent is not None:
            self.remove_widget(sheet)


load_rules(__file__)
