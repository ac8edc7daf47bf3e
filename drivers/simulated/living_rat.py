"""A rat on the bench whose threshold, discharges and stages come from its life, and whose life goes on with each."""

from dataclasses import dataclass, field

from drivers.simulated.life import Life
from drivers.simulated.rat import Heard, Phase, SimulatedRat


@dataclass
class LivingRat(SimulatedRat):
    """For one session; ``began_s`` is the time of the animal's life at which the bench's clock stood at 0."""

    life: Life = field(kw_only=True)
    began_s: float = field(default=0.0, kw_only=True)

    def _respond(self, train: list[Phase]) -> Heard:
        reaction = self.life.reaction(self.began_s + train[0].start_us * 1e-6)
        self.threshold_ua = reaction.threshold_ua
        self.discharge_s = (reaction.discharge_s, reaction.discharge_s)
        heard = super()._respond(train)
        self.life.had(reaction, heard.discharge_us is not None)
        return heard


def living_rat(life: Life, rate_hz: float, began_s: float) -> LivingRat:
    """The animal at the beginning of a session: its EEG differs from session to session."""
    seed = life.nature.seed ^ life.n_trains
    return LivingRat(life.nature.threshold_ua, seed, rate_hz, life=life, began_s=began_s)
