"""Settings of the whole suite."""

from hypothesis import settings

# The same examples on every run, and no deadline: a busy machine is not a wrong program.
settings.register_profile("watchword", derandomize=True, deadline=None)
settings.load_profile("watchword")
