"""Recordings as sound: short WAV files made on the spot."""

import io
import math
import wave
from array import array

RATE = 8000  # as on the telephone
LOUD = 3000
LONGEST = 600  # seconds


def wav(seconds: float, channels: int = 1, pitch: int = 440) -> bytes:
    """A quiet tone of this length, 16 bits; a second channel is silent."""
    count = int(min(max(seconds, 0.1), LONGEST) * RATE)
    turn = 2 * math.pi * pitch / RATE
    second = [int(LOUD * math.sin(turn * n)) for n in range(RATE)]
    samples = array("h", (second * (count // RATE + 1))[:count])
    if channels == 2:
        both = array("h", bytes(4 * count))
        both[0::2] = samples
        samples = both
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    return file.getvalue()
