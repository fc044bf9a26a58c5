"""Files on their way in and out: streamed in bounded pieces, on worker threads, never whole in memory.

What lives here: the multipart parser (multipart.py), an upload from its first piece to a kept blob (uploads.py), blobs
on their way out, their deletion and their sweep (blob_access.py), and how many go on at once (places.py).
What never does: where bytes lie (blobs/), or what may be stored (core/). To add a file to an operation, give its row a
`FileField`. Run: `python -m pytest reference_server/tests -k upload`.
"""
