"""Blob stores: the bytes of binaries and pictures, by name; rows say what they are and who owns them.

What lives here: one interface (base.py) and its implementations. What never does: a rule about what may be stored.
A blob is written once under a name of its own and is durable before a row points at it; what no row points at is
deleted. To add one, implement `Blobs` and give it its row in `tests/test_blobs.py`, the suite that all of them pass.
Run: `python -m pytest reference_server/blobs`.
"""

from reference_server.blobs.base import BlobError, BlobMissingError, BlobReader, Blobs, StagedBlob
from reference_server.blobs.folder import FolderBlobs
from reference_server.blobs.memory import MemoryBlobs
from reference_server.blobs.s3 import S3Blobs

__all__ = [
    "BlobError",
    "BlobMissingError",
    "BlobReader",
    "Blobs",
    "FolderBlobs",
    "MemoryBlobs",
    "S3Blobs",
    "StagedBlob",
]
