"""What trying settings on dev records found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final, Self

from metalwork.analysis import Share
from metalwork.pipeline._settings import EndModelSettings, LabelModelSettings

LABEL_MODEL: Final = "label model"
END_MODEL: Final = "end model"
SURE: Final = 0.05
"""Settings other than the project's are chosen where such a gain would be luck less often than this."""


@dataclass(frozen=True)
class TriedSetting:
    """One setting.

    Attributes
    ----------
    part : "label model" or "end model"
    setting : str
        What it changes of the project's settings.
    n_right : int
        Dev records on which it is right, by models that did not see them. These figures choose, so the best of
        several is flattered.
    doubt : float in (0, 1], optional
        How likely one of the settings tried would gain so much on the project's by luck; None of the latter.
    chosen : bool
    """

    part: str
    setting: str
    n_right: int
    doubt: float | None
    chosen: bool


@dataclass(frozen=True)
class Tuned:
    """The settings chosen, all that were tried, and how good the choice is on records that had no part in it.

    Attributes
    ----------
    label_model, end_model : settings
        Those chosen.
    tried : tuple of TriedSetting
    n_dev, n_folds : int
        Dev records with known labels, and into how many folds they were dealt.
    honest : dict of part to int
        Records on which the choice is right that was made without their fold: what to expect of it.
    n_fitted : dict of part to int
        How many models were fitted.
    """

    label_model: LabelModelSettings
    end_model: EndModelSettings
    tried: tuple[TriedSetting, ...]
    n_dev: int
    n_folds: int
    honest: Mapping[str, int]
    n_fitted: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        chosen = {
            "label_model": self.label_model.model_dump(exclude_unset=True),
            "end_model": self.end_model.model_dump(exclude_unset=True),
        }
        rest = {name: getattr(self, name) for name in ("n_dev", "n_folds", "honest", "n_fitted")}
        return {"chosen": chosen, "tried": [asdict(one) for one in self.tried], **rest}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Self:
        """The same, of what :meth:`to_dict` gave."""
        return cls(
            LabelModelSettings.model_validate(found["chosen"]["label_model"]),
            EndModelSettings.model_validate(found["chosen"]["end_model"]),
            tuple(TriedSetting(**one) for one in found["tried"]),
            *(found[name] for name in ("n_dev", "n_folds", "honest", "n_fitted")),
        )

    def rows(self) -> list[list[str]]:
        """A row a setting: model, setting, dev records right, interval, doubt, and whether it was chosen."""
        return [
            [
                one.part,
                one.setting,
                f"{one.n_right / self.n_dev:.1%}",
                self._interval(one.n_right),
                "-" if one.doubt is None else f"{one.doubt:.2f}",
                "yes" if one.chosen else "",
            ]
            for one in self.tried
        ]

    HEADS: ClassVar = ("model", "setting", "right on dev", "95 % interval", "luck", "chosen")

    def notes(self) -> tuple[str, ...]:
        """What was found, in sentences."""
        parts = [part for part in (LABEL_MODEL, END_MODEL) if any(one.part == part for one in self.tried)]
        return (*(self._choice(part) for part in parts), self._honestly(), self._cost())

    def _choice(self, part: str) -> str:
        given, *others = [one for one in self.tried if one.part == part]
        best = max(others, key=lambda one: one.n_right, default=given)
        if best.n_right <= given.n_right:
            return f"No {part} tried is right on more of the {self.n_dev:,} dev records than the project's."
        doubt = f"one of {len(others)} would gain so much by luck with probability {best.doubt:.2g}"
        both = f"{best.setting} ({best.n_right:,} right) from the project's ({given.n_right:,} right)"
        if best.chosen:
            return f"{self.n_dev:,} dev records tell the {part} with {both}: {doubt}. It was chosen."
        left = "The project's stays; more dev labels would tell."
        return f"{self.n_dev:,} dev records cannot tell the {part} with {both}: {doubt}. {left}"

    def _honestly(self) -> str:
        figures = [f"the {part} {n / self.n_dev:.1%} ({self._interval(n)})" for part, n in self.honest.items()]
        how = f"Each of {self.n_folds} folds of dev is judged by models and settings that the other folds chose."
        return f"Expect of the choice, by cross-validation: {', '.join(figures)}. {how}"

    def _cost(self) -> str:
        fitted = " and ".join(f"{n:,} {part}s" for part, n in self.n_fitted.items() if n)
        return f"It took {fitted}."

    def _interval(self, n_right: int) -> str:
        share = Share.of(n_right / self.n_dev, self.n_dev)
        assert share is not None
        return f"{share.low:.1%} to {share.high:.1%}"
