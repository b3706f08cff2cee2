"""LaTeX: that pdfLaTeX compiles it, and sets strangers' text as it is written."""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest

from denobench.report.data.table import Column, Field, Section, Table
from denobench.report.tables.latex import to_latex
from denobench.report.tables.letters import latex_escape, unsettable

NAMES = (
    "λ-TV (ε = 0.1)", "μ", "Łukasz", "ß", "小波去噪", "非局部均值", "非局部均勻", "Шум", "Шумъ",
    "ąęįų ĄĘ", "șț ȘȚ", "đĐ ðÐ þÞ ħĦ ŧŦ ŋ ə", "ếệ ở ặ ỹ", "Ωmega ΑΒΓΔ ά ώ ϊ ΐ ς ϑ", "½ ² ₃ x⁻¹",
    "a--b", "a–b", "a—b", "«x» ‹y› „z“ “w” ‘v’", "∑ ∏ ∫ ∂ ∇ ∞ ≤ ≥ ≠ ± × ÷ → ⇒ ∈ ∀ ★ ▼ †", "𝛌 ﬁ Ａ",
    "™ ® © € £ ¥ ‰ § ¶ ¿ ¡", "😀", r"50 % of \alpha & $x_1^2$ #3 {~} ^", "`a' ''b''", "[x]*",
    "नमस्ते", "نویز", "ﬀ ĳ ŀ ŉ ſ ℓ ℝ ℵ", "a\u00a0b\u2009c\u200bd", "\\input{x}", "%", "^^M",
)  # fmt: skip


def compiled(folder: Path, *texts: str) -> str:
    """Compile tables with booktabs and graphicx alone, and return the log."""
    document = "\n".join(
        [
            r"\documentclass{article}",
            r"\usepackage{booktabs,graphicx}",
            r"\begin{document}",
            r"\listoftables",
            *texts,
            r"\end{document}",
        ]
    )
    (folder / "all.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    for _ in range(2):  # the second reads the list of tables that the first has written
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "all.pdf").stat().st_size > 10_000
    return done.stdout


def named(names: tuple[str, ...]) -> Table:
    """Return a table of names, the worst of them everywhere a name can stand."""
    worst = "; ".join(names)
    rows = tuple((Field(name, marks="▼†≈*"), Field("∞", rank=2), Field(name)) for name in names)
    return Table(
        name="worst", title=worst[:90], caption=worst,
        columns=(Column("A & B", kind="text"), Column("%"), Column("_", "λ 小", kind="prose")),
        sections=(Section("σ × 2, ą", rows),), notes=("† why", "[starts with a bracket]"),
    )  # fmt: skip


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles(tables: dict[str, Table], tmp_path: Path) -> None:
    """All tables, and names of the worst kind, compile and fit."""
    names = [NAMES[start : start + 8] for start in range(0, len(NAMES), 8)]
    log = compiled(tmp_path, *map(to_latex, (*tables.values(), *map(named, names))))
    assert "Overfull" not in log
    assert "Missing character" not in log


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b & 50 %", r"a\_b \& 50 \%"),
        (r"\x{y}", r"\textbackslash{}x\{y\}"),
        ("σ ≥ 3", r"$\sigma$ $\geq$ 3"),
        ("déjà", r"d\'{e}j\`{a}"),
        ("[a]", "{[}a]"),
        ("ﬁne", "fine"),
        ("λ-TV (ε = 0.1)", r"$\lambda$-TV ($\varepsilon$ = 0.1)"),
        ("Łukasz, ß, °", r"\L{}ukasz, \ss{}, $^{\circ}$"),
        ("10⁻³ x₂ ½", r"10$^{-}$$^{\mathrm{3}}$ x$_{\mathrm{2}}$ $\frac{1}{2}$"),
        ("a--b – c", "a-{}-b -- c"),
        ("Ωmega ά", r"$\Omega$mega $\acute{\alpha}$"),
        ("e\u0301", r"\'{e}"),
        ("小波去噪", "XiaoBoQuZao"),
    ],
)
def test_latex_escapes(text: str, expected: str) -> None:
    """Special letters are escaped, known ones set, those of other scripts transliterated."""
    assert latex_escape(text) == expected


def test_every_letter_of_europe_and_greece_is_set() -> None:
    """No Latin letter with marks in use, and none of Greek, is transliterated or lost."""
    latin = [
        chr(code) for code in (*range(0xC0, 0x180), *range(0x1E00, 0x1EFA), *range(0x218, 0x21C))
    ]
    greek = [chr(code) for code in range(0x386, 0x3CF) if unicodedata.name(chr(code), "")]
    odd = {letter for letter in [*latin, *greek] if unsettable(letter)}
    assert odd <= {*"ĸŊẚẛẜẝẟ"}
    found = [latex_escape(letter) for letter in [*latin, *greek] if letter not in odd]
    assert all(text.isascii() and "?" not in text.replace("tiny ?", "") for text in found)


def test_what_cannot_be_set_is_said_once_and_stays_different() -> None:
    """A transliteration has a comment and one footnote; two titles never become one."""
    titles = ("小波", "小泊", "XiaoBo", "“x”", '"x"')
    table = Table(
        "t", "T", "C", (Column("Method", kind="text"),),
        (Section("", tuple((Field(title),) for title in titles)),),
    )  # fmt: skip
    text = to_latex(table)
    rows = re.findall(r"^(.*) \\\\$", text.partition("midrule")[2], re.MULTILINE)
    assert len({*rows}) == len(titles)
    assert text.count("no such letters") == 1
    assert "% Transliterated: 小波 as XiaoBo" in text
    plain = to_latex(Table("t", "T", "C", table.columns, (Section("", ((Field("λ"),),)),)))
    assert "Transliterated" not in plain
