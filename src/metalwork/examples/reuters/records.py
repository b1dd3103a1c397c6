"""Articles of the 1987 news wire: Reuters-21578.

Reference: D. D. Lewis, "Reuters-21578, Distribution 1.0", 1997. Research use only.
"""

import html
import re
import tarfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from metalwork.data import find_data
from metalwork.errors import DataError

_CURRENCIES: Final = """
    austdlr austral bfr can cruzado dfl dkr dlr dmk drachma escudo ffr hk lit mexpeso nkr nzdlr peseta rand
    ringgit rupiah saudriyal sfr singdlr skr stg yen
"""
_COMMODITIES: Final = """
    alum barley carcass castor-meal castor-oil castorseed citruspulp cocoa coconut coconut-oil coffee copper
    copra-cake corn corn-oil cornglutenfeed cotton cotton-meal cotton-oil cottonseed f-cattle fishmeal
    flaxseed gold grain groundnut groundnut-meal groundnut-oil hog iron-steel l-cattle lead lin-meal lin-oil
    linseed livestock lumber lupin meal-feed nickel oat oilseed orange palladium palm-meal palm-oil palmkernel
    platinum plywood pork-belly potato rape-meal rape-oil rapeseed red-bean rice rubber rye silk silver
    sorghum soy-meal soy-oil soybean strategic-metal sugar sun-meal sun-oil sunseed tapioca tea tin tung
    tung-oil veg-oil wheat wool zinc
"""
_ENERGY: Final = "crude fuel gas heat jet naphtha nat-gas pet-chem propane"

TOPICS: Final = {
    topic: label
    for label, topics in {
        "Performance": "earn",
        "Ownership": "acq",
        "Money": f"money-fx interest {_CURRENCIES}",
        "Commodity": f"{_COMMODITIES} {_ENERGY}",
    }.items()
    for topic in topics.split()
}
"""End label by Reuters topic, after the groups of the collection's own list; other topics decide nothing."""

_N_TRAIN: Final = 1000
_N_DEV: Final = 50
_SEED: Final = 0

_ARTICLE: Final = re.compile(r"<REUTERS([^>]*)>(.*?)</REUTERS>", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r'(\w+)="([^"]*)"')
_TAG: Final = re.compile(r"<[^>]*>")


class Article(NamedTuple):
    """One article that has one class, which ``topics`` decide; ``text`` begins with the title."""

    id: str
    split: str
    title: str
    text: str
    label: str
    topics: tuple[str, ...] = ()


def load() -> dict[str, pl.DataFrame]:
    """The articles that have exactly one class, each once: 9,875 in all, of which 413 have no split.

    The test split is the collection's own (LEWISSPLIT). From its training split 1,000 articles are drawn for
    training, and 50 more for development, by a fixed seed.

    Returns
    -------
    dict of split to frame
        With the columns ``id``, ``title``, ``text``, which begins with the title, and ``label``.

    Raises
    ------
    DataError
        When the archive is missing, damaged, or no Reuters-21578.
    """
    archive = find_data("reuters21578")
    articles = read_articles(archive)
    pool = [article for article in articles if article.split == "TRAIN"]
    test = [article for article in articles if article.split == "TEST"]
    if len(pool) < _N_TRAIN + _N_DEV:
        raise DataError(
            f"The archive must hold the whole of Reuters-21578; got {len(pool)} training articles with a class "
            f"at {archive}. Fetch it again."
        )
    order = np.random.default_rng(_SEED).permutation(len(pool))
    train = [pool[i] for i in order[:_N_TRAIN]]
    dev = [pool[i] for i in order[_N_TRAIN : _N_TRAIN + _N_DEV]]
    return {"train": _frame(train), "dev": _frame(dev), "test": _frame(test)}


def read_articles(archive: Path) -> list[Article]:
    """The articles of an archive that have exactly one class, in its order.

    Of articles that differ in nothing but letter case and white space, the first stays.

    Raises
    ------
    DataError
        When the archive cannot be read.
    """
    found: dict[str, Article] = {}
    for document in _read_documents(archive):
        for attributes, content in _ARTICLE.findall(document):
            article = _read_article(dict(_ATTRIBUTE.findall(attributes)), content)
            if article is not None:
                found.setdefault(article.text.lower(), article)
    return list(found.values())


def _read_documents(archive: Path) -> list[str]:
    """The SGML files of the archive by name, decoded; nothing is written to disk."""
    try:
        with tarfile.open(archive) as files:
            streams = {file.name: files.extractfile(file) for file in files if file.name.endswith(".sgm")}
            return [stream.read().decode("latin-1") for _, stream in sorted(streams.items()) if stream]
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"The archive must be a whole tar file; got {error!r} at {archive}. Fetch it again."
        ) from None


def _read_article(attributes: dict[str, str], content: str) -> Article | None:
    """One article, or None where its topics were not assigned, or fit no class or several."""
    given = _element(content, "TOPICS").replace("</D>", "").split("<D>")
    topics = tuple(topic for topic in given if topic in TOPICS)
    labels = {TOPICS[topic] for topic in topics}
    if attributes.get("TOPICS") != "YES" or len(labels) != 1:
        return None
    title, body = _element(content, "TITLE"), _element(content, "BODY")
    text = f"{title}\n{body}" if body else _TAG.sub("", _element(content, "TEXT"))
    split, number = attributes.get("LEWISSPLIT", ""), attributes.get("NEWID", "")
    return Article(number, split, _clean(title), _clean(text), labels.pop(), topics)


def _element(content: str, name: str) -> str:
    """What stands within the first element called ``name``; empty where there is none."""
    start, end = content.find(f"<{name}"), content.rfind(f"</{name}>")
    return "" if start < 0 or end < 0 else content[content.index(">", start) + 1 : end]


def _clean(text: str) -> str:
    return " ".join(html.unescape(text).split())


def _frame(articles: Iterable[Article]) -> pl.DataFrame:
    rows = [(article.id, article.title, article.text, article.label) for article in articles]
    return pl.DataFrame(rows, schema=dict.fromkeys(("id", "title", "text", "label"), pl.String), orient="row")
