"""Unicode as pdfLaTeX sets it, with no package and in any font encoding."""

from __future__ import annotations

import unicodedata

from anyascii import anyascii

_ASCII = {
    **{letter: "\\" + letter for letter in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # else an option of the line break before it
}

_TEXT = {
    "\u00a0": "~",
    "\u00ad": r"\-",
    "ʼ": "'",
    **dict.fromkeys("\u200b\u200c\u200d\ufe0e\ufe0f", ""),
    **dict.fromkeys("\u2000\u2001\u2002\u2003\u2004\u2005\u2007\u2008\u3000", r"\ "),
    **dict.fromkeys("\u2006\u2009\u200a\u202f", r"\,"),
    "–": "--",
    "—": "---",
    "‐": "-",
    "‑": r"\mbox{-}",
    "‒": "--",
    "―": "---",
    "‘": "`",
    "’": "'",
    "‚": ",",
    "“": "``",
    "”": "''",
    "„": ",,",
    "′": "$'$",
    "″": "$''$",
    "…": r"\ldots{}",
    "•": r"\textbullet{}",
    "†": r"\dag{}",
    "‡": r"\ddag{}",
    "§": r"\S{}",
    "¶": r"\P{}",
    "©": r"\copyright{}",
    "®": r"\textregistered{}",
    "™": r"\texttrademark{}",
    "£": r"\pounds{}",
    "¡": r"\textexclamdown{}",
    "¿": r"\textquestiondown{}",
    "€": r"\texteuro{}",
    "¥": r"\textyen{}",
    "¢": r"\textcent{}",
    "‰": r"\textperthousand{}",
    "ª": r"\textordfeminine{}",
    "º": r"\textordmasculine{}",
    "¦": r"\textbrokenbar{}",
    "ß": r"\ss{}",
    "ẞ": r"SS",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
    "ȷ": r"\j{}",
    # Letters that only some encodings have are put together.
    "đ": r"{\leavevmode\rlap{\kern.22em\raise.62ex\hbox{-}}d}",
    "Đ": r"{\leavevmode\rlap{\kern.02em\raise.28ex\hbox{-}}D}",
    "Ð": r"{\leavevmode\rlap{\kern.02em\raise.28ex\hbox{-}}D}",
    "ħ": r"{\leavevmode\rlap{\kern.02em\raise.62ex\hbox{-}}h}",
    "Ħ": r"{\leavevmode\rlap{\kern.2em\raise.62ex\hbox{-}}H}",
    "ŧ": r"{\leavevmode\rlap{\kern.04em\raise-.2ex\hbox{-}}t}",
    "Ŧ": r"{\leavevmode\rlap{\kern.19em\raise.1ex\hbox{-}}T}",
    "ð": r"{\leavevmode\rlap{\kern.13em\raise.72ex\hbox{-}}$\partial$}",
    "þ": r"{\leavevmode\rlap{p}b}",
    "Þ": r"{\leavevmode I\kern-.17em\raise.3ex\hbox{\scriptsize D}}",
    "ŋ": r"$\eta$",
    "ə": r"\rotatebox[origin=c]{180}{e}",
    "ƒ": "$f$",
}

_MATHS = {
    "±": r"\pm",
    "∓": r"\mp",
    "×": r"\times",
    "÷": r"\div",
    "·": r"\cdot",
    "⋅": r"\cdot",
    "−": "-",
    "∕": "/",
    "∗": r"\ast",
    "∘": r"\circ",
    "∙": r"\bullet",
    "√": r"\surd",
    "∞": r"\infty",
    "≤": r"\leq",
    "≥": r"\geq",
    "≠": r"\neq",
    "≈": r"\approx",
    "≃": r"\simeq",
    "≡": r"\equiv",
    "∼": r"\sim",
    "∝": r"\propto",
    "≪": r"\ll",
    "≫": r"\gg",
    "≅": r"\cong",
    "«": r"\ll",
    "»": r"\gg",
    "‹": "<",
    "›": ">",
    "∂": r"\partial",
    "∇": r"\nabla",
    "∫": r"\int",
    "∑": r"\textstyle\sum",
    "∏": r"\textstyle\prod",
    "∆": r"\Delta",
    "∈": r"\in",
    "∉": r"\notin",
    "∋": r"\ni",
    "⊂": r"\subset",
    "⊃": r"\supset",
    "⊆": r"\subseteq",
    "⊇": r"\supseteq",
    "∪": r"\cup",
    "∩": r"\cap",
    "∅": r"\emptyset",
    "∀": r"\forall",
    "∃": r"\exists",
    "¬": r"\neg",
    "∧": r"\wedge",
    "∨": r"\vee",
    "⊕": r"\oplus",
    "⊗": r"\otimes",
    "⊙": r"\odot",
    "⊥": r"\perp",
    "∥": r"\parallel",
    "‖": r"\|",
    "∣": r"\mid",
    "∠": r"\angle",
    "→": r"\rightarrow",
    "←": r"\leftarrow",
    "↔": r"\leftrightarrow",
    "↑": r"\uparrow",
    "↓": r"\downarrow",
    "⇒": r"\Rightarrow",
    "⇐": r"\Leftarrow",
    "⇔": r"\Leftrightarrow",
    "↦": r"\mapsto",
    "⟨": r"\langle",
    "⟩": r"\rangle",
    "⌈": r"\lceil",
    "⌉": r"\rceil",
    "⌊": r"\lfloor",
    "⌋": r"\rfloor",
    "ℓ": r"\ell",
    "ℏ": r"\hbar",
    "℘": r"\wp",
    "ℵ": r"\aleph",
    "°": r"^{\circ}",
    "★": r"\star",
    "☆": r"\star",
    "⋆": r"\star",
    "◦": r"\circ",
    "▼": r"\bigtriangledown",
    "▽": r"\bigtriangledown",
    "▲": r"\bigtriangleup",
    "△": r"\bigtriangleup",
    "◇": r"\diamond",
    "◆": r"\diamond",
    "○": r"\bigcirc",
    "♠": r"\spadesuit",
    "♥": r"\heartsuit",
    "♦": r"\diamondsuit",
    "♣": r"\clubsuit",
    "♭": r"\flat",
    "♯": r"\sharp",
    "♮": r"\natural",
    "⋯": r"\cdots",
    "⋮": r"\vdots",
    "ϑ": r"\vartheta",
    "ϕ": r"\phi",
    "ϖ": r"\varpi",
    "ϱ": r"\varrho",
    "ϵ": r"\epsilon",
    "ϰ": r"\kappa",
    "ς": r"\varsigma",
    "ε": r"\varepsilon",
    "φ": r"\varphi",
    "µ": r"\mu",
    "ɛ": r"\varepsilon",
    "ɸ": r"\phi",
    "ɑ": r"\alpha",
    "ɣ": r"\gamma",
}

_ABOVE = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u"}
_ABOVE |= {"\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v"}
_BELOW = {"\u0323": "d", "\u0327": "c", "\u0331": "b"}
_OVER_MATHS = {"\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde"}
_OVER_MATHS |= {"\u0304": "bar", "\u0306": "breve", "\u0307": "dot", "\u0308": "ddot"}
_OVER_MATHS |= {"\u030a": "mathring", "\u030c": "check", "\u0309": "acute", "\u0342": "tilde"}

# Marks that Latin letters' own commands do not know, by what is drawn under a letter.
_DOTLESS = {"i": r"\imath", "j": r"\jmath"}
_OGONEK, _COMMA, _HOOK, _HORN = "\u0328", "\u0326", "\u0309", "\u031b"
_UNDER = {
    _OGONEK: r"\reflectbox{\c{\ }}",
    _COMMA: r"\raise-.8ex\hbox{\tiny ,}",
    _HOOK: r"\raise1.35ex\hbox{\tiny ?}",
    "\u0324": r"\raise-2.1ex\hbox{\"{}}",
    "\u0325": r"\raise-2.3ex\hbox{\r{}}",
    "\u032d": r"\raise-2.1ex\hbox{\^{}}",
    "\u032e": r"\raise-2.1ex\hbox{\u{}}",
    "\u0330": r"\raise-2.1ex\hbox{\~{}}",
    _HORN: r"\kern.9em\raise.9ex\hbox{\tiny '}",
}


def latex_escape(text: str) -> str:
    """Return text for LaTeX, set as it is written.

    Latin letters with any marks, Greek, signs and simple mathematics are put together from what
    every pdfLaTeX has; letters of other scripts are transliterated, see `unsettable`.
    """
    found = ""
    for piece in map(_cluster, _clusters(text)):
        # Two hyphens side by side would make a dash.
        found += "{}" * (found.endswith("-") and piece.startswith("-")) + piece
    return found


def unsettable(text: str) -> bool:
    """Return whether text has letters that pdfLaTeX's own fonts lack."""
    return any(_known(found) is None for found in _clusters(text))


def _clusters(text: str) -> list[str]:
    """Return letters, each with the marks that belong to it."""
    found: list[str] = []
    for letter in unicodedata.normalize("NFC", text):
        if found and unicodedata.combining(letter):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _cluster(letters: str) -> str:
    known = _known(letters)
    if known is None:
        plain = anyascii(letters).strip() or f"[U+{ord(letters[0]):04X}]"
        return "".join(_ASCII.get(letter, letter) for letter in plain)
    return known


def _known(letters: str) -> str | None:
    """Return what sets a letter with its marks, or None where the fonts have no such thing."""
    if len(letters) == 1:
        if letters in _ASCII or letters in _TEXT:
            return _ASCII.get(letters) or _TEXT[letters]
        if letters in _MATHS:
            return f"${_MATHS[letters]}$"
        if letters.isascii():
            return letters
    base, *marks = list(unicodedata.normalize("NFD", letters))
    if marks:
        return _greek(base, marks) or _accented(base, marks)
    return _greek(base, []) or _compatible(letters)


def _accented(base: str, marks: list[str]) -> str | None:
    """Return a Latin letter with marks above, and below or through it."""
    if not (base.isascii() and base.isalpha()) and base not in _TEXT:
        return None
    above = [mark for mark in marks if mark in _ABOVE]
    below = [mark for mark in marks if mark in _BELOW]
    drawn = [mark for mark in marks if mark in _UNDER]
    if len(above) + len(below) + len(drawn) != len(marks):
        return None
    text = _ASCII.get(base) or _TEXT.get(base, base)
    if above:
        text = {"i": r"\i{}", "j": r"\j{}"}.get(base, text)
    if len(above) == 1:
        text = rf"\{_ABOVE[above[0]]}{{{text}}}"
    elif above:  # an accent over an accent is set by mathematics alone
        if not base.isalpha() or any(mark not in _OVER_MATHS for mark in above):
            return None
        text = rf"\mathrm{{{_DOTLESS.get(base, base)}}}"
        for mark in above:
            text = rf"\{_OVER_MATHS[mark]}{{{text}}}"
        text = f"${text}$"
    for mark in below:
        text = rf"\{_BELOW[mark]}{{{text}}}"
    for mark in drawn:
        centred = rf"\rlap{{\hbox to\wd0{{\hss{_UNDER[mark]}\hss}}}}"
        text = rf"{{\leavevmode\setbox0\hbox{{{text}}}{centred}\box0}}"
    return text


def _greek(base: str, marks: list[str]) -> str | None:
    """Return a Greek letter in mathematics, with its accents."""
    if base in _MATHS and unicodedata.name(base, "").startswith("GREEK"):
        text = _MATHS[base]
    else:
        kind, _, name = unicodedata.name(base, "").removeprefix("GREEK ").partition(" LETTER ")
        if kind not in ("SMALL", "CAPITAL") or not unicodedata.name(base).startswith("GREEK"):
            return None
        name = name.lower().replace("lamda", "lambda")
        latin = _LATIN_TWINS.get(base)
        if latin:
            text = rf"\mathrm{{{latin}}}" if kind == "CAPITAL" else latin
        elif name in _GREEK:
            text = "\\" + (name.capitalize() if kind == "CAPITAL" else name)
        else:
            return None
    for mark in marks:
        if mark in ("\u0313", "\u0314", "\u0345"):  # breathings: no letter in use needs them
            continue
        if mark not in _OVER_MATHS:
            return None
        text = rf"\{_OVER_MATHS[mark]}{{{text}}}"
    return f"${text}$"


_GREEK = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "pi",
    "rho",
    "sigma",
    "tau",
    "upsilon",
    "phi",
    "chi",
    "psi",
    "omega",
]
_LATIN_TWINS: dict[str, str] = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True))


def _compatible(letter: str) -> str | None:
    """Return a form of other letters: ligatures, full width, raised, lowered, fractions."""
    kind, _, points = unicodedata.decomposition(letter).rpartition(">")
    if not points:
        return None
    parts = "".join(chr(int(point, 16)) for point in points.split())
    if kind == "<fraction":
        above, _, below = parts.partition("\u2044")
        return rf"$\frac{{{above}}}{{{below}}}$"
    texts = [_known(part) for part in parts]
    if any(text is None for text in texts):
        return None
    text = "".join(filter(None, texts))
    if kind in ("<super", "<sub"):
        inside = text[1:-1] if text.startswith("$") else rf"\mathrm{{{text}}}"
        return f"${'^' if kind == '<super' else '_'}{{{inside}}}$"
    return text
