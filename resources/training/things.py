"""What the model knows: resources/things.tsv, and the pictures behind it.

things.tsv has one row per thing: name, class word, code points (upper-case hexadecimal, one blank
between), and `train` or `held-out`.  The pictures are the colour bitmaps of Noto Color Emoji
(Debian's fonts-noto-color-emoji, 136x128 pixels each), the names of all other emoji come from the
Unicode CLDR (unicode-cldr-core).  A glyph is a Pillow picture in mode RGBa (colours multiplied by
alpha, so that it can be scaled without a dark rim), cropped to its visible part.
"""
import csv
import unicodedata
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

RESOURCES = Path(__file__).resolve().parent.parent
THINGS = RESOURCES / "things.tsv"
FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
ANNOTATIONS = Path("/usr/share/unicode/cldr/common/annotations/en.xml")
STRIKE = 109  # the only bitmap size in the font, in points
LEFT_OUT_WORDS = ("flag", "button", "sign", "keycap", "face", "arrow", "symbol", "skin tone", "clock")


@dataclass(frozen=True)
class Thing:
    """One row of things.tsv; `text` is the emoji itself."""
    name: str
    word: str
    text: str
    held_out: bool


def read_things():
    """Returns all things of things.tsv in the file's order."""
    with open(THINGS, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    return [Thing(name, word, "".join(chr(int(code, 16)) for code in codes.split(" ")),
                  split == "held-out") for name, word, codes, split in rows]


def training_things():
    return [thing for thing in read_things() if not thing.held_out]


def held_out_things():
    return [thing for thing in read_things() if thing.held_out]


def other_emoji():
    """Returns the emoji, about a thousand, whose pictures train the autoencoder only.

    Letters, flags and signs are left out by their CLDR name, faces too (they are near-doubles), and
    so are the held-out things.
    """
    held_out = {thing.text for thing in held_out_things()}
    found = []
    for annotation in ElementTree.parse(ANNOTATIONS).iter("annotation"):
        text = annotation.get("cp")
        if annotation.get("type") != "tts" or text.rstrip("\ufe0f") in held_out:
            continue
        pictorial = any(unicodedata.category(letter) == "So" for letter in text)
        if pictorial and not any(word in annotation.text for word in LEFT_OUT_WORDS):
            found.append(text)
    return found


class Glyphs:
    """Draws emoji from the font's bitmaps and remembers them."""

    def __init__(self):
        self.font = ImageFont.truetype(str(FONT), STRIKE)
        self.pictures = {}

    def get(self, text):
        """Returns the glyph of `text` as an RGBa picture, or None where the font has none."""
        if text not in self.pictures:
            self.pictures[text] = self._draw(text)
        return self.pictures[text]

    def _draw(self, text):
        picture = Image.new("RGBA", (160, 160))
        ImageDraw.Draw(picture).text((8, 8), text, font=self.font, embedded_color=True)
        box = picture.getchannel("A").getbbox()
        if box is None or box[2] - box[0] > 140:  # nothing, or several glyphs side by side
            return None
        return picture.crop(box).convert("RGBa")
