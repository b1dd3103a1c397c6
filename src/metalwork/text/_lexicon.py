"""Many phrases looked up in many texts at once: each text is read once, however many phrases there are.

The phrases are a tree whose edges are pieces of words, eight bytes at a time, and what stands between words. The
first pieces of all words of a block of texts are looked up together; only where one is known does the search go
on. What is found of a phrase in ASCII is a match; of others it is a candidate.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from metalwork._checks import BoolArray
from metalwork.text._edges import CONTINUED, GAP, STEM, WHOLE, Edges, Sieve
from metalwork.text._runs import PIECE, Pieces, Places, Runs, is_word_byte, prefixes, runs_of_all

_BLANKS: Final = re.compile(r"[\t-\r ]+")
_SPACE, _STAR, _QUOTE, _LEAST = ord(" "), ord("*"), ord("`"), 0x20
_SIZE_BITS: Final = np.uint64(8 * PIECE - 8)


class Found(NamedTuple):
    """Where phrases are found in a block of texts: which one, in which text, from which place to which."""

    phrase: Places
    text: Places
    start: Places
    stop: Places


class _Walk(NamedTuple):
    """Searches under way: the run of words each began with, the last that it read, and the node it has reached."""

    first: Places
    last: Places
    node: Places

    def only(self, which: BoolArray | Places) -> "_Walk":
        return _Walk(*(part[which] for part in self))


class Lexicon:
    """Phrases to look up, normalised as the texts are, with single spaces between words.

    A ``*`` behind a word stands for any ending. Phrases match at word boundaries, as the pattern of
    :func:`metalwork.text.any_phrase_pattern` does.

    Attributes
    ----------
    loose : bool (n_phrases,)
        Phrases that cannot be looked up by their words: those without any, or with characters of which it is
        doubtful whether they belong to a word.
    sure : bool (n_phrases,)
        Phrases of which every finding is a match. Others must be looked at again.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        texts = pl.Series(phrases, dtype=pl.String)
        runs = runs_of_all(texts)
        of = runs.texts_at(runs.starts)
        n_runs = np.bincount(of, minlength=len(phrases))
        self.loose = n_runs == 0
        for i in np.flatnonzero((texts.str.len_bytes() != texts.str.len_chars()).to_numpy()).tolist():
            self.loose[i] |= not all(map(_is_decided, phrases[i]))
        self._gaps: dict[str, int] = {" ": 0}
        self._read: dict[int, int] = {}
        ends = runs.starts + runs.lengths
        behind = runs.letters[ends + 1]
        self._stem = (runs.letters[ends] == _STAR) & ((behind == _SPACE) | (behind == 0xFF))
        self.sure = _are_sure(runs, of, ends + self._stem)
        self._plant(runs, np.cumsum(n_runs) - n_runs, n_runs)

    def find(self, runs: Runs) -> Found:
        """Where phrases stand in the texts, but for loose ones; one that is found in two ways is there twice."""
        first, last, node = (np.concatenate(parts) for parts in zip(*self._walks(runs), strict=True))
        begins = self._first[node]
        counts = self._first[node + 1] - begins
        each = np.repeat(np.arange(len(counts)), counts)
        offset = np.arange(len(each)) - np.repeat(np.cumsum(counts) - counts, counts)
        start, last = runs.starts[first[each]], last[each]
        stop = runs.starts[last] + runs.lengths[last]
        return Found(self._phrases[begins[each] + offset], runs.texts_at(start), start, stop)

    def _walks(self, runs: Runs) -> Iterator[_Walk]:
        """Searches that have come to the end of a phrase."""
        walk = self._over_word(runs, *self._beginnings(runs))
        while True:
            yield walk.only(self._first[walk.node + 1] > self._first[walk.node])
            walk = self._over_gap(runs, walk.only(self._goes_on[walk.node]))
            if not walk.first.size:
                return
            walk = self._over_word(runs, *self._ways(runs, walk, 0))

    def _beginnings(self, runs: Runs) -> tuple[_Walk, Places, Pieces]:
        """The words with which some phrase may begin, by what kind of edge, and the piece that it asks for."""
        pieces = runs.pieces(runs.starts, runs.lengths)
        words = [np.flatnonzero(self._begins.lets_through(pieces))]
        kinds = [np.where(runs.lengths[words[0]] > PIECE, CONTINUED, WHOLE)]
        asked, some, left = [pieces[words[0]]], None, pieces
        for length, sieve in self._begins_stem.items():  # the shortest first: few words pass it
            heads = prefixes(left, length)
            passed = np.flatnonzero(sieve.lets_through(heads))
            own = passed if some is None else some[passed]
            if some is None:
                some, left = own, left[own]
            words.append(own)
            kinds.append(np.full(len(own), STEM + length))
            asked.append(heads[passed])
        first = np.concatenate(words)
        return _Walk(first, first, np.zeros(len(first), np.int64)), np.concatenate(kinds), np.concatenate(asked)

    def _ways(self, runs: Runs, walk: _Walk, offset: int) -> tuple[_Walk, Places, Pieces]:
        """The same for searches that stand before the word ``last``, or inside of it at ``offset``."""
        left = runs.lengths[walk.last] - offset
        pieces = runs.pieces(runs.starts[walk.last] + offset, left)
        each = [np.arange(len(left))]
        kinds, asked = [np.where(left > PIECE, CONTINUED, WHOLE)], [pieces]
        stems = self._stems[walk.node]
        for length in range(1, PIECE + 1) if stems.any() else ():
            own = np.flatnonzero((stems & (1 << length) > 0) & (left >= length))
            each.append(own)
            kinds.append(np.full(len(own), STEM + length))
            asked.append(prefixes(pieces[own], length))
        return walk.only(np.concatenate(each)), np.concatenate(kinds), np.concatenate(asked)

    def _over_word(self, runs: Runs, walk: _Walk, kinds: Places, pieces: Pieces) -> _Walk:
        """The searches that go on over the word ``last``, whole or by a stem of it."""
        offset, arrived = PIECE, list[_Walk]()
        while True:
            node = self._edges.find(walk.node, kinds, pieces)
            known = np.flatnonzero(node >= 0)
            walk, kinds = walk._replace(node=node).only(known), kinds[known]
            arrived.append(walk.only(kinds != CONTINUED))
            walk = walk.only(kinds == CONTINUED)
            if not walk.first.size:
                return _Walk(*(np.concatenate(parts) for parts in zip(*arrived, strict=True)))
            walk, kinds, pieces = self._ways(runs, walk, offset)
            offset += PIECE

    def _over_gap(self, runs: Runs, walk: _Walk) -> _Walk:
        """The searches that go on over what stands between the word ``last`` and the next."""
        walk = walk.only(walk.last + 1 < len(runs.starts))
        start = runs.starts[walk.last] + runs.lengths[walk.last]
        gaps = self._gaps_of(runs, start, runs.starts[walk.last + 1] - start)
        walk, gaps = walk.only(gaps >= 0), gaps[gaps >= 0]
        node = self._edges.find(walk.node, GAP, gaps.astype(np.uint64))
        return _Walk(walk.first, walk.last + 1, node).only(node >= 0)

    def _gaps_of(self, runs: Runs, starts: Places, lengths: Places) -> Places:
        """The number of each gap, -1 where no phrase has it. White space of any length is a space."""
        numbers = np.zeros(len(starts), np.int64)
        other = np.flatnonzero((lengths != 1) | (runs.letters[starts] != _SPACE))
        long = lengths[other] >= PIECE
        for i in other[long]:
            numbers[i] = self._gap(runs.letters[starts[i] : starts[i] + lengths[i]].tobytes())
        short = other[~long]
        sizes = lengths[short].astype(np.uint64) << _SIZE_BITS  # short gaps leave the last byte free
        keys, where = np.unique(runs.pieces(starts[short], lengths[short]) | sizes, return_inverse=True)
        numbers[short] = np.array([self._short_gap(key) for key in keys.tolist()], np.int64)[where]
        return numbers

    def _short_gap(self, key: int) -> int:
        if key not in self._read:
            if len(self._read) >= 1 << 16:
                self._read.clear()
            self._read[key] = self._gap(key.to_bytes(PIECE, "little")[: key >> int(_SIZE_BITS)])
        return self._read[key]

    def _gap(self, gap: bytes) -> int:
        return self._gaps.get(_gap_name(gap), -1)

    def _plant(self, runs: Runs, first: Places, n_runs: Places) -> None:
        """Grow the tree: each round takes every phrase a piece further, and over a gap where a word has ended."""
        self._edges = Edges()
        nodes = np.zeros(len(first), np.int64)
        going, at, offset = np.flatnonzero(~self.loose), first.copy(), np.zeros(len(first), np.int64)
        while going.size:
            run, done = at[going], offset[going]
            left = runs.lengths[run] - done
            last_piece = np.where(self._stem[run], STEM + left, WHOLE)
            kinds = np.where(left > PIECE, CONTINUED, last_piece)
            pieces = runs.pieces(runs.starts[run] + done, left)
            nodes[going] = self._edges.grow(nodes[going], kinds, pieces)
            offset[going] += PIECE
            ended = going[left <= PIECE]
            on = ended[at[ended] + 1 < (first + n_runs)[ended]]
            nodes[on] = self._edges.grow(nodes[on], GAP, self._new_gaps(runs, at[on]))
            at[on] += 1
            offset[on] = 0
            going = np.sort(np.concatenate([going[left > PIECE], on]))
        self._edges.close()
        self._label(nodes)

    def _new_gaps(self, runs: Runs, before: Places) -> Pieces:
        start = runs.starts[before] + runs.lengths[before] + self._stem[before]
        stop = runs.starts[before + 1]
        numbers = np.zeros(len(before), np.uint64)
        for i in np.flatnonzero((stop - start != 1) | (runs.letters[start] != _SPACE)):
            name = _gap_name(runs.letters[start[i] : stop[i]].tobytes())
            numbers[i] = self._gaps.setdefault(name, len(self._gaps))
        return numbers

    def _label(self, nodes: Places) -> None:
        """Note which phrases end at which node, and what begins at the root."""
        phrases = np.flatnonzero(~self.loose)
        n_nodes = len(self._edges.states) + 1
        order = np.argsort(nodes[phrases], kind="stable")
        self._phrases = phrases[order]
        self._first = np.concatenate([[0], np.cumsum(np.bincount(nodes[phrases], minlength=n_nodes))])
        parents, kinds, pieces = self._edges.parents, self._edges.kinds, self._edges.pieces
        self._goes_on = np.zeros(n_nodes, np.bool_)
        self._goes_on[parents[kinds == GAP]] = True
        stems, root = kinds > STEM, parents == 0
        self._stems = np.zeros(n_nodes, np.int64)
        np.bitwise_or.at(self._stems, parents[stems], 1 << (kinds[stems] - STEM))
        self._begins = Sieve(pieces[root & ~stems])
        lengths = np.unique(kinds[stems & root] - STEM).tolist()
        # the first sieve lets through what any stem begins with: the others look at these words alone
        self._begins_stem = {n: Sieve(pieces[root & (kinds == STEM + n)]) for n in lengths}
        if lengths:
            self._begins_stem[lengths[0]] = Sieve(prefixes(pieces[root & stems], lengths[0]))


def _gap_name(gap: bytes) -> str:
    return _BLANKS.sub(" ", gap.decode("latin-1")).replace("`", "'")


def _are_sure(runs: Runs, of: Places, ends: Places) -> BoolArray:
    """Phrases of plain ASCII that begin and end with a word: their findings need no second look."""
    n_phrases = len(runs.begins)
    sure = np.zeros(n_phrases, np.bool_)
    begins, stops = runs.begins, np.concatenate([runs.begins[1:], [len(runs.letters) - PIECE]]) - 1
    starts_so, ends_so = np.zeros(n_phrases, np.bool_), np.zeros(n_phrases, np.bool_)
    starts_so[of[runs.starts == begins[of]]] = True
    ends_so[of[ends == stops[of]]] = True
    sure = starts_so & ends_so
    odd = (runs.letters < _LEAST) | (runs.letters == _QUOTE) | ((runs.letters > 0x7E) & (runs.letters < 0xFF))
    sure[runs.texts_at(np.flatnonzero(odd))] = False
    return sure


def _is_decided(character: str) -> bool:
    """Whether both engines agree if a character belongs to a word, and it stands for itself alone."""
    if character.isascii():
        return True
    by_python = character.isalnum() or unicodedata.category(character)[0] == "M"
    return character not in "\u200c\u200d" and by_python == is_word_byte(character)
