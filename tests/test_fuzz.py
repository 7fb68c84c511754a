"""The corpus of every fuzz target, replayed: what once failed does not fail again."""

from __future__ import annotations

from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parent / "fuzz"
TARGETS = sorted(path.stem.removeprefix("fuzz_") for path in FOLDER.glob("fuzz_*.py"))
SEEDS = [
    pytest.param(target, seed, id=f"{target}-{seed.name}")
    for target in TARGETS
    for seed in sorted((FOLDER / "corpus" / target).iterdir())
]


@cache
def load(target: str) -> ModuleType:
    spec = spec_from_file_location(f"fuzz_{target}", FOLDER / f"fuzz_{target}.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("target", "seed"), SEEDS)
def test_the_target_holds_on(target: str, seed: Path) -> None:
    load(target).one_input(seed.read_bytes())


def test_every_target_has_a_corpus_and_every_corpus_a_target() -> None:
    assert sorted(path.name for path in (FOLDER / "corpus").iterdir()) == TARGETS
    assert all(any(param.values[0] == target for param in SEEDS) for target in TARGETS)
