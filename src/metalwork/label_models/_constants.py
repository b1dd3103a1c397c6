"""Constants that change a result, and where each comes from. The table is in ``docs/label-models.md``."""

FALSE_CONTRADICTIONS = 0.02
"""Most chance of a warning that dev labels contradict the votes, where nobody does worse than chance."""
TIE = 1e-6
"""Share of the highest probability within which another end label shares it."""

LEAST_MARGIN = 0.02
"""How far the precision of a vote stays above chance, as a share of the way to certainty."""
MOST_PRECISION = 0.99
"""Most precision of a vote, whatever the LF's agreement with others."""
SOFT_STEPS = 10
"""Steps to the precision of soft votes, of which the share that is right hangs on the precision itself."""
POOLED_ACCURACY, POOLED_VOTES = 0.75, 2.0
"""What an LF's average accuracy starts from in the generative reading, and how many votes that is worth."""
CONFUSION_STRENGTH = 20.0
"""Pseudo-votes of each label in an LF's confusions, at least."""
ONE_SIDED = 0.95
"""Share of an LF's votes for one label from which it tells nothing of the balance or of confusions."""
BALANCE_BAND, BALANCE_BAND_OF_TREES = 1.1, 1.5
"""Most change of a label's odds, as a factor; of votes on several tasks the first balance is rough."""
BALANCE_STRENGTH = 10.0
"""Weight of the first E-step's balance beside dev labels, in records a label."""
DISCOUNT = 20.0
"""Pseudo-votes for each vote of an LF's own, as a multiple of the correlation of LFs."""
OVERLAP = 2.0
"""By how much more votes on a task are worth less, as a multiple of the correlation of LFs."""
PRIOR_STRENGTH = 1.0
"""Pseudo-records of each label in the class prior of the generative reading."""
COPIED, SOFTENED = 0.5, 16
"""From which share of votes alike two LFs are copies, and how steeply a vote's weight falls with that share."""
LEAST_TOLD_APART = 3
"""LFs that a task keeps where copies are left out: fewer cannot be told apart."""
FIRST_STRENGTH = 20.0
"""Pseudo-records in each row of the tables that LFs' repetition is measured against."""
LEAST_POOLING, MORE_POOLING = 40.0, 80.0
"""Pseudo-records in each row of a generative table: the two that a cross check chooses between."""
PARAMETER_TOLERANCE = 1e-4
"""Change of every precision and ratio at which EM of the votes-only reading stops."""
