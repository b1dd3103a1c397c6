"""Two models on the same few records."""

import numpy as np
from scipy.special import bdtrc

from metalwork._checks import BoolArray


def doubt_of_gain(right: BoolArray, before: BoolArray) -> float:
    """How likely so many more right answers are by luck, where both models are equally good.

    The exact one-sided test of McNemar (1947): records on which both are right, or both wrong, say nothing.

    Parameters
    ----------
    right, before : bool array (n_points,)
        Which records each model has right.

    Returns
    -------
    float in (0, 1]
    """
    gained, lost = int(np.sum(right & ~before)), int(np.sum(before & ~right))
    return float(bdtrc(gained - 1, gained + lost, 0.5)) if gained else 1.0
