"""What the bundled models are made of: a network that learnt from photos, taught further."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Recipe:
    """A MobileNetV2 of one width and side; what comes before `frozen` stays as it was."""

    name: str
    backbone: str
    side: int
    frozen: str
    """The last layer that is not taught: its output is kept of every view."""
    steps: int
    rate: float
    share: float
    """Of what was learnt: the rest of every weight is what it was before."""
    photos: int = 48
    """A step, each in two views."""
    seed: int = 0


WEIGHTS: Final[Mapping[str, str]] = {
    "mobilenetv2-0.35": "mobilenet_v2_0.35_224_no_top.weights.h5",
    "mobilenetv2-1.0": "mobilenet_v2_1.0_224_no_top_dequantized.weights.h5",
}
"""Files under `weights` of the folder of data."""
TEACHER: Final = "mobilenetv2-1.0"
TEACHER_SIDE: Final = 224
DOMAINS: Final[Mapping[str, str]] = {"clothing": "clothing/train", "grocery": "grocery/train"}
"""Photos by kind, in folders of the folder of data."""
LICENCE: Final = "Apache-2.0 AND MIT"
SOURCES: Final = (
    "Weights that it began from: MobileNetV2, Apache-2.0 (1.0) and MIT (0.35). Photos: "
    "clothing-dataset-small, CC0 1.0; GroceryStoreDataset, MIT."
)
CONTENT: Final = 256
"""Numbers of the content space."""

RECIPES: Final[Mapping[str, Recipe]] = {
    "small": Recipe("small", "mobilenetv2-0.35", 160, "block_5_add", 1500, 1e-3, 0.6),
    "base": Recipe("base", "mobilenetv2-1.0", 224, "block_12_add", 700, 5e-4, 0.5),
}
