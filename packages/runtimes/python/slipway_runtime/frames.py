"""Messages between Node and the processes of the engine, over a Unix socket.

A frame is, big-endian: u32 length of what follows, u32 id, u8 kind, u32 length of the header, the header (JSON), the body
(raw bytes). An answer carries the id of its request. `packages/server/src/engine/frames.ts` is the other end.
"""

import json
import struct

REQUEST, ANSWER, NOTICE = 1, 2, 3
PREFIX = struct.Struct(">IIBI")
LENGTH_BYTES = 4
FIXED_BYTES = PREFIX.size - LENGTH_BYTES
# SageMaker takes bodies of 25 MB at most; batches of a frame and its header stay far below this.
LARGEST_FRAME_BYTES = 64 * 1024 * 1024


class BadFrame(Exception):
    """The peer does not speak this protocol, or asks for more memory than a frame may take."""


def encode(frame_id, kind, header, body=b""):
    packed = json.dumps(header, separators=(",", ":")).encode()
    length = FIXED_BYTES + len(packed) + len(body)
    if length > LARGEST_FRAME_BYTES:
        raise BadFrame(f"a frame of {length} bytes is over the limit of {LARGEST_FRAME_BYTES}")
    return PREFIX.pack(length, frame_id, kind, len(packed)) + packed + body


class Reader:
    """Collects bytes and yields whole frames as (id, kind, header, body)."""

    def __init__(self):
        self.buffer = bytearray()

    def feed(self, data):
        self.buffer += data
        frames, at = [], 0
        while len(self.buffer) - at >= PREFIX.size:
            length, frame_id, kind, header_length = PREFIX.unpack_from(self.buffer, at)
            if length > LARGEST_FRAME_BYTES or header_length > length - FIXED_BYTES:
                raise BadFrame(f"a frame says it has {length} bytes and a header of {header_length}")
            end = at + LENGTH_BYTES + length
            if len(self.buffer) < end:
                break
            split = at + PREFIX.size + header_length
            header = json.loads(self.buffer[at + PREFIX.size : split])
            frames.append((frame_id, kind, header, bytes(self.buffer[split:end])))
            at = end
        if at:
            del self.buffer[:at]
        return frames
