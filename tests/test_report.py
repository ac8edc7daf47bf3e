"""What a reader of a session's page can rely on."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure
from msgspec import structs

from detectors.criterion import EndGrade
from kindle.errors import KindleError
from kindle.exchange import Trial
from kindle.preset_reader import parameters
from kindle.protocols.threshold import Aborted, NoAfterdischarge, ThresholdFound, ThresholdOutcome, describe
from kindle.recording import open_recording
from kindle.report import write_session_report
from kindle.report.axes import label, plain_axes
from kindle.report.ladder_figure import ladder_figure
from kindle.report.markup import Html, element
from kindle.report.signals import envelope, trial_signals
from kindle.report.staircase import staircase_table
from kindle.report.svg import inline_svg
from kindle.report.trains import Train, trains
from kindle.rows import Animal
from kindle.study import Study
from tests.reported_sessions import PLAN, PRESET, Teller, Told, study_with

RAT = Animal("rat-1", strain="Wistar", note="bites <script>alert(1)</script> & squeaks")
RUNGS = PLAN.rungs_ua
FOUND = ThresholdFound(RUNGS[1], RUNGS[4])
BEFORE_GAP_S = 8.0
STORY = (
    (Told(RUNGS[0]), Told(RUNGS[1], before_s=BEFORE_GAP_S), Told(RUNGS[2], "undelivered")),
    (Told(RUNGS[2], "unseen"), Told(RUNGS[3], "unclear", "none"), Told(RUNGS[4], "two discharges")),
)
N_TRAINS = sum(len(part) for part in STORY)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Study, str]]:
    """A resumed session with a train of every kind, and its id."""
    with study_with(tmp_path_factory.mktemp("report") / "study", RAT) as study:
        teller = Teller(study, RAT.id)
        teller.recording(STORY[0], gap_after=1)
        teller.interrupted("the amplifier was unplugged", "confirmed")
        teller.recording(STORY[1])
        teller.ended(FOUND)
        yield study, teller.session


@pytest.fixture(scope="module")
def page(told: tuple[Study, str]) -> str:
    return write_session_report(*told).read_text(encoding="utf-8")


@pytest.fixture
def empty_study(tmp_path: Path) -> Iterator[Study]:
    with study_with(tmp_path / "study", RAT) as study:
        yield study


def figures(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg .*?</svg>", page, re.DOTALL)]


def figure_text(page: str, number: int) -> str:
    """What the figure of a trial says: the backend leaves the words as comments beside their outlines."""
    svg: str = re.findall(r"<svg .*?</svg>", page, re.DOTALL)[number]
    return "\n".join(re.findall(r"<!-- (.*?) -->", svg))


def section_of(page: str, number: int) -> str:
    found: list[str] = re.findall(r'<div class="trial">.*?(?=<div class="trial">|</section>)', page, re.DOTALL)
    return found[number - 1]


def rows_of(table: str) -> list[list[str]]:
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table.partition("<tbody>")[2], re.DOTALL)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]


def verdict_row(train: Train) -> list[str]:
    return rows_of(staircase_table([train]))[0]


def test_the_page_lies_in_the_study_under_the_name_of_the_session(told: tuple[Study, str]) -> None:
    study, session = told
    assert write_session_report(study, session) == study.folder / "reports" / f"{session}.html"
    assert [path.name for path in (study.folder / "reports").iterdir()] == [f"{session}.html"]


def test_the_result_stands_as_an_interval_with_rung_and_midpoint(page: str) -> None:
    assert "<strong>threshold in (9.6, 16.59] µA, midpoint 12.62 µA</strong>" in page
    assert "Classical value (the rung): 16.59 µA" in page
    assert f"{describe(FOUND)}</title>" in page


def test_every_train_has_its_row_and_its_figure(page: str) -> None:
    drawn = figures(page)
    assert len(drawn) == 1 + N_TRAINS
    table = re.search(r'<table class="numbers">.*?</table>', page, re.DOTALL)
    assert table is not None
    assert [row[0] for row in rows_of(table[0]) if row[0]] == [str(n) for n in range(1, N_TRAINS + 1)]
    for svg in drawn:
        assert max(len(path.get("d", "").split()) for path in svg.iter("path")) > 60


def test_text_of_people_is_shown_and_never_run(page: str) -> None:
    assert "bites &lt;script&gt;alert(1)&lt;/script&gt; &amp; squeaks" in page
    assert "<script" not in page


def test_the_page_needs_nothing_but_itself(page: str) -> None:
    class References(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: list[tuple[str, str]] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += [(tag, value or "") for name, value in attrs if name in ("src", "href", "xlink:href", "data")]

    parser = References()
    parser.feed(page)
    assert parser.found
    assert all(value.startswith("#") for _, value in parser.found)
    assert not re.search(r"https?:|@import|//\w", page)
    assert all(use.startswith("#") for use in re.findall(r"url\(([^)]*)\)", page))


def test_no_name_in_the_page_is_given_twice(page: str) -> None:
    names = re.findall(r'\bid="([^"]+)"', page)
    used = re.findall(r'href="#([^"]+)"', page) + re.findall(r"url\(#([^)]+)\)", page)
    assert len(names) == len(set(names))
    assert set(used) <= set(names)


def test_every_element_is_closed(page: str) -> None:
    class Balance(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag != "meta":
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    parser = Balance()
    parser.feed(page)
    assert parser.open == []


def test_the_same_journal_gives_the_same_bytes(told: tuple[Study, str], tmp_path: Path) -> None:
    first, second = (write_session_report(*told, tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second


def test_a_discharge_is_drawn_and_listed_with_onset_and_end(page: str) -> None:
    words = figure_text(page, N_TRAINS)
    assert "onset 1.88 s" in words
    assert "end 13.88 s" in words
    assert "± baseline (142 µV)" in words
    assert "± 2 × baseline" in words
    assert [row[:4] for row in rows_of(section_of(page, N_TRAINS))] == [
        ["1 primary", "1.88", "13.88", "12.00"],
        ["2 secondary", "19.07", "25.07", "6.00"],
    ]


def test_every_duration_convention_has_its_column(told: tuple[Study, str]) -> None:
    study, session = told
    row = verdict_row(trains(study.session(session))[-1])
    assert row[7:14] == ["▲ afterdischarge", "0.88", "13.88", "12.88", "12.00", "18.00", "23.20"]


def test_a_discharge_that_outlasted_the_signal_is_at_least_that_long(told: tuple[Study, str]) -> None:
    study, session = told
    train = trains(study.session(session))[-1]
    assert isinstance(train.reply, Trial)
    *before, last = train.reply.afterdischarges
    cut = structs.replace(train.reply, afterdischarges=(*before, replace(last, end_grade=EndGrade.TRUNCATED)))
    assert verdict_row(replace(train, reply=cut))[9:14] == ["13.88", "12.88", "12.00", "≥ 18.00", "≥ 23.20"]


def test_none_has_durations_of_zero_and_what_was_not_judged_has_none(told: tuple[Study, str]) -> None:
    study, session = told
    none, _, undelivered, unseen, unclear, _ = (verdict_row(train) for train in trains(study.session(session)))
    assert none[7:14] == ["○ none", "–", "0", "0", "0", "0", "0"]
    for row in (undelivered, unseen, unclear):
        assert row[8:14] == ["–"] * 6


def test_the_interval_between_trains_is_counted_within_one_recording_only(told: tuple[Study, str]) -> None:
    study, session = told
    rows = rows_of(staircase_table(trains(study.session(session))))
    intervals_s = [row[6] for row in rows if row[0]]
    assert intervals_s == ["–", "39.0", "–", "–", "–", "43.0"]


def test_a_void_trial_shows_what_was_recorded_and_why_it_is_void(page: str) -> None:
    undelivered, unseen = section_of(page, 3), section_of(page, 4)
    assert "void, no current flowed" in undelivered
    assert "the current monitor shows no current where 11.52 µA should flow" in undelivered
    assert "the TTL shows no train within 1 s of the trigger" in unseen
    assert "time since train onset (s)" in figure_text(page, 3)
    assert "time since the train was asked for (s)" in figure_text(page, 4)
    assert "baseline" not in figure_text(page, 3) + figure_text(page, 4)


def test_an_undetermined_trial_shows_where_it_was_blind_and_how_it_was_read(page: str) -> None:
    section = section_of(page, 5)
    assert "undetermined, read by the experimenter as: none" in section
    assert "the amplifier was blind for 4.5 s after the train" in section
    assert "could not be judged" in figure_text(page, 5)
    assert "<pattern" in section
    assert "<pattern" not in section_of(page, 2)


def test_lost_samples_are_shown_where_they_were_lost(told: tuple[Study, str], page: str) -> None:
    study, session = told
    second = trains(study.session(session))[1]
    assert isinstance(second.reply, Trial)
    recording = open_recording(study.folder / second.reply.recording)
    signals = trial_signals(recording, second.reply, second.asked_sample)
    assert [signals.seconds(gap) for gap in signals.eeg.gaps] == [-BEFORE_GAP_S]
    assert ["samples lost" in figure_text(page, number) for number in (1, 2, 3)] == [False, True, False]


def test_trials_of_a_resumed_session_are_drawn_from_their_own_recordings(told: tuple[Study, str]) -> None:
    study, session = told
    folders = []
    for train in trains(study.session(session)):
        assert train.reply is not None
        recording = open_recording(study.folder / train.reply.recording)
        signals = trial_signals(recording, train.reply, train.asked_sample)
        first, last = signals.eeg.first_sample, signals.eeg.first_sample + signals.eeg.values.size
        counts = np.concatenate([segment.counts[0] for segment in recording.segments])[first:last]
        np.testing.assert_array_equal(signals.eeg.values, counts * np.float32(0.5))
        assert last == train.reply.last_sample
        folders.append(train.reply.recording)
    assert len(set(folders)) == 2


def test_a_lost_recording_costs_its_figures_and_nothing_else(empty_study: Study) -> None:
    teller = Teller(empty_study, RAT.id)
    lost = teller.recording(STORY[0])
    teller.recording(STORY[1])
    teller.ended(FOUND)
    shutil.rmtree(empty_study.folder / lost)
    page = write_session_report(empty_study, teller.session).read_text(encoding="utf-8")
    assert len(figures(page)) == 1 + len(STORY[1])
    assert page.count("No figure:") == len(STORY[0])
    assert "holds no recording" in section_of(page, 1)
    assert "threshold in (9.6, 16.59] µA" in page


def test_a_session_without_outcome_is_unfinished_and_says_what_is_open(empty_study: Study) -> None:
    teller = Teller(empty_study, RAT.id)
    teller.recording([Told(RUNGS[0])], unanswered=RUNGS[1])
    page = write_session_report(empty_study, teller.session).read_text(encoding="utf-8")
    assert "<strong>unfinished</strong>" in page
    assert "a request that was not answered" in page
    assert "2 trains: 1 none, 1 unanswered." in page
    assert "not answered: the program stopped before the outcome was known" in section_of(page, 2)


def test_a_stop_that_was_not_confirmed_comes_before_the_result(empty_study: Study) -> None:
    teller = Teller(empty_study, RAT.id)
    teller.recording([Told(RUNGS[0])])
    teller.interrupted("the Pulse Pal stopped answering", "unconfirmed")
    page = write_session_report(empty_study, teller.session).read_text(encoding="utf-8")
    warning = page.index("did not confirm that it stopped: the Pulse Pal stopped answering")
    assert warning < page.index("<strong>unfinished</strong>")


def test_a_session_that_never_came_to_a_train_has_a_page(empty_study: Study) -> None:
    teller = Teller(empty_study, RAT.id)
    page = write_session_report(empty_study, teller.session).read_text(encoding="utf-8")
    assert "No train was asked for." in page
    assert figures(page) == []


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (NoAfterdischarge(RUNGS[1]), "no afterdischarge: threshold &gt; 9.6 µA"),
        (ThresholdFound(0.0, RUNGS[0]), "threshold &lt;= 8 µA (the first current already evoked an afterdischarge)"),
        (Aborted(RUNGS[0], "asked to <stop>"), "stopped: asked to &lt;stop&gt;; threshold &gt; 8 µA as far as it went"),
    ],
    ids=["right-censored", "left-censored", "stopped"],
)
def test_a_censored_result_is_never_a_number(empty_study: Study, outcome: ThresholdOutcome, words: str) -> None:
    teller = Teller(empty_study, RAT.id)
    teller.recording([Told(RUNGS[0], watch_s=2.0), Told(RUNGS[1], watch_s=2.0)])
    teller.ended(outcome)
    page = write_session_report(empty_study, teller.session).read_text(encoding="utf-8")
    assert f"<strong>{words}</strong>" in page


def test_parameters_carry_their_status_in_words(page: str) -> None:
    rows = {row[0]: row[1:] for row in rows_of(page[page.index("Parameters in force") :].partition("</table>")[0])}
    assert rows["<code>start_ua</code>"][:2] == ["8", '<span class="unverified">unverified</span>']
    assert rows["<code>max_ua</code>"][:2] == ["900", '<span class="laboratory">set by this laboratory</span>']
    assert list(rows) == [f"<code>{parameter.name}</code>" for parameter in parameters(PRESET)]


def test_charge_warnings_of_the_planned_series_are_shown(page: str) -> None:
    assert "Warned of when the session began, for 10 currents of its series. From 147.9 µA on" in page
    assert "exceeds the 40 µC/cm2 given for stainless steel" in page
    assert "reaches the damage boundary of 1.85" in page


def test_the_page_can_be_traced_to_the_journal(told: tuple[Study, str], page: str) -> None:
    study, session = told
    rows = study.journal.rows(session)
    assert f"<td>{rows[0].seq} to {rows[-1].seq}</td>" in page
    assert f"<code>{study.journal.head_hash}</code>" in page
    assert "interrupted: the amplifier was unplugged; stop of the stimulator: confirmed" in page
    assert "resumed, with a recording of its own: recordings/rat-1/2_threshold" in page
    assert "signal-2.eeg" in page


def test_a_page_that_cannot_be_written_says_where(told: tuple[Study, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KindleError, match=r"cannot write the report .*page\.html"):
        write_session_report(*told, tmp_path / "file" / "page.html")


def test_the_ladder_shades_the_interval_and_marks_every_state(told: tuple[Study, str]) -> None:
    study, session = told
    figure = ladder_figure(trains(study.session(session)), FOUND)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == [
        *("afterdischarge", "none", "undetermined", "void"),
        *("threshold in (9.6, 16.59] µA", "midpoint 12.62 µA"),
    ]
    markers = {line.get_marker() for line in figure.axes[0].get_lines() if line.get_linestyle() == "None"}
    assert len(markers) == 4


def test_names_are_text_and_not_formulas() -> None:
    figure = Figure()
    label(plain_axes(figure, (1, 1, 3, 3)), "$\\frac{", "<b>$")
    assert "<b>" not in inline_svg(figure, "figure", "<i>")


def test_text_becomes_markup_only_by_being_escaped() -> None:
    built = element("p", "a < b", Html("<br>"), class_='"quoted"')
    assert built == '<p class="&quot;quoted&quot;">a &lt; b<br></p>'


@given(
    values=arrays(np.float32, st.integers(1, 400), elements=st.floats(-1e4, 1e4, width=32)),
    columns=st.integers(1, 50),
)
def test_drawing_fewer_points_loses_no_extreme(values: np.ndarray, columns: int) -> None:
    positions, drawn = envelope(values, columns)
    assert drawn.size <= 2 * columns
    assert (drawn.min(), drawn.max()) == (values.min(), values.max())
    assert positions[0] >= 0
    assert positions[-1] <= values.size - 1
    assert np.all(np.diff(positions) >= 0)
    assert abs(positions[np.argmax(drawn)] - np.argmax(values)) <= values.size / columns + 1
