"""The demo: a real server, real clients, every refusal of the handshake. `make demo`, or `python -m examples.demo`."""
