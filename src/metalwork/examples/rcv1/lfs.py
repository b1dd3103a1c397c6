"""Labeling functions for RCV1's bags of words: one for each piece of evidence."""

from evidence import EVIDENCE
from lexicons import make_functions

LABELING_FUNCTIONS = make_functions(EVIDENCE)
