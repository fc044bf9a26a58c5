"""The socket's shell: bytes to hub inputs, effects to frames (contract §5).

What lives here: a protocol class for uvicorn's `ws=` (protocol.py), the reading of frames (frames.py), the open
connections and all writing to them (open_sockets.py), and the same as a log sees them (logged.py). What never does:
delivery, heartbeat or back-pressure, which the hub decides in core/. Run: `python -m pytest reference_server/tests -k
"socket or frames"`.
"""
