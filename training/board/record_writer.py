"""Records of event files, with checksums that are computed by NumPy.

A record is its length, the masked CRC-32C of the length, the data, and the masked CRC-32C of the
data, all little-endian. TensorBoard's writer takes the checksum byte by byte in Python, which for a
run of hundreds of seeds is seconds during which no other thread runs.

A checksum's register is linear over XOR: what a byte adds depends on the byte, and on how many
bytes follow it. So a table by both gives the sum of a whole block at once.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import CRC_TABLE

BLOCK = 1_024  # bytes that one look-up takes
REGISTER = 4  # bytes of the checksum
ONES = 0xFFFFFFFF
MASK = 0xA282EAD8  # added to a checksum that stands in a file, as the format wants it


def crc32c(data: bytes) -> int:
    """The CRC-32C checksum of data (Castagnoli's polynomial), 0 .. 2^32 - 1."""
    register = ONES
    for first in range(0, len(data), BLOCK):
        register = _after(register, data[first : first + BLOCK])
    return register ^ ONES


def _after(register: int, block: bytes) -> int:
    """The register after at most BLOCK bytes more."""
    if len(block) < REGISTER:
        for byte in block:
            register = CRC_TABLE[(register ^ byte) & 0xFF] ^ (register >> 8)
        return register
    own = np.frombuffer(block, np.uint8).astype(np.intp)
    # The register so far is the same as if it stood before the first bytes.
    own[:REGISTER] ^= np.frombuffer(struct.pack("<I", register), np.uint8)
    rows, offsets = _rows()
    return int(np.bitwise_xor.reduce(rows[offsets[BLOCK - len(block) :] + own]))


@cache
def _rows() -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """What each byte adds, uint32 `[BLOCK * 256]`, by how many bytes follow it; and where the rows
    of a whole block's bytes begin, in order, int `[BLOCK]`."""
    first = np.array(CRC_TABLE, np.uint32)
    rows = np.empty((BLOCK, 256), np.uint32)
    rows[0] = first
    for k in range(1, BLOCK):
        rows[k] = first[rows[k - 1] & 0xFF] ^ (rows[k - 1] >> 8)
    return rows.ravel(), np.arange(BLOCK - 1, -1, -1) * 256


class RecordWriter:
    """Writes records to a file that is open for writing."""

    def __init__(self, file: BinaryIO) -> None:
        """A writer to this file, which is closed by `close`."""
        self._file = file

    def write(self, data: bytes) -> None:
        """Write one record.

        Raises:
            OSError: the system refuses.
        """
        length = struct.pack("<Q", len(data))
        self._file.write(b"".join((length, _masked(length), data, _masked(data))))

    def flush(self) -> None:
        """Write what is still in memory.

        Raises:
            OSError: the system refuses.
        """
        self._file.flush()

    def close(self) -> None:
        """Close the file.

        Raises:
            OSError: the system refuses.
        """
        self._file.close()


def _masked(data: bytes) -> bytes:
    """The checksum of data as it stands in a file."""
    crc = crc32c(data)
    rotated = (crc >> 15 | crc << 17) & ONES
    return struct.pack("<I", (rotated + MASK) & ONES)
