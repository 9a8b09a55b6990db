"""Files that cannot be trusted."""

from shared.errors import Unavailable


class DamagedSegment(Unavailable):
    """A segment or manifest whose files do not fit what is said of them; the rest still serves."""

    code = "damaged_segment"
