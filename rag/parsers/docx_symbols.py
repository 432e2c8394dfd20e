"""Characters of the symbol fonts as Unicode: a file names them by font and place (Wingdings F0FE), their own
letters would say something else. Boxes to be ticked are all read as ☒ and ☐, whatever sign ticks them."""

from __future__ import annotations

TICKED, UNTICKED = "☒", "☐"
_EMPTY = "\0"  # a place of the font that is part of a larger sign
_SYMBOL = (
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_\0"
    + "αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼".ljust(63, _EMPTY)
    + "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…|―↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨"
    + "⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪\0〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭"
)
_WINGDINGS = {
    0x22: "✂", 0x28: "☎", 0x2A: "✉", 0x4A: "☺", 0x4C: "☹", 0x6C: "●", 0x6E: "■", 0x6F: UNTICKED,
    0x70: UNTICKED, 0x71: UNTICKED, 0x72: UNTICKED, 0x75: "◆", 0x76: "❖", 0x78: TICKED, 0x9E: "·", 0x9F: "•",
    0xA1: "○", 0xA7: "▪", 0xA8: UNTICKED, 0xAB: "★", 0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓",
    0xE8: "➔", 0xEF: "⇦", 0xF0: "⇨", 0xF1: "⇧", 0xF2: "⇩", 0xF3: "⇔", 0xFB: "✘", 0xFC: "✔", 0xFD: TICKED,
    0xFE: TICKED, **{0x80 + n: sign for n, sign in enumerate("⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿")},
}  # fmt: skip
_FONTS = {
    "wingdings": _WINGDINGS,
    "wingdings 2": {
        0x2A: UNTICKED, 0x4F: "✘", 0x50: "✔", 0x51: TICKED, 0x52: TICKED, 0x53: TICKED, 0x54: TICKED,
        0x56: TICKED, 0x97: "●", 0x98: "●", 0xA2: "■", 0xA3: UNTICKED,
    },
    "wingdings 3": {0x21: "→", 0x66: "←", 0x67: "→", 0x68: "↑", 0x69: "↓", 0x7D: "▶", 0x84: "▷"},
    "webdings": {0x61: "✔", 0x63: UNTICKED, 0x67: "■", 0x72: "✘", 0x3D: "●", 0x6E: "●"},
    "marlett": {0x61: "✔", 0x62: "✔"},
}  # fmt: skip


def symbol(font: str, code: int) -> str:
    """What a character of a font shows: `code` 0x20 to 0xFF, or with 0xF000 added as files have it. "" for
    signs of a symbol font that are not known, the character itself for other fonts."""
    place = code - 0xF000 if 0xF000 <= code <= 0xF0FF else code
    name = font.strip().casefold()
    if name in _FONTS:
        return _FONTS[name].get(place, "")
    if name == "symbol" or code != place:  # files leave the name of this font out
        found = _SYMBOL[place - 0x20] if 0x20 <= place < 0x20 + len(_SYMBOL) else ""
        return found.strip(_EMPTY)
    return chr(code) if 0x20 <= code < 0x110000 else ""


def is_symbol_font(font: str) -> bool:
    """Whether letters typed in this font show signs."""
    return font.strip().casefold() in _FONTS or font.strip().casefold() == "symbol"
