"""Layers that the network is built of."""

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval


class ConvNorm(nn.Sequential):
    """Convolution, batch normalisation and, unless told otherwise, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, *, size: int = 3, stride: int = 1, relu: bool = True
    ) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU() if relu else nn.Identity(),
        )

    def fold(self) -> None:
        """Merge the normalisation into the convolution; evaluation only."""
        convolution, norm = self[0], self[1]
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            self[0] = fuse_conv_bn_eval(convolution, norm)
            self[1] = nn.Identity()


class ResidualBlock(nn.Module):
    """The basic block of He et al. 2016, "Deep Residual Learning" (3x3, 3x3, identity)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = ConvNorm(inputs, outputs, stride=stride)
        self.second = ConvNorm(outputs, outputs, relu=False)
        is_same = stride == 1 and inputs == outputs
        self.shortcut = (
            nn.Identity() if is_same else ConvNorm(inputs, outputs, size=1, stride=stride, relu=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, C', h/stride, w/stride)."""
        return functional.relu(self.second(self.first(x)) + self.shortcut(x))


class Tower(nn.Module):
    """Convolutions shared by all levels, each level with its own batch statistics.

    The levels see different distributions, so one shared normalisation would blur them; separate
    ones depend on nothing but the training data, whatever the size of the view (see ADR 3).
    """

    def __init__(self, channels: int, depth: int, levels: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(depth)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(depth * levels))

    def forward(self, x: Tensor, level: int) -> Tensor:
        """(B, C, h, w) to the same shape."""
        first = level * len(self.convolutions)
        for depth, convolution in enumerate(self.convolutions):
            x = functional.relu(self.norms[first + depth](convolution(x)))
        return x
