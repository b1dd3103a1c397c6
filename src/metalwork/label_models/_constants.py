"""Constants that change a result, and where each comes from. The table is in ``docs/label-models.md``."""

FALSE_CONTRADICTIONS = 0.02
"""Most chance of a warning that dev labels contradict the votes, where nobody does worse than chance."""
TIE = 1e-6
"""Share of the highest probability within which another end label shares it."""
