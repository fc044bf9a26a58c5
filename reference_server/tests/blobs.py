"""A blob store for tests that can be full, stuck or out of order, and knows what was staged and never ended."""

from reference_server.blobs import BlobError, BlobReader, MemoryBlobs, StagedBlob


class TroubledBlobs:
    """`Blobs` in memory; `staged` counts what was begun and neither kept nor discarded, `checks` its checks."""

    def __init__(self) -> None:
        self.inner = MemoryBlobs()
        self.full = False
        self.broken = False
        self.staged = 0
        self.checks = 0
        self.deleted: list[str] = []

    @property
    def where(self) -> str:
        return self.inner.where

    def owner(self) -> str | None:
        self._judge()
        return self.inner.owner()

    def own(self, identity: str) -> None:
        self._judge()
        self.inner.own(identity)

    def stage(self, name: str) -> StagedBlob:
        self.staged += 1
        return _Staged(self, self.inner.stage(name))

    def open(self, name: str) -> BlobReader:
        self._judge()
        return self.inner.open(name)

    def delete(self, name: str) -> None:
        self._judge()
        self.deleted.append(name)
        self.inner.delete(name)

    def names(self) -> list[str]:
        self._judge()
        return list(self.inner.names())

    def check(self) -> None:
        self.checks += 1
        self._judge()

    def sweep(self) -> None:
        self._judge()

    def _judge(self) -> None:
        if self.broken:
            raise BlobError("the blob store does not answer")


class _Staged:
    def __init__(self, blobs: TroubledBlobs, inner: StagedBlob) -> None:
        self._blobs = blobs
        self._inner = inner
        self._ended = False

    def write(self, chunk: bytes) -> None:
        if self._blobs.full:
            raise BlobError("the disk is full")
        self._inner.write(chunk)

    def keep(self) -> None:
        self._end()
        if self._blobs.broken:
            raise BlobError("the blob store does not answer")
        self._inner.keep()

    def discard(self) -> None:
        self._end()

    def _end(self) -> None:
        self._blobs.staged -= not self._ended
        self._ended = True
