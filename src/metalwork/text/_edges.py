"""The edges of a tree of phrases in a hash table, looked up many at a time."""

from typing import Final

import numpy as np

from metalwork._checks import BoolArray
from metalwork.text._runs import Pieces, Places

WHOLE, CONTINUED, GAP, STEM = 0, 1, 2, 2
"""Kinds of edges: the last piece of a word, a piece that is followed by more of it, what stands between words, and
(STEM + length) the beginning of a piece with any ending."""

_KINDS: Final = 16
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_SALT: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_NONE: Final = -1


class Edges:
    """Edges from a node, by kind and piece, to a node; edge ``i`` leads to node ``i + 1``, and 0 is the root."""

    def __init__(self) -> None:
        self.states = np.zeros(0, np.int64)
        self.pieces = np.zeros(0, np.uint64)
        self._slots = np.full(2, _NONE, np.int32)

    @property
    def parents(self) -> Places:
        """Where each edge begins."""
        return self.states // _KINDS

    @property
    def kinds(self) -> Places:
        """The kind of each edge."""
        return self.states % _KINDS

    def grow(self, nodes: Places, kinds: Places | int, pieces: Pieces) -> Places:
        """New edges from ``nodes`` (n,), none of which has edges of these kinds yet; the nodes they lead to."""
        states = nodes * _KINDS + kinds
        order = np.lexsort((pieces, states))
        state, piece = states[order], pieces[order]
        new = np.ones(len(order), np.bool_)
        new[1:] = (state[1:] != state[:-1]) | (piece[1:] != piece[:-1])
        reached = np.empty(len(order), np.int64)
        reached[order] = len(self.states) + np.cumsum(new)
        self.states = np.concatenate([self.states, state[new]])
        self.pieces = np.concatenate([self.pieces, piece[new]])
        return reached

    def close(self) -> None:
        """Make the table, when all edges are there."""
        size = 1 << max(4, (2 * len(self.states)).bit_length())
        self._slots = np.full(size, _NONE, np.int32)  # half the memory, of which reading it is mostly waiting
        left = np.arange(len(self.states))
        at = self._home(self.states, self.pieces)
        while left.size:
            free = self._slots[at] == _NONE
            self._slots[at[free]] = left[free]  # of several that want one slot the last has it
            homeless = self._slots[at] != left
            left, at = left[homeless], (at[homeless] + 1) % size

    def find(self, nodes: Places, kinds: Places | int, pieces: Pieces) -> Places:
        """The nodes (n,) that are reached from ``nodes``, -1 where there is no such edge."""
        states = nodes * _KINDS + kinds
        found = np.full(len(states), _NONE, np.int64)
        left, at = np.arange(len(states)), self._home(states, pieces)
        while left.size:
            edge = self._slots[at]
            there = edge != _NONE
            same = np.flatnonzero(there)
            edge, own = edge[same], left[same]
            same = same[(self.states[edge] == states[own]) & (self.pieces[edge] == pieces[own])]
            found[left[same]] = self._slots[at[same]] + 1
            there[same] = False
            left, at = left[there], (at[there] + 1) % len(self._slots)
        return found

    def _home(self, states: Places, pieces: Pieces) -> Places:
        mix = (pieces ^ (states.astype(np.uint64) * _SALT)) * _ODD
        bits = np.uint64(64 - (len(self._slots) - 1).bit_length())
        return (mix >> bits).astype(np.int64)


class Sieve:
    """Tells of most pieces at once that they are none of those it knows."""

    def __init__(self, pieces: Pieces) -> None:
        bits = min(24, max(14, (64 * len(pieces)).bit_length()))
        self._shift = np.uint64(64 - bits)
        self._known = np.zeros(1 << bits, np.bool_)
        self._known[self._place(pieces)] = True

    def lets_through(self, pieces: Pieces) -> BoolArray:
        """Which pieces (n,) may be known."""
        return self._known[self._place(pieces)]

    def _place(self, pieces: Pieces) -> Places:
        mix = pieces * _ODD
        mix >>= self._shift
        return mix.view(np.int64)
