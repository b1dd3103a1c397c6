"""Labeling functions for Reuters' news wire: one for each piece of evidence."""

from evidence import EVIDENCE
from lexicons import make_functions

LABELING_FUNCTIONS = make_functions(EVIDENCE)
