"""HTTP's shell: from bytes to the driver's questions, and from its answers to bytes.

What lives here: uvicorn's parser with our refusals (protocol.py) and time limits (paces.py, idle_timer.py), the short
way for requests that are here as a whole (direct.py), the ASGI application for all others (application.py), the pages'
files (page_files.py) and what stands in the driver's place where pages alone are served (pages_only.py). What never
does: a decision; which error comes first is the driver's to say. To add an operation, touch nothing here: routes come
from the contract's table.
Run: `python -m pytest reference_server/tests -k http`.
"""
