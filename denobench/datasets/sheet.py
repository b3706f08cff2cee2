"""A picture of the images that show the same slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from denobench.datasets.audit import Audit, AuditedFile
from denobench.errors import DenobenchError
from denobench.files import replacing
from denobench.printable import printable

THUMBNAIL = 160  # pixels of a picture on a contact sheet
CAPTION = 18  # pixels above it
COLUMNS = 9  # pictures side by side


def contact_sheet(audit: Audit, path: Path) -> None:
    """Draw the clusters of more than one file or volume, side by side, into a picture.

    Raises
    ------
    DenobenchError
        If no file shows the slice of another, or the picture cannot be written.
    """
    places, height = _places(list(audit.alike.values()))
    items = {item.id: item for item in audit.dataset.items}
    if not places:
        raise DenobenchError(f"{audit.folder}: no two images show the same slice; nothing to draw.")
    sheet = Image.new("L", (COLUMNS * THUMBNAIL, height), 64)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(11)
    for file, left, top in places:
        pixels = np.round(items[file.id].read() * 255).astype(np.uint8)
        thumbnail = ImageOps.contain(Image.fromarray(pixels), (THUMBNAIL - 4, THUMBNAIL - 4))
        sheet.paste(thumbnail, (left, top + CAPTION))
        draw.text((left, top + 2), printable(file.id)[-26:], fill=255, font=font)
    try:
        with replacing(path) as temporary:
            sheet.save(temporary)
    except ValueError:
        raise DenobenchError(f"{path}: unknown suffix; use .png.") from None
    except OSError as error:
        raise DenobenchError(f"{path}: cannot be written ({error.strerror}).") from None


def _places(
    groups: list[tuple[AuditedFile, ...]],
) -> tuple[list[tuple[AuditedFile, int, int]], int]:
    """Return each file's left and top on the sheet, and the sheet's height, groups set apart."""
    places = []
    left = top = 0
    for files in groups:
        if left + len(files) * THUMBNAIL > COLUMNS * THUMBNAIL and left:
            left, top = 0, top + THUMBNAIL + CAPTION
        for file in files:
            if left + THUMBNAIL > COLUMNS * THUMBNAIL:
                left, top = 0, top + THUMBNAIL + CAPTION
            places.append((file, left, top))
            left += THUMBNAIL
        left += THUMBNAIL // 5
    return places, top + THUMBNAIL + CAPTION
