"""What the bundled models are made of: a network that learnt from photos, taught further."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Recipe:
    """A MobileNetV2 of one width and side; layers after `frozen` are there as they came and taught."""

    name: str
    backbone: str
    side: int
    frozen: str
    """The last layer that is not taught: its output is kept of every view."""
    steps: int
    rate: float
    came: int
    """Numbers that say what the network sees as it came."""
    learnt: int
    """Numbers that say what it was taught to see."""
    share: float
    """Of a likeness, what was learnt says; the rest, the network as it came."""
    photos: int = 48
    """A step, each in two views."""
    seed: int = 0

    @property
    def lesson(self) -> str:
        """Tells what was taught by this recipe from what another one taught; shares come after."""
        return f"{zlib.crc32(repr(replace(self, share=0.0)).encode()):08x}"


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
LAST: Final = "block_16_project_BN"
"""The layer whose means over the picture say what is seen: a quarter of the numbers of the last one
of all, and they know kinds that nobody taught as well."""

RECIPES: Final[Mapping[str, Recipe]] = {
    "small": Recipe("small", "mobilenetv2-0.35", 160, "block_5_add", 2500, 1e-3, 112, 112, 0.55),
    "base": Recipe("base", "mobilenetv2-1.0", 224, "block_12_add", 700, 5e-4, 160, 96, 0.5),
}
