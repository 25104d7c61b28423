"""A process that reads files of an archive: `python -m core.services.bulk.worker`, spoken to by pickles.

In come a `ReaderSpec`, answered by "ready", and one `ArchiveFile` after the other, each answered by its
`FileOutcome`; the end of the input ends it. Whatever is printed goes to standard error.
"""

import os
import pickle
import sys

from core.services.bulk.reader import Reader


def main() -> None:
    """Answer until the input ends."""
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    reader = Reader(pickle.load(questions))
    answer: object = "ready"
    while True:
        pickle.dump(answer, answers)
        answers.flush()
        try:
            file = pickle.load(questions)
        except EOFError:
            return
        answer = reader.read(file.name, file.stamp)


if __name__ == "__main__":
    main()
