"""Fuzz one target with atheris (`pip install atheris`), from the project's folder:

    PYTHONPATH=. python tests/fuzz text -max_total_time=60

What follows the target is for libFuzzer. It starts from `corpus/TARGET` and keeps what it finds
in a new folder; an input that fails is written to `crash-…` here. Put that into `corpus/TARGET`,
under a name that says what it is: `tests/test_fuzz.py` replays the whole corpus without atheris.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp

FOLDER = Path(__file__).parent


def main() -> None:
    targets = sorted(path.stem.removeprefix("fuzz_") for path in FOLDER.glob("fuzz_*.py"))
    if len(sys.argv) < 2 or sys.argv[1] not in targets:
        sys.exit(f"Usage: python tests/fuzz {'|'.join(targets)} [libFuzzer's options]")
    target, *options = sys.argv[1:]
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["chatroom"]):
        one_input = import_module(f"fuzz_{target}").one_input
    found = mkdtemp(prefix=f"fuzz-{target}-")
    atheris.Setup([sys.argv[0], *options, found, str(FOLDER / "corpus" / target)], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
