"""What one turn of the loop says, put together so that each connection is written to once."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

Gathered: TypeAlias = list[tuple[bytes, Sequence[int]]]
"""Frames and who gets them, in the order in which the hub said so."""


def joined(gathered: Gathered) -> Iterator[tuple[bytes, Sequence[int]]]:
    """Give what goes to the same receivers in one piece, for each of them in the order in which it was said.

    At most one audience of it is large: what is for that is joined once, and only who gets something besides has a
    piece of its own. Audiences are told apart by identity: the hub has one tuple for each until its members change.
    What is left of one without those is a list, which nobody has a second time.
    """
    main = max((receivers for _, receivers in gathered), key=len, default=())
    own: dict[int, list[bytes]] = {one: [] for _, receivers in gathered if receivers is not main for one in receivers}
    both = own.keys() & main if own else ()
    for frame, receivers in gathered:
        for connection in both if receivers is main else receivers:
            own[connection].append(frame)
    shared = [frame for frame, receivers in gathered if receivers is main]
    if shared:
        yield b"".join(shared), [one for one in main if one not in both] if both else main
    for connection, frames in own.items():
        yield b"".join(frames), (connection,)
