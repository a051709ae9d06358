"""Contrast is computed, not believed."""

from dataclasses import asdict

import pytest

from mobile_app.theme import DARK, LIGHT, Palette, Theme, contrast, contrast_pairs


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#FFFFFF", 21.0), ("#777777", "#FFFFFF", 4.48), ("#0000FF", "#FFFFFF", 8.59)],
)
def test_contrast_is_the_ratio_of_wcag(one, other, ratio):
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(other, one) == contrast(one, other)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", contrast_pairs(), ids=lambda pair: f"{pair[0]} on {pair[1]}")
def test_every_pair_has_its_contrast(palette: Palette, pair):
    foreground, ground, least = pair
    assert contrast(getattr(palette, foreground), getattr(palette, ground)) >= least


def test_a_theme_takes_all_colours_of_its_palette():
    theme = Theme()
    theme.name = "dark"
    for colour, value in asdict(DARK).items():
        expected = [int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)] + [1.0]
        assert list(getattr(theme, colour)) == pytest.approx(expected), colour
