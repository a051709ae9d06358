"""The one place that knows which TFLite runtime is installed."""

from __future__ import annotations

from typing import Any


class RuntimeUnavailableError(RuntimeError):
    """No runtime, or it does not take this model."""


def load_interpreter(model: bytes) -> Any:
    """An interpreter, one thread, tensors allocated. Raises RuntimeUnavailableError with what to do."""
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType  # noqa: PLC0415 - only who judges form needs it
    except ImportError as error:
        raise RuntimeUnavailableError(
            f"Form cannot be judged because ai-edge-litert is not usable here ({error}); install sinew[gateway]."
        ) from error
    try:
        # Without the XNNPACK delegate: for nets this small it gains nothing, and it speaks on stderr.
        kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = Interpreter(model_content=model, num_threads=1, experimental_op_resolver_type=kernels)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError, SystemError) as error:
        raise RuntimeUnavailableError(
            f"The TFLite runtime does not take this model ({error}); train it anew."
        ) from error
    return interpreter
