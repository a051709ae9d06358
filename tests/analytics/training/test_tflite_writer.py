from __future__ import annotations

from itertools import pairwise

import numpy as np

from analytics.form.runtime import load_interpreter
from analytics.training.tflite_writer import write_classifier


def test_the_file_computes_what_the_weights_say():
    rng = np.random.default_rng(0)
    sizes = (6, 8, 5, 3)
    layers = [(rng.normal(size=(a, b)), rng.normal(size=b)) for a, b in pairwise(sizes)]
    interpreter = load_interpreter(write_classifier(layers))
    given, taken = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    for row in rng.normal(size=(50, 6)):
        here = row
        for k, (weights, biases) in enumerate(layers):
            here = here @ weights + biases
            here = np.maximum(here, 0) if k < 2 else np.exp(here - here.max()) / np.exp(here - here.max()).sum()
        interpreter.set_tensor(given, row.astype(np.float32)[None])
        interpreter.invoke()
        assert np.abs(interpreter.get_tensor(taken)[0] - here).max() < 1e-5


def test_same_weights_same_bytes():
    layers = [(np.ones((2, 3)), np.zeros(3))]
    assert write_classifier(layers) == write_classifier(layers)
