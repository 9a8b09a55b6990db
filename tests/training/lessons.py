"""What tests ask of networks: each lesson answers many questions, by name, in a process of its own."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from services.embedder.model import BUNDLED, DEFAULT
from services.embedder.training.pictures import Photo, in_folders
from services.embedder.training.progress import Cancelled, Progress, tell_nobody
from shared.errors import LookalikeError
from shared.models import unknown_model
from shared.trainings import ClassifierRequest
from tests.training.drawn import draw_folders
from tests.training.processes import answered

SIDE = 32
REQUEST = ClassifierRequest(
    name="ours",
    backbone="mobilenetv2-0.35",
    weights="none",
    side=32,
    dim=24,
    epochs=3,
    patience=3,
    unfreeze=1,
    batch=8,
)


def ask(lesson: str, folder: Path, timeout: float = 580) -> dict[str, Any]:
    """The answers of a lesson below."""
    answers: dict[str, Any] = answered(__name__, lesson, folder, timeout=timeout)
    return answers


def said(doing: Callable[[], object]) -> str:
    """What is told of it, or nothing."""
    try:
        doing()
    except LookalikeError as error:
        return error.detail
    return ""


def networks(folder: Path) -> Mapping[str, Any]:
    """Backbones, what they want of pictures and of weights; ways out of Keras."""
    import keras  # type: ignore[import-untyped]  # it brings no types
    import tensorflow as tf

    from services.embedder.model import verify
    from services.embedder.training.backbones import RANDOM, backbone, model_or_backbone
    from services.embedder.training.classifier.head import Lesson, Taught, learn, start
    from services.embedder.training.exporting import About, export
    from services.embedder.training.judging import judged

    pictures = np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE, 3)).astype(np.uint8)
    light = pictures.astype(np.float32)
    wanted = {
        "mobilenetv2-0.35": light / 127.5 - 1,
        "efficientnet-b0": light,
        "resnet50": light[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32),
        "VGG16": light[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32),
        "MobileNetV3Small": light,
    }
    made = {name: backbone(name, RANDOM, SIDE) for name in wanted}
    prepared = {
        name: float(
            np.abs(
                np.asarray(one.network(pictures, training=False))
                - np.asarray(one.network.layers[-1](wanted[name], training=False))
            ).max()
        )
        for name, one in made.items()
    }
    small = made["mobilenetv2-0.35"]
    file, text = folder / "small.weights.h5", folder / "text.weights.h5"
    torn = folder / "torn.keras"
    torn.write_text("no weights")
    small.network.layers[-1].save_weights(file)
    text.write_text("no weights")
    again = backbone("mobilenetv2-0.35", file, SIDE)
    difference = np.abs(
        np.asarray(again.network(pictures)) - np.asarray(small.network(pictures, training=False))
    ).max()
    closed = len(again.network.trainable_variables)
    opened = [variable.path for variable in again.unfreeze(2)]

    def shelf(name: str) -> Path:
        raise unknown_model(name, ["base", "small"])

    def load(name: str, weights: Path | None) -> str:
        return said(lambda: backbone(name, weights, SIDE))

    broken = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3), dtype="uint8"),
            keras.layers.Rescaling(np.nan),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    plain = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3), dtype="uint8"),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(8, 3, strides=2),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    about = About("plain", "3", "made for a test", quality={"nearest_after": 0.5})
    exported = export(plain, folder / "plain", about)
    photos = [Photo(str(n), str(n % 2), str(n), lambda: b"") for n in range(8)]
    values = np.random.default_rng(1).standard_normal((8, 2, 6)).astype(np.float16)
    taught = Taught(values, np.arange(8) % 2)
    lesson = Lesson(2, 2, 4, 0.01, 1)
    begun = start(values[:, 0], 4)

    def learnt(matrix: Any) -> str:
        layer = replace(begun, matrix=matrix)
        judge = lambda one: judged(one(np.nan_to_num(values[:, 0])), photos)  # noqa: E731
        return said(lambda: learn(layer, taught, judge, lesson, lambda _epoch: None))

    return {
        "prepared": prepared,
        "widths": {name: one.width for name, one in made.items()},
        "groups": {name: [layer.name for layer in one.groups[1]] for name, one in made.items()},
        "batch_norms": [
            layer.name
            for one in made.values()
            for group in one.groups
            for layer in group
            if isinstance(layer, keras.layers.BatchNormalization)
        ],
        "loaded": float(difference),
        "told": again.weights,
        "closed": closed,
        "opened": opened,
        "no_weights": load("mobilenetv2-1.0", None),
        "other_width": load("mobilenetv2-1.0", file),
        "other_family": load("MobileNetV3Small", file),
        "no_file": load("resnet50", folder / "gone.weights.h5"),
        "text": load("resnet50", text),
        "torn": load("resnet50", torn),
        "unknown": load("resnet51", RANDOM),
        "neither": said(lambda: model_or_backbone("mobilnet", shelf, "ranknet")),
        "exported": verify(folder / "plain").spaces.fingerprint == exported.spaces.fingerprint,
        "manifest": [exported.name, exported.version, dict(exported.quality)],
        "dims": {space.name: space.dim for space in exported.spaces.spaces},
        "no_numbers": said(lambda: export(broken, folder / "broken", about)),
        "left": sorted(one.name for one in folder.iterdir()),
        "learns": learnt(begun.matrix),
        "diverged": learnt(begun.matrix * np.nan),
        "tensorflow": tf.__version__,
    }


def training(folder: Path) -> Mapping[str, Any]:
    """A whole training that is stopped, gone on with, and compared with one that was not."""
    import tensorflow as tf

    from services.embedder.training.classifier.train import train

    draw_folders(folder / "photos")
    (folder / "photos" / "kind" / "0" / "bad.jpg").write_bytes(b"no picture")

    def photos() -> list[Photo]:
        return in_folders(folder / "photos")

    told: list[Progress] = []

    def killed(progress: Progress) -> None:
        told.append(progress)
        if progress.stage == "unfreezing" and progress.figures:
            raise Cancelled

    def unwritten(progress: Progress) -> None:
        if progress.stage == "writing":
            raise Cancelled

    def trained(name: str, tell: Any, **options: Any) -> Any:
        asked = replace(REQUEST, name=name, **options)
        scratch = folder / f"{name}.scratch"
        out, logs = folder / name, folder / f"{name}.logs"
        return train(
            asked, out, scratch, tell, gather=photos, folder=lambda _: BUNDLED / DEFAULT, logs=logs
        )

    def stopped(name: str, tell: Any) -> bool:
        try:
            trained(name, tell)
        except Cancelled:
            return True
        return False

    was_stopped = stopped("ours", killed)
    left = sorted(one.name for one in folder.glob("ours*"))
    stages = [one.stage for one in told]
    told.clear()
    made = trained("ours", told.append)
    stopped("whole", unwritten)
    events = [
        (event.step, value.tag, value.simple_value)
        for file in sorted((folder / "whole.logs").iterdir())
        for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
        for event in [tf.compat.v1.Event.FromString(record)]
        for value in event.summary.value
    ]
    return {
        "stopped": was_stopped,
        "left": left,
        "stages": list(dict.fromkeys(stages)),
        "again": [one.stage for one in told],
        "first_step": next(one.done for one in told if one.stage == "unfreezing"),
        "unreadable": list(made.unreadable),
        "sentence": made.sentence,
        "provenance": made.manifest.provenance,
        "photos": made.photos,
        "difference": _difference(folder / "ours.scratch", folder / "whole.scratch"),
        "events": events,
        "training": dict(made.manifest.training),
        "quality": dict(made.manifest.quality),
        "pace": dict(made.manifest.pace),
        "sheet": (folder / "ours.confusion.html").read_text(encoding="utf-8"),
        "in_the_model": sorted(
            one.relative_to(folder / "ours").as_posix() for one in (folder / "ours").rglob("*.*")
        ),
        "of_a_model": said(lambda: trained("other", tell_nobody, backbone=DEFAULT)),
        "there": said(lambda: trained("ours", tell_nobody)),
    }


def _difference(first: Path, second: Path) -> float:
    """The largest between the numbers that two trainings ended with."""
    ended = [np.load(next(scratch.rglob("unfrozen.npz"))) for scratch in (first, second)]
    names = [name for name in ended[0] if name.startswith("now.")]
    return max(float(np.abs(ended[0][name] - ended[1][name]).max()) for name in names)
