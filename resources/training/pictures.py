"""Scenes, their pictures and their captions.

A Scene says what stands where; `paint` turns it into a 128x128 picture and `caption` into English.
The rules a caption promises:

    nothing said     60 to 104 pixels large (longer side), within 10 pixels of the middle
    small, big       34 to 52, 108 to 124 pixels
    on the left ...  in the middle of that half, at most 60 pixels large
    A and B          side by side, 48 to 62 pixels large; with sides said, A and B stand there
    two, three       copies side by side, or two below and one above
    on a COLOUR ...  one of COLOURS, exactly; nothing said: white half of the time, else anything

A tenth of the combinations of thing, colour and place never occurs in training (`left_out`), to see
whether words combine.
"""
import random
import zlib
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

SIZE = 128
COLOURS = {
    "red": (220, 60, 60), "blue": (70, 110, 220), "green": (80, 180, 90), "yellow": (250, 215, 80),
    "white": (255, 255, 255), "black": (20, 20, 20), "orange": (245, 150, 50),
    "purple": (150, 80, 200), "pink": (250, 170, 200), "gray": (150, 150, 150),
    "brown": (140, 95, 60), "turquoise": (80, 205, 215),
}
SCENES = {"grass": "on the grass", "night": "at night", "beach": "on the beach",
          "snow": "in the snow"}
CENTRES = {"middle": (64, 64), "left": (34, 64), "right": (94, 64), "top": (64, 34),
           "bottom": (64, 94)}
PLACES = {"left": "on the left", "right": "on the right", "top": "at the top",
          "bottom": "at the bottom"}
OPPOSITE = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
SIZES = {"small": (34, 52), "big": (108, 124), "": (60, 104)}
PLURALS = {"grapes", "cherries", "scissors", "jeans", "socks"}  # names that are plural already
MASS = {"sheep", "fish", "bread", "milk", "coffee", "fire", "cheese"}
PLACEHOLDERS = ["sks", "zwx", "ohwx", "qjv", "vkx", "xyq", "wzk", "jqf", "pzx", "kwq"]


@dataclass(frozen=True)
class Item:
    """One thing in a picture: its centre, longer side and direction."""
    thing: object
    centre: tuple
    length: int
    place: str = "middle"
    mirrored: bool = False
    angle: float = 0.0


@dataclass(frozen=True)
class Scene:
    """A picture before it is painted; `size` and `count` are what the caption may say of it."""
    items: tuple
    ground: str  # a colour or a scene
    said: bool  # whether the caption names the background
    size: str = ""
    count: int = 1
    relation: str = ""
    seed: int = 0


def left_out(name, colour, place):
    """Whether the combination belongs to the tenth that training never sees."""
    return zlib.crc32(f"{name}/{colour}/{place}".encode()) % 10 == 0


def allowed(scene):
    if scene.ground not in COLOURS:
        return True
    return not any(left_out(item.thing.name, scene.ground, item.place) for item in scene.items)


def near(rng, place, spread):
    """Returns a point at most `spread` pixels from the middle of `place`."""
    x, y = CENTRES[place]
    return (x + rng.randint(-spread, spread), y + rng.randint(-spread, spread))


def random_ground(rng):
    """Returns (background, whether the caption says so)."""
    draw = rng.random()
    if draw < 0.66:
        return rng.choice(list(COLOURS)), True
    if draw < 0.78:
        return rng.choice(list(SCENES)), True
    if draw < 0.89:
        return "white", False
    return rng.choice(list(COLOURS) + list(SCENES)), False


def one_thing(rng, thing, ground, said):
    draw = rng.random()
    size = rng.choice(["small", "big"]) if draw < 0.22 else ""
    place = rng.choice(list(PLACES)) if size != "big" and rng.random() < 0.22 else "middle"
    low, high = (46, 60) if place != "middle" and not size else SIZES[size]
    centre = near(rng, place, 5 if place != "middle" else 2 if size == "big" else 10)
    return Scene((Item(thing, centre, rng.randint(low, high), place),), ground, said, size)


def two_things(rng, first, second, ground, said):
    relation = rng.choices(["sides", "and", "beside", "above"], [5, 2, 2, 1])[0]
    place = "top" if relation == "above" else rng.choice(["left", "right"])
    items = tuple(Item(thing, near(rng, where, 5), rng.randint(48, 62), where)
                  for thing, where in ((first, place), (second, OPPOSITE[place])))
    return Scene(items, ground, said, relation=relation)


def several(rng, thing, ground, said):
    count = rng.choice([2, 3])
    spots = [(34, 64), (94, 64)] if count == 2 else [(34, 92), (94, 92), (64, 36)]
    places = ["left", "right", "top"]
    length = rng.randint(44, 56)
    items = tuple(Item(thing, (x + rng.randint(-4, 4), y + rng.randint(-4, 4)), length, place)
                  for (x, y), place in zip(spots, places))
    return Scene(items, ground, said, count=count)


def random_scene(rng, things):
    """Draws one allowed scene with things from the list."""
    while True:
        ground, said = random_ground(rng)
        draw = rng.random()
        thing = rng.choice(things)
        if draw < 0.56 or (draw > 0.96 and thing.name in PLURALS):
            scene = one_thing(rng, thing, ground, said)
        elif draw < 0.96:
            scene = two_things(rng, *rng.sample(things, 2), ground, said)
        else:
            scene = several(rng, thing, ground, said)
        if allowed(scene):
            return replace(scene, seed=rng.randrange(1 << 30))


def article(words, name):
    """Returns the words with 'a' or 'an' where the name takes one."""
    if name in PLURALS:
        return words
    vowel = words[0] in "aeio" or words.startswith("um")
    return ("an " if vowel else "a ") + words


def plural(name):
    if name in MASS:
        return name
    if name.endswith(("s", "sh", "ch", "x", "o")):
        return name + "es"
    if name.endswith("y") and name[-2] not in "aeiou":
        return name[:-1] + "ies"
    return name + "s"


def noun(rng, thing):
    """Returns the thing's name, or now and then its class word."""
    return thing.word if rng.random() < 0.08 else thing.name


def caption(rng, scene):
    """Puts the scene into words; other words each time, always true."""
    first = scene.items[0]
    if scene.relation:
        text = _two_words(rng, scene)
    elif scene.count > 1:
        text = {2: "two ", 3: "three "}[scene.count] + plural(first.thing.name)
    else:
        name = noun(rng, first.thing)
        text = article(f"{scene.size} {name}" if scene.size else name, name)
        text += " " + PLACES[first.place] if first.place != "middle" else ""
    prefix = rng.choices(["", "a photo of ", "a picture of "], [55, 35, 10])[0]
    return prefix + text + _ground_words(rng, scene)


def _two_words(rng, scene):
    a, b = (article(name, name) for name in (item.thing.name for item in scene.items))
    if scene.relation == "sides":
        return f"{a} {PLACES[scene.items[0].place]} and {b} {PLACES[scene.items[1].place]}"
    if scene.relation == "above":
        return f"{a} above {b}"
    if scene.relation == "beside":
        return f"{a} {rng.choice(['sitting beside', 'beside', 'next to'])} {b}"
    return f"{a} and {b}"


def _ground_words(rng, scene):
    if not scene.said:
        return ""
    if scene.ground in SCENES:
        return " " + SCENES[scene.ground]
    colour = scene.ground
    forms = [f"on {article(colour, '')} background", f"with {article(colour, '')} background",
             f"in front of {article(colour, '')} wall"]
    return " " + rng.choices(forms, [80, 10, 10])[0]


def paint_ground(ground, seed=0):
    """Returns the background as 128x128x3 uint8."""
    if ground in COLOURS:
        return np.full((SIZE, SIZE, 3), COLOURS[ground], np.uint8)
    rng = np.random.default_rng(seed)
    rows = np.linspace(0, 1, SIZE)[:, None]
    above, below, horizon, lower = {
        "grass": ((120, 190, 250), (200, 230, 255), 78, (90, 170, 70)),
        "night": ((12, 18, 52), (40, 50, 110), 128, (0, 0, 0)),
        "beach": ((120, 200, 250), (190, 230, 250), 56, (40, 130, 200)),
        "snow": ((160, 185, 215), (215, 228, 240), 74, (244, 247, 252)),
    }[ground]
    picture = np.repeat((np.array(above) * (1 - rows) + np.array(below) * rows)[:, None], SIZE, 1)
    horizon += int(rng.integers(-4, 5))
    picture[horizon:] = lower
    if ground == "beach":
        picture[80:] = (238, 214, 160)
    if ground == "night":
        for x, y in rng.integers(2, SIZE - 2, (14, 2)):
            picture[y:y + 2, x:x + 2] = (250, 245, 200)
    return picture.astype(np.uint8)


def paint(scene, glyphs):
    """Returns the scene as 128x128x3 uint8."""
    picture = paint_ground(scene.ground, scene.seed)
    for item in scene.items:
        place_glyph(picture, glyphs.get(item.thing.text), item)
    return picture


def place_glyph(picture, glyph, item):
    """Lays the glyph over the picture in place: out = glyph + (1 - alpha) picture."""
    if item.mirrored:
        glyph = glyph.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if item.angle:
        glyph = glyph.rotate(item.angle, Image.Resampling.BICUBIC, expand=True)
    scale = item.length / max(glyph.size)
    width, height = (max(1, round(side * scale)) for side in glyph.size)
    layer = np.asarray(glyph.resize((width, height), Image.Resampling.BOX if scale < 0.5 else
                                    Image.Resampling.BICUBIC), np.float32)
    x, y = round(item.centre[0] - width / 2), round(item.centre[1] - height / 2)
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + width, SIZE), min(y + height, SIZE)
    part = layer[top - y:bottom - y, left - x:right - x]
    under = picture[top:bottom, left:right]
    over = part[..., :3] + under * (1 - part[..., 3:] / 255)
    picture[top:bottom, left:right] = np.clip(over + 0.5, 0, 255).astype(np.uint8)


def any_scene(rng, texts):
    """A scene for the autoencoder: one to three emoji anywhere, turned, on any background."""
    items = tuple(Item(rng.choice(texts), (rng.randint(24, 104), rng.randint(24, 104)),
                       rng.randint(40, 116), mirrored=rng.random() < 0.5,
                       angle=rng.choice([0.0, 0.0, rng.uniform(-40, 40)]))
                  for _ in range(rng.choice([1, 1, 1, 2, 3])))
    return Scene(items, rng.choice(list(COLOURS) + list(SCENES)), False, seed=rng.randrange(1 << 30))
