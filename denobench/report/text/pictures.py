"""What is said of the pictures in a report: of which images they are, and why of no more."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from denobench.printable import one_line
from denobench.report.data.summary import Summary
from denobench.report.text.captions import count, listing

_NAMED = 12  # images that a sentence names


def gallery_notes(
    summary: Summary, shown: Collection[str], left_out: Sequence[str], private: bool = False
) -> Iterator[str]:
    """Yield what a page says of its pictures.

    Parameters
    ----------
    summary
        The runs.
    shown
        Names of the images that there are pictures of.
    left_out
        Names of images, or of slices, that did not fit.
    private
        Whether the page stays on the machine that made it.
    """
    tested = summary.rows["image"].nunique()
    if shown:
        yield (
            f"Pictures of {len(shown)} of {count(tested, 'test image')}: {_named(sorted(shown))}."
            + (" gallery in the config says of which, and of how many." * (len(shown) < tested))
        )
    for run, manifest in summary.manifests.items():
        if not (manifest.share or private):
            yield (
                f"{one_line(run)}: the licence of the images of "
                f"{one_line(manifest.dataset.name) or 'the data set'} is not known, so their "
                "pictures stay on the machine that made them: this report can be passed on "
                "without them. There, `denobench view` with the run's folder shows them; "
                "`gallery: {share: true}` in the config (--set gallery.share=true) puts them in "
                "here."
            )
        elif not manifest.gallery:
            yield (
                f"{one_line(run)}: no pictures were kept, gallery is 0 in its config; "
                "`gallery: {images: 2, show: [worst, median]}` keeps some."
            )
    if private and not all(manifest.share for manifest in summary.manifests.values()):
        yield "The licence of these images is not known: keep this page on this machine."
    if left_out:
        yield (
            f"Left out, so that this file stays below 15 MB: {_named([*dict.fromkeys(left_out)])}. "
            "Fewer images in gallery, or a report of fewer methods, make room."
        )


def _named(names: Sequence[str]) -> str:
    """List names, the first of them where they are many."""
    more = len(names) - _NAMED
    listed = [*map(one_line, names[:_NAMED]), *([f"{more} more"] if more > 0 else [])]
    return listing(listed)
