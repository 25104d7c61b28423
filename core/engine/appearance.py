"""What an image looks like to a network, in numbers: for telling strange images from known ones."""

import cv2
import numpy as np
import torch
from torch.nn import functional

from core.domain.detections import FloatArray
from core.engine.network import SIZE_MULTIPLE, IndicationNetwork

#: The longer side of the image is reduced to this, px: enough for the kind of part, and cheap.
SIDE_PX = 320
#: Stages of the backbone that are pooled, at strides 4 and 8. Later ones, and deviations beside the means,
#: tell parts apart no better on the castings of GDXray.
N_STAGES = 2


@torch.inference_mode()
def appearance_of(network: IndicationNetwork, image: FloatArray, device: torch.device) -> FloatArray:
    """(D,) float32: the mean of every channel of the backbone's first stages, over the whole image.

    Args:
        network: float32, in evaluation mode, on `device`.
        image: (H, W) float32, normalised, in the network's polarity.
        device: of the network.
    """
    height, width = image.shape
    scale = min(1.0, SIDE_PX / max(height, width))
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    tensor = torch.from_numpy(np.ascontiguousarray(image))[None, None].to(device)
    down, right = -image.shape[0] % SIZE_MULTIPLE, -image.shape[1] % SIZE_MULTIPLE
    tensor = functional.pad(tensor, (0, right, 0, down), mode="replicate")
    _, *stages = network.backbone(tensor, n_stages=N_STAGES)
    values: FloatArray = torch.cat([one[0].mean((1, 2)) for one in stages]).float().cpu().numpy()
    return values
