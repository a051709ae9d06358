"""Writes a multilayer perceptron as a TFLite file with the runtime's own schema: no TensorFlow, no converter, no
surprises."""

from __future__ import annotations

from collections.abc import Sequence

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from analytics.signals.samples import FloatArray

FILE_IDENTIFIER = b"TFL3"


def write_classifier(layers: Sequence[tuple[FloatArray, FloatArray]]) -> bytes:
    """A classifier in float32: fully connected layers with ReLU between, softmax at the end.

    layers: weights (inputs, outputs) and biases (outputs,) of each. The model takes (1, inputs) and gives (1, classes).
    """
    graph = _Graph()
    here = graph.tensor("features", (1, len(layers[0][0])))
    graph.subgraph.inputs = [here]
    for k, (weights, biases) in enumerate(layers):
        last = k == len(layers) - 1
        options = schema.FullyConnectedOptionsT()
        activation = schema.ActivationFunctionType
        options.fusedActivationFunction = activation.NONE if last else activation.RELU
        inputs = [here, graph.constant(f"weights{k}", weights.T), graph.constant(f"biases{k}", biases)]
        here = graph.tensor("logits" if last else f"hidden{k}", (1, weights.shape[1]))
        graph.operator("FULLY_CONNECTED", "FullyConnectedOptions", options, inputs, here)
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    logits, here = here, graph.tensor("probabilities", (1, layers[-1][0].shape[1]))
    graph.operator("SOFTMAX", "SoftmaxOptions", softmax, [logits], here)
    graph.subgraph.outputs = [here]
    return graph.pack()


class _Graph:
    """The schema's objects, filled one by one."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = "Sinew form model"
        self.model.buffers = [schema.BufferT()]  # buffer 0 is empty by convention: tensors without data point to it
        self.model.operatorCodes = []
        self.subgraph = schema.SubGraphT()
        self.subgraph.name = "main"
        self.subgraph.tensors, self.subgraph.operators = [], []
        self.model.subgraphs = [self.subgraph]

    def tensor(self, name: str, shape: Sequence[int], buffer: int = 0) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(shape), buffer
        tensor.type = schema.TensorType.FLOAT32
        self.subgraph.tensors.append(tensor)
        return len(self.subgraph.tensors) - 1

    def constant(self, name: str, values: FloatArray) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values, dtype="<f4").tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        return self.tensor(name, values.shape, len(self.model.buffers) - 1)

    def operator(self, name: str, options_name: str, options: object, inputs: list[int], output: int) -> None:
        code = getattr(schema.BuiltinOperator, name)
        codes = [c.builtinCode for c in self.model.operatorCodes]
        if code not in codes:
            entry = schema.OperatorCodeT()
            entry.builtinCode = entry.deprecatedBuiltinCode = code
            entry.version = 1
            self.model.operatorCodes.append(entry)
            codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = codes.index(code)
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, options_name)
        operator.builtinOptions = options
        self.subgraph.operators.append(operator)

    def pack(self) -> bytes:
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self.model.Pack(builder), FILE_IDENTIFIER)
        return bytes(builder.Output())
