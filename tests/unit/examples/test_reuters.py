"""The Reuters-21578 data set: reading SGML, one class an article, and labeling functions that read a news wire."""

import io
import json
import tarfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.data import find_data
from metalwork.errors import DataError
from metalwork.examples import load_example
from metalwork.labeling import apply
from tests.unit.examples.parts import functions, part, schema

records = part("reuters", "records")
TOPICS, read_articles = records.TOPICS, records.read_articles
LABELING_FUNCTIONS, SCHEMA = functions("reuters"), schema("reuters")

WIRE = {
    "Performance": (
        "ACME CORP <ACM> 4TH QTR NET",
        "Shr 39 cts vs 1.34 dlrs Net 1,392,000 vs 4,686,000 Revs 81.9 mln vs 81.7 mln Avg shrs 3,560,000",
    ),
    "Ownership": (
        "ACME <ACM> TO ACQUIRE WIDGETS INC",
        "Acme Corp said it signed a definitive agreement to acquire Widgets Inc in a merger for 12 dlrs a share. "
        "Shareholders of the company will vote on the tender offer, which is subject to regulatory approval.",
    ),
    "Money": (
        "BANK OF ENGLAND INTERVENES AS DOLLAR FALLS AGAINST YEN",
        "The Bank of England and the Bundesbank intervened in foreign exchange markets, dealers said. They "
        "bought dollars against yen and marks, and interest rates rose on the interbank money market.",
    ),
    "Commodity": (
        "USDA SEES SMALLER WHEAT CROP",
        "The U.S. Agriculture Department forecast wheat output of 57 mln tonnes. Exporters and farmers said the "
        "harvest of corn and soybeans suffered from drought, and futures prices rose at the Board of Trade.",
    ),
}


def _load(path: Path) -> dict[str, pl.DataFrame]:
    vars(records)["find_data"] = lambda name: path
    frames: dict[str, pl.DataFrame] = records.load()
    return frames


def _article(number: int, topics: str = "earn", title: str = "T", body: str = "", **attributes: str) -> str:
    given = {"TOPICS": "YES", "LEWISSPLIT": "TRAIN", "NEWID": str(number)} | attributes
    marks = " ".join(f'{name}="{value}"' for name, value in given.items())
    listed = "".join(f"<D>{topic}</D>" for topic in topics.split())
    inside = f"<TITLE>{title}</TITLE><BODY>{body}</BODY>" if body else title
    return f"<REUTERS {marks}>\n<TOPICS>{listed}</TOPICS>\n<TEXT>&#2;{inside}</TEXT>\n</REUTERS>\n"


def _archive(folder: Path, articles: Sequence[str]) -> Path:
    path = folder / "reuters21578.tar.gz"
    half = len(articles) // 2
    with tarfile.open(path, "w:gz") as archive:  # the files stand in the wrong order
        for name, part in (
            ("reut2-001.sgm", articles[half:]),
            ("reut2-000.sgm", articles[:half]),
            ("a.txt", ["<"]),
        ):
            content = "".join(part).encode("latin-1")
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_an_article_is_its_title_and_body(tmp_path: Path) -> None:
    [article] = read_articles(
        _archive(tmp_path, [_article(7, "acq usa", "A &lt;B> C", "Caf\xe9\n  &amp; co.\n&#3;")])
    )
    assert article == ("7", "TRAIN", "A <B> C", "A <B> C Café & co.", "Ownership", ("acq",))


def test_an_article_without_a_body_is_all_of_its_text(tmp_path: Path) -> None:
    [article] = read_articles(_archive(tmp_path, [_article(1, "gold", "******<TITLE>GOLD UP</TITLE> at noon")]))
    assert (article.title, article.text) == ("GOLD UP", "******GOLD UP at noon")


def test_an_article_needs_exactly_one_class(tmp_path: Path) -> None:
    articles = [
        _article(1, "wheat corn trade", "one class by two topics"),
        _article(2, "wheat earn", "two classes"),
        _article(3, "trade", "no class"),
        _article(4, "", "no topic"),
        _article(5, "earn", "topics not assigned", TOPICS="NO"),
    ]
    assert [article.id for article in read_articles(_archive(tmp_path, articles))] == ["1"]


def test_of_equal_articles_the_first_by_file_name_stays(tmp_path: Path) -> None:
    articles = [
        _article(1, title="SAME", body="words here"),
        _article(2, title="Same", body="words\n here", LEWISSPLIT="TEST"),
    ]
    assert [article.id for article in read_articles(_archive(tmp_path, articles))] == ["1"]


def test_splits_are_drawn_from_the_training_split_by_a_fixed_seed(tmp_path: Path) -> None:
    kinds = ("earn", "acq", "yen", "oat")
    pool = [_article(i, kinds[i % 4], f"train {i}") for i in range(1100)]
    test = [_article(5000 + i, kinds[i % 4], f"test {i}", LEWISSPLIT="TEST") for i in range(8)]
    unused = [_article(9000, "earn", "unused", LEWISSPLIT="NOT-USED")]
    path = _archive(tmp_path, [*pool, *test, *unused])
    frames, again = _load(path), _load(path)
    assert {split: frame.height for split, frame in frames.items()} == {"train": 1000, "dev": 50, "test": 8}
    assert not set(frames["train"]["id"]) & set(frames["dev"]["id"])
    assert frames["train"].equals(again["train"])
    ends = ["Performance", "Ownership", "Money", "Commodity"]
    assert frames["test"]["label"].to_list() == ends * 2
    for split in ("train", "dev"):
        assert frames[split]["label"].to_list() == [ends[int(number) % 4] for number in frames[split]["id"]]


def test_a_part_of_the_collection_is_refused(tmp_path: Path) -> None:
    path = _archive(tmp_path, [_article(1), _article(2, "acq", "U")])
    with pytest.raises(DataError) as caught:
        _load(path)
    assert str(caught.value) == (
        f"The archive must hold the whole of Reuters-21578; got 2 training articles with a class at {path}. "
        "Fetch it again."
    )


@pytest.mark.parametrize("damage", ["not a tar", "cut short", "flipped"])
def test_a_damaged_archive_is_named(tmp_path: Path, damage: str) -> None:
    path = _archive(tmp_path, [_article(i, title=f"{i} {np.random.default_rng(i).random(40)}") for i in range(60)])
    content = bytearray(path.read_bytes())
    if damage == "not a tar":
        content = bytearray(b"not a tar")
    elif damage == "cut short":
        del content[len(content) // 2 :]
    else:
        content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"^The archive must .*; got .* Fetch it again\.$"):
        _load(path)


def test_topics_are_in_groups() -> None:
    assert Counter(TOPICS.values()) == {"Performance": 1, "Ownership": 1, "Money": 29, "Commodity": 87}


def test_every_label_has_several_functions_with_names_of_their_own() -> None:
    names = [lf.name for lf in LABELING_FUNCTIONS]
    assert len(set(names)) == len(names)
    for task in SCHEMA.tasks:
        for label in SCHEMA.labels(task):
            assert sum(lf.task == task and lf.name.startswith(f"{label}: ") for lf in LABELING_FUNCTIONS) >= 7


@pytest.mark.parametrize("label", SCHEMA.end_labels)
def test_functions_agree_on_a_clear_article(label: str) -> None:
    title, body = WIRE[label]
    votes = apply(LABELING_FUNCTIONS, [{"title": title, "text": f"{title} {body}"}], SCHEMA)
    predicted = mw.MajorityVote(SCHEMA, mode="hard").fit(votes).predict(votes)
    assert SCHEMA.end_names(predicted) == [label]
    assert (votes.codes[0] >= 0).sum() >= 6


def _real_archive() -> Path:
    try:
        return find_data("reuters21578", download=False)
    except DataError:
        pytest.skip("Reuters-21578 is not on this machine")


def test_the_whole_collection_has_its_published_size() -> None:
    start = time.process_time()
    articles = read_articles(_real_archive())
    assert time.process_time() - start < 5  # about 1 s
    assert len(articles) == 9875
    assert Counter(article.split for article in articles) == {"TRAIN": 6754, "TEST": 2708, "NOT-USED": 413}


def test_topics_are_those_of_the_mapping_beside_the_archive() -> None:
    mapping = _real_archive().with_name("topic_to_class.json")
    if not mapping.is_file():
        pytest.skip("topic_to_class.json is not on this machine")
    ours = {
        "Performance": "Corporate Performance",
        "Ownership": "Corporate Funding",
        "Money": "Money Markets",
        "Commodity": "Commodity Markets",
    }
    assert json.loads(mapping.read_text(encoding="utf-8")) == {
        topic: ours[label] for topic, label in TOPICS.items()
    }


def test_functions_do_on_dev_what_they_were_written_for() -> None:
    _real_archive()
    job = load_example("reuters")
    votes = apply(job.labeling_functions, job.split("dev").source, SCHEMA)
    assert not votes.errors.any()
    assert mw.MajorityVote(SCHEMA, mode="soft").fit(votes).score(votes, job.known_labels("dev")) >= 0.85
