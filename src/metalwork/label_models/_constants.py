"""Every constant that changes what label models find; docs/concepts.md has them in a table, with their sources.

Where no other source is named they were chosen on simulated votes and on the public label matrices of
docs/benchmarks.md.
"""

# Labeling functions
PRECISION = 0.8
"""Precision believed of an LF before its votes are seen (argument ``precision``)."""
STRENGTH = 200.0
"""Votes that this belief is worth (argument ``strength``)."""
DISCOUNT = 20.0
"""Pseudo-votes for each vote of an LF's own, at least, as a multiple of the correlation of LFs."""
LEAST_MARGIN = 0.02
"""How far the precision of a vote stays above chance, as a share of the way to certainty."""
MOST_PRECISION = 0.99
"""Most precision of a vote: no LF is certain."""
LEAST_RATIO = 0.01
"""Least off-branch ratio: no vote rules out that its task does not apply."""
CONFUSION_STRENGTH = 20.0
"""Pseudo-votes of each label in an LF's confusions, at least."""
ONE_SIDED = 0.95
"""Share of an LF's votes for one label from which it has no confusions."""

UNIFORM = 0.75
"""Share of the uniform balance in that of the tasks of a tree, which votes for its branches alone find."""

# Repetition
COPIED = 0.5
"""From which share of votes that repeat another LF's, beyond what the label explains, two LFs are copies."""
SOFTENED = 64
"""Power of that share where it says little of errors: only copies lose weight there."""
MOST_MISFIT = 0.05
"""Most root mean square residual correlation with which one label passes for explaining the other pairs."""
MISFIT = 0.02
"""Residual correlation that any pair may have without being named."""
LOADING = 0.6
"""Loading believed of an LF beforehand: of one that is right in four of five cases, where there are two labels."""
LOADING_SPREAD = 0.3
"""Standard deviation of that belief."""
NEAR_COPIES = 0.8
"""From which share of votes alike, or correlation of the records voted on, a pair is left out at first."""
SURE_COPIES = 0.95
"""From which share of votes alike, beyond chance, two LFs without a third to be compared with are copies."""
FALSE_REPETITIONS = 0.05
"""How many pairs are named by chance, on average, where LFs are independent."""
LEAST_TOLD_APART = 3
"""LFs that a task keeps where copies are left out: two that differ cannot be told apart."""
FIRST_STRENGTH = 20.0
"""Pseudo-records in each row of the tables that repetition is measured against."""

# Calibration
CORRELATION = 0.2
"""Correlation of the errors of two votes on a record, where LFs are not independent."""
BALANCE_STRENGTH = 20.0
"""Weight of the balance that EM found beside dev labels, in records a label."""
BALANCE_LEVEL = 0.05
"""Chance below which dev labels contradict that balance, and so move it."""
LEAST_LEFT = 0.05
"""Least share of a given class prior that is left to a label on records without a vote."""

# Independent LFs
PRIOR_STRENGTH = 1.0
"""Pseudo-records of each label in the class balance (Laplace)."""
POOLED_ACCURACY = 0.75
"""What an LF's average accuracy starts from."""
POOLED_VOTES = 2.0
"""How many votes that is worth."""
POOLING = 40.0
"""Pseudo-records in each row of a table."""
MOST_DEPENDENCE = 1.2
"""Most mean squared residual of joint votes with which LFs pass for independent (1 where the model is right)."""
SLACK = 1.25
"""Slack of the limit found on votes drawn from the fitted model, as a factor."""
LEAST_EVIDENCE = 1.8
"""Least gain in likelihood for each parameter: 1 where votes are random (Wilks, 1938)."""
HOPELESS = 3.0
"""Multiple of the most dependence, after thirty steps, from which EM is not continued."""

# Raters
ASKED_ALIKE = 0.5
"""Most share of the spread of votes over labels that lies between LFs where they are taken for raters."""
BALANCE_RECORDS = 200.0
"""Records' worth of evidence that must speak for labels of unequal shares before raters' balance is learned."""
MANY_RATERS = 20
"""Raters of a task from which votes need be foretold as often as the majority does, or beyond chance, not both."""

# Warnings
FALSE_CONTRADICTIONS = 0.02
"""Most chance of a warning that dev labels contradict the votes, where nobody does worse than chance."""
TIE = 1e-6
"""Share of the highest probability within which another end label shares it."""

# How far numbers are worked out
TABLE_TOLERANCE = 0.01
"""Change of every log factor at which EM of rules and raters stops."""
SOFT_STEPS = 10
"""Steps to the precision of soft votes, of which the share that is right hangs on the precision itself."""
