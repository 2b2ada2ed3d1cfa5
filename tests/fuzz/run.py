"""Try many damaged inputs: ``make fuzz``, or ``python tests/fuzz/run.py --kinds h5ad zip --inputs 10000``.

An input is determined by its kind and its number. Inputs that end in anything other than success or a clear error are
printed and recorded in ``tests/fuzz/found``; the tests try them again from then on.
"""

from __future__ import annotations

import argparse
import gc
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from forked import Outcome, attempt
from targets import Targets

FOUND = Path(__file__).parent / "found"


def try_input(targets: Targets, kind: str, number: int, work: Path) -> tuple[Outcome, Path]:
    """Create input `number` of a kind in a new folder, and try it."""
    damage, use = targets.kinds[kind]
    folder = work / f"{kind}-{number}"
    folder.mkdir()
    path = damage(random.Random(f"{kind} {number}"), folder)
    return attempt(lambda: use(path)), path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="*")
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="karospace-fuzz-") as name:
        work = Path(name)
        targets = Targets(work)
        gc.collect()
        gc.freeze()  # or the first collection of each child copies the memory of this process
        for kind in options.kinds or targets.kinds:
            counts: Counter[str] = Counter()
            for number in range(options.first, options.first + options.inputs):
                outcome, path = try_input(targets, kind, number, work)
                counts[outcome.kind] += 1
                if not outcome.good:
                    bad += 1
                    print(f"--- {kind} {number}: {outcome.kind}\n{shortened(outcome.text)}", flush=True)
                    keep(kind, number)
                shutil.rmtree(path.parent)
            print(f"{kind}: {sum(counts.values()):,} inputs: {dict(sorted(counts.items()))}", flush=True)
    return 1 if bad else 0


def shortened(text: str) -> str:
    """Return the beginning and the end of a text.

    A traceback ends with the exception; the traces of a crash begin with its cause.
    """
    return text if len(text) < 8000 else f"{text[:5000]}\n…\n{text[-3000:]}"


def keep(kind: str, number: int) -> None:
    """Record the number of an input, from which it can be created again."""
    file = FOUND / f"{kind}.txt"
    known = set(file.read_text().split()) if file.exists() else set()
    file.write_text("\n".join(sorted(known | {str(number)}, key=int)) + "\n")


if __name__ == "__main__":
    sys.exit(main())
