"""The tokenizer: CLIP's byte-level BPE with a vocabulary cut to the captions' words.

vocab.json holds the 256 byte symbols, the same with `</w>` (end of word), one result per merge and
the two special tokens, ids in this order.  Merges are learned from the words the captions can use
until every one of them is a single token, so every part of a merge is in the vocabulary.
Placeholder words (`sks`, ...) become single tokens too, though captions never use them.
"""
import json
import random
import shutil
from collections import Counter
from pathlib import Path

from transformers import CLIPTokenizer

from . import pictures
from .things import training_things

START, END = "<|startoftext|>", "<|endoftext|>"
LENGTH = 77
FILES = "vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json"
EXTRA = """this that my your one four five animal thing background wall picture photo of with
front sitting beside next to above""".split()


def byte_symbols():
    """Returns GPT-2's printable stand-ins for the 256 bytes, in CLIP's order."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = [byte for byte in range(256) if byte not in kept]
    return [chr(code) for code in kept] + [chr(256 + index) for index in range(len(moved))]


def caption_words():
    """Returns every word that a caption can hold."""
    rng, words = random.Random(0), Counter(EXTRA + pictures.PLACEHOLDERS)
    things = training_things()
    for thing in things:
        words.update(f"{thing.name} {thing.word} {pictures.plural(thing.name)}".split())
    for _ in range(20000):
        words.update(pictures.caption(rng, pictures.random_scene(rng, things)).split())
    return words


def learn_merges(words):
    """Returns the pairs to join, most frequent first, until every word is one token."""
    split = {word: [*word[:-1], word[-1] + "</w>"] for word in words}
    merges = []
    while True:
        pairs = Counter()
        for word, parts in split.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += words[word]
        if not pairs:
            return merges
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for word, parts in split.items():
            split[word] = joined(parts, best)


def joined(parts, pair):
    """Returns the parts with every occurrence of the pair joined."""
    result, index = [], 0
    while index < len(parts):
        if tuple(parts[index:index + 2]) == pair:
            result.append(parts[index] + parts[index + 1])
            index += 2
        else:
            result.append(parts[index])
            index += 1
    return result


def write_tokenizer(folder):
    """Writes the tokenizer's files, after checking them."""
    folder.mkdir(parents=True, exist_ok=True)
    words = caption_words()
    merges = learn_merges(words)
    symbols = byte_symbols()
    entries = symbols + [symbol + "</w>" for symbol in symbols]
    entries += [a + b for a, b in merges] + [START, END]
    entries = list(dict.fromkeys(entries))
    write_json(folder / "vocab.json", {entry: index for index, entry in enumerate(entries)})
    lines = ["#version: 0.2"] + [f"{a} {b}" for a, b in merges]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_json(folder / "special_tokens_map.json", {
        "bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END})
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH, "add_prefix_space": False,
        "bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END,
        "do_lower_case": True, "errors": "replace"})
    check(CLIPTokenizer.from_pretrained(folder), words)


def kept_tokenizer(folder):
    """Returns the tokenizer of the folder, made there if need be: ids stay what they were."""
    if not folder.exists():
        write_tokenizer(folder.with_name(folder.name + ".new"))
        folder.with_name(folder.name + ".new").rename(folder)
    return CLIPTokenizer.from_pretrained(folder)


def copy_tokenizer(tokenizer, folder):
    """Copies the files that the tokenizer was read from."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(Path(tokenizer.name_or_path) / name, folder / name)


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def check(tokenizer, words):
    """Refuses a tokenizer that splits a caption's word or loses a byte."""
    for word in words:
        if len(tokenizer(word).input_ids) != 3:
            raise ValueError(f"the tokenizer splits '{word}'")
    text = "a fox & ein Füchslein, 3 狐 in 1 row"
    back = tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True)
    if back.replace(" ", "") != text.lower().replace(" ", ""):
        raise ValueError("the tokenizer does not give a text back")


def encode(tokenizer, captions):
    """Returns the captions' ids, n,77, padded with the end token."""
    return tokenizer(captions, padding="max_length", max_length=LENGTH, truncation=True,
                     return_tensors="pt").input_ids
