"""Settings of the whole suite."""

import signal

from hypothesis import settings

# The same examples on every run, and no deadline: a busy machine is not a wrong program.
settings.register_profile("watchword", derandomize=True, deadline=None)
settings.load_profile("watchword")

# A shell without job control has what it starts in the background ignore SIGINT, which children inherit. Tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)
