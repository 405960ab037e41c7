"""Records of event files: the same bytes as TensorBoard's own writer gives."""

from __future__ import annotations

import io
import random

import pytest
from tensorboard.compat.tensorflow_stub import pywrap_tensorflow
from tensorboard.summary.writer import record_writer as theirs

from tacit.training.board.record_writer import BLOCK, RecordWriter, crc32c


def test_the_known_checksum():
    """The check value of CRC-32C (Castagnoli), and those of RFC 3720, B.4."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(b"") == 0


@pytest.mark.parametrize(
    "size", [*range(12), 255, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3, 5_000]
)
def test_checksums_are_tensorboard_s(size):
    data = random.Random(size).randbytes(size)
    assert crc32c(data) == pywrap_tensorflow.crc32c(data)


def test_records_are_tensorboard_s():
    own, other = io.BytesIO(), io.BytesIO()
    ours, reference = RecordWriter(own), theirs.RecordWriter(other)
    for size in (0, 1, 700, 40_000):
        data = random.Random(size).randbytes(size)
        ours.write(data)
        reference.write(data)
    ours.flush()
    assert own.getvalue() == other.getvalue()
    ours.close()
    assert own.closed
