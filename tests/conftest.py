"""How hard Hypothesis tries: the same examples in every run, or `--hypothesis-profile=more`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    max_examples=200,
    stateful_step_count=50,
    derandomize=True,
    # A busy machine is no fault of the code: no test fails for the time that it takes.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "more",
    settings.get_profile("ci"),
    max_examples=5000,
    stateful_step_count=100,
    derandomize=False,
)
settings.load_profile("ci")
