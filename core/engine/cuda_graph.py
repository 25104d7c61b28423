"""A network whose kernels are launched all at once; on a GPU, launching them one by one takes longer."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from core.engine.network import LevelOutput, NetworkOutput

#: Runs before the capture, on a stream of their own, as torch's notes on CUDA graphs ask for.
_WARM_UP_RUNS = 3
_KEPT_GRAPHS = 6


@dataclass(frozen=True, slots=True, eq=False)
class _Captured:
    graph: torch.cuda.CUDAGraph
    inputs: Tensor
    output: NetworkOutput


class GraphedNetwork:
    """Replays one captured CUDA graph an input shape; a shape that came once only runs plainly.

    A batch is filled up to the next power of two, so that few shapes occur. Not safe to share: the outputs
    are overwritten by the next call, so hold a lock until they have been read. Call it in inference mode.

    Args:
        predict: of a network on a CUDA device, in evaluation mode, of no data-dependent shape.
    """

    def __init__(self, predict: Callable[[Tensor], NetworkOutput]) -> None:
        self._predict = predict
        self._captured: OrderedDict[tuple[int, ...], _Captured] = OrderedDict()
        self._seen: set[tuple[int, ...]] = set()

    def __call__(self, x: Tensor) -> NetworkOutput:
        """The output for (B, 1, H, W), which the next call overwrites."""
        shape = (filled_up(len(x)), *x.shape[1:])
        if shape not in self._captured:
            if shape not in self._seen:
                self._seen.add(shape)
                return self._predict(x)
            self._captured[shape] = self._capture(x, shape[0])
            while len(self._captured) > _KEPT_GRAPHS:
                self._captured.popitem(last=False)
        self._captured.move_to_end(shape)
        captured = self._captured[shape]
        captured.inputs[: len(x)].copy_(x)
        captured.graph.replay()
        levels, mask_logit = captured.output
        return NetworkOutput(
            [LevelOutput(*(part[: len(x)] for part in level)) for level in levels],
            None if mask_logit is None else mask_logit[: len(x)],
        )

    def _capture(self, x: Tensor, batch: int) -> _Captured:
        inputs = x[:1].repeat(batch, 1, 1, 1).contiguous(memory_format=torch.channels_last)
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's own
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_RUNS):
                self._predict(inputs)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        # other threads may use the device meanwhile, for gradients for instance
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            output = self._predict(inputs)
        return _Captured(graph, inputs, output)


def filled_up(batch: int) -> int:
    """The power of two that a batch is filled up to."""
    return 1 << (batch - 1).bit_length()
