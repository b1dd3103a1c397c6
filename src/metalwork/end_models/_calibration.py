"""How sure a network is, set right by records of known label."""

from typing import Final

import numpy as np
from scipy.optimize import minimize_scalar

from metalwork._checks import BoolArray, FloatArray

SPREAD: Final = 0.5
"""Standard deviation of the log power believed beforehand: networks are about as sure as they ought to be."""
_MOST: Final = 3.0


def fit_power(log_proba: FloatArray, admitted: BoolArray) -> float:
    """The power to which probabilities are to be raised, so that known labels become likeliest.

    Temperature scaling (Guo et al., 2017), with a log-normal prior that keeps a few records from deciding much.

    Parameters
    ----------
    log_proba : float array (n_points, n_end_labels)
        Log probabilities of the end labels.
    admitted : bool array (n_points, n_end_labels)
        Which end labels the known label of each record admits; several where it is coarse.
    """

    def loss(log_power: float) -> float:
        raised = np.exp(log_power) * log_proba
        found = np.logaddexp.reduce(np.where(admitted, raised, -np.inf), axis=1)
        likelihood = (found - np.logaddexp.reduce(raised, axis=1)).sum()
        return float(log_power**2 / (2.0 * SPREAD**2) - likelihood)

    return float(np.exp(minimize_scalar(loss, bounds=(-_MOST, _MOST), method="bounded").x))
