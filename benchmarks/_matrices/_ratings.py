"""Human ratings of sentiment: the raw votes of crowd workers, and sentiment words voting on the rated texts.

The source distribution of vaderSentiment 3.3.2 carries, for four kinds of text and for its word list, the ratings
(-4..4) of many workers. Gold is the mean rating of workers who are no labeling function.

Reference: Hutto and Gilbert, "VADER: A parsimonious rule-based model for sentiment analysis", ICWSM 2014.
"""

import ast
import os
from pathlib import Path

import numpy as np

import metalwork as mw
from _matrices._weak import Unavailable, WeakMatrix, pattern_votes, random_split, words

Rated = tuple[list[str], list[list[int]]]

_POSITIVE = (
    "good", "great", "excellent", "love*", "best", "amazing", "awesome", "happy", "thank*", "nice",
    "beautiful*", "perfect*",
    "fun", "funny", "enjoy*", "easy", "well", "better", "like", "cool", "wonderful*", "entertaining",
    "brilliant*", "fresh",
    "charming", "recommend*", "win*", "success*", "hope*", "smart",
)  # fmt: skip
_NEGATIVE = (
    "bad", "worst", "terribl*", "awful*", "hate*", "boring", "dull", "poor*", "sad", "sorry", "problem*",
    "fail*", "wrong",
    "difficult", "broke*", "never", "not", "no", "lack*", "ugly", "stupid", "annoy*", "disappoint*", "waste*",
    "miss*", "kill*",
    "war", "death", "attack*", "sick",
)  # fmt: skip
_MORE = [
    ("label", "positive", r"[:;]-?[)D]"), ("label", "negative", r":-?[(/]"), ("label", "positive", r"!"),
    ("label", "negative", r"\bbut\b"), ("label", "negative", r"n't\b"), ("label", "negative", r"\btoo\b"),
]  # fmt: skip


def _folder() -> Path:
    root = os.environ.get("VADER_RATINGS")
    if not root or not (Path(root) / "tweets_GroundTruth.txt").exists():
        raise Unavailable(
            "unpack additional_resources/hutto_ICWSM_2014.tar.gz of the vaderSentiment 3.3.2 source distribution "
            "and set VADER_RATINGS to the folder"
        )
    return Path(root)


def _rated(kind: str) -> Rated:
    """Texts and their lists of ratings, in the order of the file."""
    text_of = {}
    for line in (
        (_folder() / f"{kind}_GroundTruth.txt").read_text(encoding="utf-8-sig", errors="replace").splitlines()
    ):
        key, _, text = line.split("\t", 2)
        text_of[key] = text
    texts, ratings = [], []
    for line in (_folder() / f"{kind}_anonDataRatings.txt").read_text(encoding="utf-8-sig").splitlines():
        key, _, _, raw = line.split("\t")
        if key in text_of:
            texts.append(text_of[key])
            ratings.append(ast.literal_eval(raw.strip()))
    return texts, ratings


def _word_matrix(name: str, kind: str) -> WeakMatrix:
    """Sentiment words vote; texts whose mean rating is within 0.3 of neutral are left out."""
    texts, ratings = _rated(kind)
    mean = np.array([np.mean(r) for r in ratings])
    keep = np.flatnonzero(np.abs(mean) > 0.3)
    rules = words("label", "positive", *_POSITIVE) + words("label", "negative", *_NEGATIVE) + _MORE
    votes = pattern_votes([texts[i] for i in keep], mw.TaskSchema.flat(["negative", "positive"]), rules)
    gold = (mean[keep] > 0).astype(np.int64)
    return WeakMatrix(
        name, votes, gold, random_split(len(gold)), "written", "sentiment words; gold by human raters"
    )


def words_movies() -> WeakMatrix:
    """Film reviews."""
    return _word_matrix("words_movies", "movieReviewSnippets")


def words_tweets() -> WeakMatrix:
    """Tweets."""
    return _word_matrix("words_tweets", "tweets")


def words_amazon() -> WeakMatrix:
    """Product reviews."""
    return _word_matrix("words_amazon", "amazonReviewSnippets")


def words_nyt() -> WeakMatrix:
    """Editorials: long sentences, mixed feelings."""
    return _word_matrix("words_nyt", "nytEditorialSnippets")


def _crowd(
    name: str, ratings: list[list[int]], n_lfs: int, cuts: tuple[float, ...], labels: list[str]
) -> WeakMatrix:
    """The first ``n_lfs`` workers vote, the mean of the others is gold; both are cut into the same classes."""
    enough = [r for r in ratings if len(r) >= n_lfs + 4]
    first = np.array([r[:n_lfs] for r in enough])
    gold = np.digitize([np.mean(r[n_lfs:]) for r in enough], cuts)
    votes = mw.LabelMatrix(np.digitize(first, cuts), mw.TaskSchema.flat(labels))
    return WeakMatrix(name, votes, gold, random_split(len(gold)), "real", "crowd workers; gold by other workers")


def crowd_lexicon() -> WeakMatrix:
    """5 workers on words, 4 classes."""
    text = (_folder() / "vader_sentiment_lexicon.txt").read_text(encoding="utf-8", errors="replace")
    ratings = [ast.literal_eval(line.rsplit("\t", 1)[1]) for line in text.splitlines()]
    labels = ["very negative", "negative", "positive", "very positive"]
    return _crowd("crowd_lexicon", ratings, 5, (-1.99, 0.0, 1.99), labels)


def crowd_movies() -> WeakMatrix:
    """4 workers on film reviews, 3 classes."""
    return _crowd(
        "crowd_movies", _rated("movieReviewSnippets")[1], 4, (-0.5, 0.5), ["negative", "neutral", "positive"]
    )


def crowd_nyt() -> WeakMatrix:
    """10 workers on editorials, 5 classes."""
    labels = ["very negative", "negative", "neutral", "positive", "very positive"]
    return _crowd("crowd_nyt", _rated("nytEditorialSnippets")[1], 10, (-1.5, -0.5, 0.5, 1.5), labels)


def crowd_tweets() -> WeakMatrix:
    """7 workers on tweets, of whom each saw 40 %; 3 classes."""
    matrix = _crowd("crowd_tweets", _rated("tweets")[1], 7, (-0.5, 0.5), ["negative", "neutral", "positive"])
    codes = matrix.votes.codes.copy()
    codes[np.random.default_rng(0).random(codes.shape) > 0.4] = mw.ABSTAIN
    return WeakMatrix(
        matrix.name,
        mw.LabelMatrix(codes, matrix.votes.schema),
        matrix.gold,
        matrix.split,
        matrix.kind,
        matrix.note,
    )
