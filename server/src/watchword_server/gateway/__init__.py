"""The edge: one port, one header block, then frames or plain HTTP."""
