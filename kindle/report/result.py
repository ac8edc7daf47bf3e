"""Whose session this was, and what came out of it."""

from detectors.criterion import Verdict
from kindle.exchange import Trial
from kindle.protocols.catalogue import describe_outcome as describe
from kindle.protocols.threshold import ThresholdFound
from kindle.report.markup import NOTHING, Html, element, joined
from kindle.report.trains import State, Train
from kindle.report.wording import typeset, utc
from kindle.rows import Animal
from kindle.session_view import SessionView

_HEADINGS = {
    "threshold": "afterdischarge threshold",
    "kindling": "kindling session",
    "drug-test": "anticonvulsant test",
    "ptz": "pentylenetetrazol test",
    "electroshock": "maximal electroshock test",
}


def title(view: SessionView) -> str:
    return f"{view.started.animal}, {utc(view.started_utc)}: {describe(view.outcome) if view.outcome else 'unfinished'}"


def heading(study_name: str, animal: Animal, view: SessionView) -> Html:
    started = view.started
    facts = (animal.species, animal.strain, animal.sex, animal.note)
    return element(
        "header",
        element("h1", f"{animal.id}: {_HEADINGS.get(started.protocol, started.protocol)}"),
        element(
            "p",
            f"{utc(view.started_utc)} · preset {started.plan.preset} · study {study_name} · rig {started.rig}"
            + (" (a simulated rat)" if started.simulated else ""),
            class_="about",
        ),
        element("p", " · ".join(fact for fact in facts if fact), class_="about"),
    )


def result(view: SessionView, series: list[Train]) -> Html:
    lines: list[str] = []
    outcome = view.outcome
    headline = "unfinished" if outcome is None else typeset(describe(outcome))
    if isinstance(outcome, ThresholdFound):
        lines.append(f"Classical value (the rung): {outcome.rung_ua:.4g} µA. {_midpoint(outcome)}")
        lines += _first_discharge(series)
    if outcome is None:
        lines.append(_so_far(view))
    counts = ((state, sum(train.state is state for train in series)) for state in State)
    told = ", ".join(f"{count} {state}" for state, count in counts if count)
    lines.append(f"{len(series)} train{'' if len(series) == 1 else 's'}{f': {told}' if told else ''}.")
    return element("div", element("strong", headline), *(element("p", line) for line in lines), class_="result")


def _midpoint(outcome: ThresholdFound) -> str:
    if outcome.above_ua > 0:
        return f"Midpoint of the interval (geometric): {outcome.midpoint_ua:.4g} µA."
    return "The interval has no lower end, hence no midpoint."


def _first_discharge(series: list[Train]) -> list[str]:
    replies = [train.reply for train in series]
    for trial in replies:
        if isinstance(trial, Trial) and trial.verdict is Verdict.AFTERDISCHARGE:
            n = len(trial.afterdischarges)
            words = f"{trial.durations.from_first_spike:.1f} s from its first to its last spike"
            more = f", {trial.durations.total:.1f} s over its {n} discharges" if n > 1 else ""
            return [f"Afterdischarge at {trial.train.current_ua:.4g} µA: {words}{more}."]
    return []


def _so_far(view: SessionView) -> str:
    if view.unanswered:
        return "The journal ends with a request that was not answered; running the protocol again resumes it."
    if view.interruptions:
        return f"Interrupted: {typeset(view.interruptions[-1].reason)}. Running the protocol again resumes it."
    return "The journal holds no outcome yet; running the protocol again resumes it."


def warnings(view: SessionView) -> Html:
    """An unconfirmed stop of the stimulator comes before everything else."""
    unconfirmed = [stop for stop in view.interruptions if stop.stimulator_stop == "unconfirmed"]
    if not unconfirmed:
        return NOTHING
    return joined(
        *(
            element("p", f"The stimulator did not confirm that it stopped: {typeset(stop.reason)}", class_="warning")
            for stop in unconfirmed
        )
    )
