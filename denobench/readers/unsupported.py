"""What a file seems to be that no reader knows, and what to do about it."""

from __future__ import annotations

_CONVERT = "convert it to NIfTI (.nii.gz)"
_PICTURE = "convert it to PNG or TIFF"

# Where the bytes stand, what they are, what the file is, and what to do.
_KNOWN: tuple[tuple[int, bytes, str, str], ...] = (
    (4, b"ftyphei", "a HEIC picture", _PICTURE),
    (4, b"ftypmif1", "a HEIC picture", _PICTURE),
    (4, b"ftypmsf1", "a HEIC picture", _PICTURE),
    (4, b"ftypavi", "an AVIF picture", _PICTURE),
    (4, b"ftypcrx", "a camera's raw file", _PICTURE),
    (4, b"ftyp", "a video", "take its frames out as PNG"),
    (0, b"\xff\x0a", "a JPEG XL picture", _PICTURE),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture", _PICTURE),
    (0, b"8BPS", "a Photoshop file", _PICTURE),
    (0, b"FUJIFILMCCD-RAW", "a camera's raw file", _PICTURE),
    (0, b"IIU\x00", "a camera's raw file", _PICTURE),
    (0, b"IIRO", "a camera's raw file", _PICTURE),
    (8, b"CR\x02", "a camera's raw file", _PICTURE),
    (0, b"MATLAB 5.0", "a MATLAB file", "save its arrays as .npy, or as NIfTI with niftiwrite"),
    (0, b"MATLAB 7.3", "a MATLAB 7.3 file", "save its arrays as .npy, or as NIfTI with niftiwrite"),
    (0, b"NRRD", "an NRRD volume", _CONVERT),
    (0, b"ObjectType", "a MetaImage header", _CONVERT),
    (0, b"NDims", "a MetaImage header", _CONVERT),
    (0, b"CDF\x01", "a NetCDF file without MINC's image", _CONVERT),
    (0, b"CDF\x02", "a NetCDF file without MINC's image", _CONVERT),
    (0, b"# vtk", "a VTK file", _CONVERT),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", "give arrays in it of two to four dimensions"),
    (0, b"\x93NUMPY", "a NumPy array", "give an array of two to four dimensions"),
    (0, b"PK\x03\x04", "a ZIP archive", "unpack it, and give the folder"),
    (0, b"7z\xbc\xaf", "a 7-Zip archive", "unpack it, and give the folder"),
    (0, b"Rar!", "a RAR archive", "unpack it, and give the folder"),
    (257, b"ustar", "a tar archive", "unpack it, and give the folder"),
    (0, b"\xfd7zXZ", "an XZ archive", "unpack it"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive", "unpack it"),
    (0, b"%PDF", "a PDF document", _PICTURE),
    (0, b"\x00\x05\x16\x07", "macOS's notes on another file", "delete it"),
    (0, b"RIFF", "a sound or a video", "take its frames out as PNG"),
    (0, b"\x1aE\xdf\xa3", "a video", "take its frames out as PNG"),
    (0, b"SQLite format 3", "a database", "leave it out"),
    (0, b"\x7fELF", "a program", "leave it out"),
)
CAMERAS = (".nef", ".arw", ".dng", ".orf", ".pef", ".srw", ".cr2", ".rw2")
# By name alone: raw files of cameras are TIFF, and data without their header are anything.
_NAMES = {
    CAMERAS: ("a camera's raw file", _PICTURE),
    (".raw", ".img", ".dat", ".bin"): (
        "values without a header, or with it in another file",
        _CONVERT,
    ),
    (".mha", ".mhd"): ("a MetaImage", _CONVERT),
    (".mgz", ".mgh"): ("a FreeSurfer volume that is damaged", "convert it again (mri_convert)"),
    (".nii", ".nii.gz"): ("a NIfTI volume that is truncated or damaged", "copy it again"),
    (".gz", ".bz2"): ("a packed file of something else", "unpack it, and see what it is"),
    (".dcm",): ("a DICOM file that is truncated or damaged", "copy it again"),
}


def pointer(head: bytes) -> str:
    """Return what is wrong where a file only stands for another one, else nothing."""
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer and not the file itself; run git lfs pull"
    if head.lstrip(b".").startswith((b"/annex/objects/", b"./.git/annex")) or (
        len(head) < 1000 and b"/annex/objects/" in head
    ):
        return "a git-annex pointer and not the file itself; run git annex get"
    start = head[:600].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page and not an image: the download went wrong (a login?); download it again"
    return ""


def advice(head: bytes, name: str) -> str:
    """Return what a file without a reader is, and what to do.

    Parameters
    ----------
    head
        Its first bytes.
    name
        Its name, lower case.
    """
    for start, magic, what, remedy in _KNOWN:
        if head[start:].startswith(magic):
            return f"not an image that can be read here: {what}; {remedy}"
    if name.removesuffix(".gz").removesuffix(".bz2").endswith(".gii"):
        return "not an image that can be read here: GIFTI, a surface; leave it out"
    if head.lstrip().startswith((b"<?xml", b"<svg")):
        return f"not an image that can be read here: XML or SVG; {_PICTURE}"
    for suffixes, (what, remedy) in _NAMES.items():
        if name.endswith(suffixes):
            return f"not an image that can be read here: {what}, it seems; {remedy}"
    if not head.strip(b"\0"):
        return "not an image: it holds zeros only (a copy that was broken off?); copy it again"
    if is_text(head):
        return "not an image: text"
    return (
        "not an image of a known format (Pillow's, NIfTI and what else nibabel reads, DICOM, .npy, "
        ".npz, HDF5)"
    )


def is_text(head: bytes) -> bool:
    """Tell whether a file's first bytes are text."""
    try:
        text = head[: len(head) - 3].decode("utf-8") if len(head) > 3 else head.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter.isspace() for letter in text)
