"""Sound for pages of the tests."""

from __future__ import annotations

import base64
import io
import wave

RATE = 4000


def wav(seconds: int) -> bytes:
    """Silence, as a file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 1, RATE, 0, "NONE", ""))
        sound.writeframes(bytes([128]) * RATE * seconds)
    return file.getvalue()


def silence(seconds: int) -> str:
    """The same as an address, so that one can go to any moment of it: the tests' servers give no parts of files."""
    return f"data:audio/wav;base64,{base64.b64encode(wav(seconds)).decode()}"
