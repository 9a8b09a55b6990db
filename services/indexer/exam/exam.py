"""One exam from beginning to end, on vectors that are there: of one model, or of two side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.indexer.exam.answers import Answers, Way, answered
from services.indexer.exam.figures import Figures, differences, figures_of
from services.indexer.exam.pace import Pace
from services.indexer.exam.photos import Judged, Photos
from services.indexer.exam.questions import MOST, Questions, questions_of
from services.indexer.exam.verdict import Verdict, verdict

Tell = Callable[[str, int, int], object]
"""Stage, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """What became of one side: an index, or a model over a folder."""

    name: str
    model: str
    judged: Judged
    answers: Mapping[Way, Answers]
    figures: Figures
    pace: Pace | None

    def told(self) -> Mapping[str, Any]:
        """Its model, figures by way and name, and its pace where it is an index."""
        ways: dict[str, Mapping[str, Any]] = {
            way: {name: figure.told() for name, figure in found.items()}
            for way, found in self.figures.items()
        }
        said = {"model": self.model, "fingerprint": self.judged.spaces.fingerprint, **ways}
        return {**said, "pace": self.pace.told()} if self.pace else said


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """Both sides answered the same questions on the same photos."""

    photos: Photos
    questions: Questions
    mine: Examined
    other: Examined | None
    verdict: Verdict
    notes: tuple[str, ...]

    def told(self) -> Mapping[str, Any]:
        """Figures for machines: of both sides, and the difference question by question."""
        sides = {"index": self.mine.told(), "against": self.other.told() if self.other else None}
        if self.other is None:
            return sides
        apart = {
            way: {name: one.told() for name, one in found.items()}
            for way, found in differences(self.mine.figures, self.other.figures).items()
        }
        return {**sides, "difference": apart}


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Who sits the exam; `pace` is measured where there is an index to search."""

    name: str
    judged: Judged
    pace: Pace | None = None
    model: str = ""
    """The model's name, where it is not the side's own."""


def examine(
    mine: Side,
    other: Side | None,
    tell: Tell,
    notes: Sequence[str] = (),
    most: int = MOST,
) -> Exam:
    """Deterministic but for the paces. Both sides' vectors are of the same photos."""
    sitting = [side for side in (mine, other) if side is not None]
    tell("drawing questions", 0, 1)
    questions = questions_of([side.judged for side in sitting], most)
    sides = [_examined(side, questions, tell) for side in sitting]
    me, they = sides[0], sides[1] if len(sides) > 1 else None
    found = verdict(
        me.figures, they.figures if they else None, me.pace, they.pace if they else None
    )
    return Exam(mine.judged.photos, questions, me, they, found, (*notes, *questions.left_out))


def _examined(side: Side, questions: Questions, tell: Tell) -> Examined:
    stage = f"asking {side.name}"
    answers = answered(side.judged, questions, lambda done, of: tell(stage, done, of))
    figures = figures_of(side.judged.photos, questions, answers)
    model = side.model or side.name
    return Examined(side.name, model, side.judged, answers, figures, side.pace)
