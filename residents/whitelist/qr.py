"""QR codes of gate codes."""

import base64
from io import BytesIO

import qrcode
from qrcode.image.svg import SvgPathImage


def picture(text: str) -> str:
    """Return a QR code of `text` as a data URL."""
    drawn = BytesIO()
    # Level Q: a quarter of it may be dirty or torn.
    code = qrcode.make(
        text, image_factory=SvgPathImage, error_correction=qrcode.ERROR_CORRECT_Q, border=2
    )
    code.save(drawn)
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.getvalue()).decode()}"
