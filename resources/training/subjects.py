"""The pictures of the held-out things: six small PNG files each, for demonstrations and tests."""
import random

from . import pictures
from .things import Glyphs, held_out_things
from PIL import Image

GROUNDS = ("white", "grass", "turquoise", "beach", "orange", "gray")


def subject_scenes(thing):
    """What the thing's pictures show: it alone, turned, scaled and moved, on each of GROUNDS."""
    rng, scenes = random.Random(thing.name), []
    for number, ground in enumerate(GROUNDS, 1):
        turn = 0.0 if number == 1 else rng.uniform(-18, 18)
        item = pictures.Item(thing, pictures.near(rng, "middle", 8), rng.randint(66, 100), angle=turn)
        scenes.append(pictures.Scene((item,), ground, False, seed=number))
    return scenes


def write_subjects(folder):
    """Writes folder/NAME/1.png to 6.png for every held-out thing."""
    glyphs = Glyphs()
    for thing in held_out_things():
        target = folder / thing.name.replace(" ", "-")
        target.mkdir(parents=True, exist_ok=True)
        for number, scene in enumerate(subject_scenes(thing), 1):
            Image.fromarray(pictures.paint(scene, glyphs)).save(target / f"{number}.png",
                                                                optimize=True)
