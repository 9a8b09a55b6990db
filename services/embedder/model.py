"""A model is a folder: `model.json`, `model.tflite`, and `golden/` pictures with their vectors; one
that was adapted to a shop has `heads.npz` too. What LiteRT cannot run has `savedmodel/` instead of
`model.tflite`, and says so in its manifest's `runtime`.

Every space has a fingerprint, the hash of the weights file, the preprocessing and the space's own
definition, its head included; vectors of two fingerprints never meet. A file that does not fit the
manifest is refused.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from services.embedder.decode import Pixels, decode
from services.embedder.heads import HEADS, Heads, read_heads
from services.embedder.networks import (
    LITERT,
    RUNTIMES,
    SAVEDMODEL,
    LiteRtNetwork,
    Network,
    Runtime,
    read,
    sha256,
    unusable,
    weights_of,
)
from services.embedder.preprocess import Preprocessing
from shared.errors import Invalid
from shared.spaces import SPACES, Space, SpaceName, Spaces
from shared.vectors import Floats, unit_spaces

MANIFEST = "model.json"
WEIGHTS = LITERT
GOLDEN = Path("golden")
GOLDEN_VECTORS = GOLDEN / "vectors.npy"
GOLDEN_LIKENESS = 0.999
"""Processors round differently; a network gone wrong differs by far more."""
_FINGERPRINT_DIGITS = 32
_TOLD: Final = ("training", "quality", "pace")
"""Parts of a manifest that no vector depends on; older ones lack them."""
BUNDLED = Path(__file__).parent / "models"
DEFAULT: Final = "small"
"""The bundled model of who names none; the settings' default says the same."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """`model.json`: what a model is, and where it comes from."""

    name: str
    version: str
    variant: str
    weights_sha256: str
    preprocessing: Preprocessing
    spaces: Spaces
    provenance: str
    licence: str
    sizes: Mapping[str, int]
    training: Mapping[str, Any] = field(default_factory=dict)
    """What it was made of, for one that was trained: parent, data, counts, options, minutes."""
    quality: Mapping[str, float] = field(default_factory=dict)
    pace: Mapping[str, Any] = field(default_factory=dict)
    """`pictures_per_second` on one core of a `processor`."""
    runtime: Runtime = "litert"


def folder_of(model: str) -> Path:
    """Of a bundled model by its name, or of any by its path."""
    return BUNDLED / model if (BUNDLED / model / MANIFEST).is_file() else Path(model)


class Model:
    """Pictures to vectors with one network on one thread; not for two threads at once."""

    def __init__(
        self, manifest: Manifest, network: Network | bytes, heads: Heads | None = None
    ) -> None:
        """`network` may be the bytes of a LiteRT file."""
        self.manifest = manifest
        self._heads = heads or {}
        self._network = LiteRtNetwork(network) if isinstance(network, bytes) else network

    @property
    def spaces(self) -> Spaces:
        return self.manifest.spaces

    def vector(self, pixels: Pixels) -> Floats:
        """The vector of all spaces, each at unit length, of an RGB picture of any size."""
        raw = self._network(self.manifest.preprocessing(pixels))
        if raw.shape != (self.spaces.dim,):
            raise unusable(f"it gives {raw.shape}, and its spaces have {self.spaces.dim} numbers")
        vector = unit_spaces(raw, self.spaces)
        if not self._heads:
            return vector
        for name, head in self._heads.items():
            part = self.spaces.slices()[name]
            vector[part] = head(vector[part])
        return unit_spaces(vector, self.spaces)


def load(folder: Path) -> Model:
    """The model in a folder, its weights checked against its manifest and one golden picture."""
    manifest, heads, network = _checked(folder)
    model = Model(manifest, network(), heads)
    _check_golden(model, folder, at_most=1)
    return model


def verify(folder: Path) -> Manifest:
    """All golden pictures checked as well; what `load` skips to start quickly."""
    model = load(folder)
    _check_golden(model, folder)
    return model.manifest


def check_files(folder: Path) -> Manifest:
    """Weights and heads held against the manifest, without running them: quick, and safe to do."""
    return _checked(folder)[0]


def read_manifest(folder: Path) -> Manifest:
    """`model.json` alone: enough to know spaces and fingerprints without loading weights."""
    try:
        stored = json.loads(read(folder / MANIFEST))
        return Manifest(
            **{name: stored[name] for name in ("name", "version", "variant", "weights_sha256")},
            preprocessing=Preprocessing(**stored["preprocessing"]),
            spaces=Spaces(stored["fingerprint"], tuple(Space(**one) for one in stored["spaces"])),
            provenance=stored["provenance"],
            licence=stored["licence"],
            sizes=stored["sizes"],
            **{name: stored.get(name, {}) for name in _TOLD},
            runtime=_runtime(stored.get("runtime", "litert")),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid(
            f"{folder / MANIFEST} is no manifest of a model: {error!r}.", code="bad_model"
        ) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    stored = asdict(manifest) | {
        "fingerprint": manifest.spaces.fingerprint,
        "spaces": [asdict(space) for space in manifest.spaces.spaces],
    }
    stored |= {name: dict(getattr(manifest, name)) for name in ("sizes", *_TOLD)}
    text = json.dumps(stored, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def fingerprinted(
    weights: bytes,
    preprocessing: Preprocessing,
    dims: Mapping[SpaceName, int],
    heads: Heads | None = None,
) -> Spaces:
    """Spaces in their usual order, each named by what its vectors depend on."""
    return fingerprinted_by(sha256(weights), preprocessing, dims, heads)


def fingerprinted_by(
    weights_sha256: str,
    preprocessing: Preprocessing,
    dims: Mapping[SpaceName, int],
    heads: Heads | None = None,
) -> Spaces:
    """The same, where the hash of the weights is known."""
    basis = {"weights": weights_sha256, "preprocessing": preprocessing.described()}
    own = {name: {"head": head.sha256} for name, head in (heads or {}).items()}
    spaces = tuple(
        Space(
            name,
            dims[name],
            _fingerprint(basis | {"space": name, "dims": dict(dims)} | own.get(name, {})),
        )
        for name in SPACES
        if name in dims
    )
    return Spaces(_fingerprint(basis | {"spaces": [asdict(space) for space in spaces]}), spaces)


def _fingerprint(basis: Mapping[str, Any]) -> str:
    canonical = json.dumps(basis, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode())[:_FINGERPRINT_DIGITS]


def _checked(folder: Path) -> tuple[Manifest, Heads, Callable[[], Network]]:
    manifest = read_manifest(folder)
    heads = read_heads(folder)
    found, network = weights_of(folder, manifest.runtime)
    if found != manifest.weights_sha256:
        weights = WEIGHTS if manifest.runtime == "litert" else SAVEDMODEL
        raise Invalid(
            f"{folder / weights} is not the file that {MANIFEST} describes: its hash is "
            f"{found[:12]}…, not {manifest.weights_sha256[:12]}…. Take the whole "
            "folder again from where it came.",
            code="bad_model",
        )
    dims = {space.name: space.dim for space in manifest.spaces.spaces}
    if fingerprinted_by(found, manifest.preprocessing, dims, heads) != manifest.spaces:
        raise Invalid(
            f"{folder / MANIFEST} was changed, or {HEADS} beside it: its fingerprints do not follow "
            "from weights, preprocessing, heads and spaces. Take the whole folder again from where it came.",
            code="bad_model",
        )
    return manifest, heads, network


def _runtime(said: str) -> Runtime:
    for known in RUNTIMES:
        if said == known:
            return known
    raise ValueError(f"a runtime is one of {', '.join(RUNTIMES)}, not {said!r}")


def _check_golden(model: Model, folder: Path, at_most: int | None = None) -> None:
    try:
        expected = np.load(folder / GOLDEN_VECTORS, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise Invalid(
            f"{folder / GOLDEN_VECTORS} cannot be read: {error}.", code="bad_model"
        ) from error
    pictures = sorted((folder / GOLDEN).glob("*.png"))
    if len(pictures) != len(expected) or not pictures:
        raise Invalid(
            f"{folder / GOLDEN} has {len(pictures)} pictures and {len(expected)} vectors; "
            "it needs a vector for each, and one at least.",
            code="bad_model",
        )
    for picture, vector in list(zip(pictures, expected, strict=True))[:at_most]:
        _check_alike(model, picture, vector)


def _check_alike(model: Model, picture: Path, expected: Floats) -> None:
    found = model.vector(decode(read(picture)).pixels)
    for name, part in model.spaces.slices().items():
        # Written so that a NaN fails as well.
        if not float(found[part] @ expected[part]) >= GOLDEN_LIKENESS:
            raise Invalid(
                f"The model gives another {name} vector for {picture} than when it was made: "
                "this processor or library computes it wrongly.",
                code="bad_model",
            )
