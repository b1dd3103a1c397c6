"""Real label matrices with gold labels, to develop and compare label models on.

``python -m _matrices FOLDER`` (run in the folder above) writes each as ``FOLDER/name/{votes,gold,split}.np*``.
Gold labels serve scoring only; no labeling function was chosen or tuned by them.
"""

from collections.abc import Callable, Iterator

from _matrices import _clinc, _committees, _news, _ratings, _records, _words, _wrench
from _matrices._weak import DEV, TEST, TRAIN, UNKNOWN, Unavailable, WeakMatrix

__all__ = ["DEV", "SOURCES", "TEST", "TRAIN", "UNKNOWN", "Unavailable", "WeakMatrix", "load_all"]

SOURCES: dict[str, Callable[[], WeakMatrix]] = {
    source.__name__: source
    for source in (
        _wrench.trec,
        _wrench.youtube,
        _wrench.sms,
        _wrench.trec_fine,
        _clinc.clinc_tree,
        _clinc.clinc_flat,
        _clinc.clinc_domain,
        _clinc.clinc_banking,
        _committees.digits_committee,
        _committees.digits_abstaining,
        _committees.digits_one_label,
        _committees.digits_tree,
        _committees.trec_committee,
        _ratings.words_movies,
        _ratings.words_tweets,
        _ratings.words_amazon,
        _ratings.words_nyt,
        _ratings.crowd_lexicon,
        _ratings.crowd_movies,
        _ratings.crowd_nyt,
        _ratings.crowd_tweets,
        *_records.SOURCES,
        _news.openi,
        _news.rcv1,
        _news.reuters,
        _news.reuters_topics,
        _news.reuters_names,
        _words.first_names,
        _words.word_classes,
        _words.cities,
    )
}


def load_all(names: list[str] | None = None) -> Iterator[tuple[str, WeakMatrix | Unavailable]]:
    """Each matrix by name, or why it cannot be had here."""
    for name in names or SOURCES:
        try:
            yield name, SOURCES[name]()
        except Unavailable as reason:
            yield name, reason
