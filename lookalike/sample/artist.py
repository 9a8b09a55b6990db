"""A process that draws for its parent: `python -m lookalike.sample.artist SEED FIRST STOP STEP`.

It writes the batches that begin at FIRST and at every STEP after it, each behind its length, and
ends when the parent does: nobody reads any more.
"""

import sys

import cv2

from lookalike.sample.catalogue import record
from lookalike.sample.crew import BATCH, LENGTH_BYTES


def main(seed: int, first: int, stop: int, step: int) -> None:
    cv2.setNumThreads(1)  # the other processors have artists of their own
    for start in range(first, stop, step):
        numbers = range(start, min(start + BATCH, stop))
        data = b"".join(record(seed, number) for number in numbers)
        sys.stdout.buffer.write(len(data).to_bytes(LENGTH_BYTES) + data)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        main(*map(int, sys.argv[1:]))
    except BrokenPipeError:
        sys.stderr.close()  # or it would complain of what it could not flush
