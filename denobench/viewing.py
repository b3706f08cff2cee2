"""The viewer, of a run or of any images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from denobench.cache import cache_folder
from denobench.errors import DenobenchError
from denobench.files import safe_name, write_text


@dataclass(frozen=True)
class View:
    """A page with the viewer; a notebook shows it inline.

    Attributes
    ----------
    path
        Where it lies.
    """

    path: Path

    def open(self) -> bool:
        """Open the page in the browser, and return whether one was found."""
        import webbrowser

        return webbrowser.open(self.path.resolve().as_uri())

    def _repr_html_(self) -> str:
        from html import escape

        page = escape(self.path.read_text("utf-8"))
        return (
            f'<iframe srcdoc="{page}" width="100%" height="800" style="border:0" '
            'sandbox="allow-scripts allow-downloads allow-modals" allowfullscreen></iframe>'
        )


def view(
    *targets: str | Path,
    reference: str | Path | None = None,
    noisy: str | Path | None = None,
    out: str | Path | None = None,
) -> View:
    """Return the viewer of a run, or of any images or volumes.

    Parameters
    ----------
    *targets
        The folder of one run, whose report is shown (a page of its own, in the cache, if the
        report may not hold the images' pictures); or files of one shape, of any format that
        is read here. Volumes are shown slice by slice.
    reference
        The file that the others are held against; the first target if left out.
    noisy
        The file that residuals are taken from.
    out
        Where the page of files goes; into the cache if left out.

    Raises
    ------
    DenobenchError
        If the folder holds no report, a file cannot be read, or shapes differ.

    Examples
    --------
    >>> view("results/quick")  # doctest: +SKIP
    >>> view("tv.png", "bm3d.png", reference="clean.png")  # doctest: +SKIP
    """
    paths = [Path(target) for target in targets]
    if not paths:
        raise DenobenchError("Nothing to view: give the folder of a run, or images.")
    if paths[0].is_dir():
        if len(paths) > 1 or reference or noisy or out:
            raise DenobenchError(
                f"{paths[0]} is a folder: a run is viewed alone, as its report is. For several "
                "runs use `denobench report RUN RUN --out FOLDER`, and view FOLDER/report.html."
            )
        return _run(paths[0])
    from denobench.report.page.look import render_files

    html = render_files(
        paths, Path(reference) if reference else None, Path(noisy) if noisy else None
    )
    return _written(html, Path(out) if out else _cached(paths[0].stem))


def _run(path: Path) -> View:
    """Return the report of a run, or a page of its own where the report may not hold pictures."""
    from denobench.rows import RunFolder

    page = View(path / "report.html")
    if not page.path.is_file():
        folder = RunFolder.open(path).path
        raise DenobenchError(f"{folder} has no report yet: `denobench report {folder}` writes it.")
    if not (path / "manifest.json").is_file():
        return page  # of several runs
    run = RunFolder.open(path)
    about = run.manifest()
    if about.share or not about.gallery:
        return page
    from denobench.report.page.look import render_run

    return _written(render_run(run), _cached(f"{path.resolve()}"))


def _cached(name: str) -> Path:
    return cache_folder() / "views" / f"{safe_name(name)}.html"


def _written(html: str, target: Path) -> View:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, html)
    except OSError as error:
        raise DenobenchError(f"{target}: cannot be written ({error.strerror}).") from None
    return View(target)
