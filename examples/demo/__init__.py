"""The demo: a real server and real clients. `make demo`, or `python -m examples.demo`."""
