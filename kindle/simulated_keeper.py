"""The person of a simulated study: injects what is drawn, tells the stage that was to be seen, reads traces truly."""

from collections.abc import Sequence

from drivers.simulated.living_rat import LivingRat
from drivers.simulated.pharmacology import Drug, Given
from kindle.doses import INJECTION_ANSWERS
from kindle.errors import ConfigError
from kindle.exchange import TRACE_READINGS, Dose
from kindle.experimenter import Answer, Unattended
from kindle.progress import Progress, Read
from kindle.protocols.injecting import Injection
from kindle.scorebook import LATER


class Keeper(Unattended):
    """For one session with ``rat``; as a listener it knows how late it is in the recording."""

    def __init__(self, rat: LivingRat, drugs: Sequence[Drug], injections: Sequence[Injection]) -> None:
        self._rat = rat
        self._drugs = {drug.name: drug for drug in drugs}
        self._to_inject = list(injections)
        self._now_s = rat.began_s

    def heard(self, progress: Progress) -> None:
        if isinstance(progress, Read):
            n_samples = progress.first_sample + progress.block.shape[1]
            self._now_s = self._rat.began_s + n_samples / self._rat.rate_hz

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        if choices == INJECTION_ANSWERS:
            self._inject(self._to_inject.pop(0))
            return lambda: "given"
        if LATER in choices:
            stage = f"{self._rat.life.last_stage:g}"
            return lambda: stage
        if choices == TRACE_READINGS:
            seen = "afterdischarge" if self._rat.heard[-1].discharge_us is not None else "none"
            return lambda: seen
        return super().ask(text, choices)

    def _inject(self, injection: Injection) -> None:
        """A vehicle does nothing. Raises ``ConfigError`` for a substance whose action is not simulated."""
        if not isinstance(injection.dose, Dose):
            return
        drug = self._drugs.get(injection.dose.substance)
        if drug is None:
            raise ConfigError(f"{injection.dose.substance} is not simulated; there are: {', '.join(self._drugs)}")
        really = None if injection.drawn is None else injection.drawn.given_mg_per_kg
        mg_per_kg = injection.dose.mg_per_kg if really is None else really
        self._rat.life.inject(Given(drug, mg_per_kg, self._now_s))
