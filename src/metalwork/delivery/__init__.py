"""A trained run at work: predicting new records, serving, exporting, and watching for drift."""

from metalwork._public import offer
from metalwork.delivery._predictor import Predictor
from metalwork.delivery._reading import Explanation
from metalwork.delivery._thresholds import Threshold

__all__ = ["Explanation", "Predictor", "Threshold"]

offer(__name__, globals())
