"""Scales, stamps and items: a stage is never without its scale, and nothing that was entered is ever lost."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindle.behaviour import ItemStamp, NotOnTheScale, Scoring, StageStamp, Stamp, Undo
from kindle.errors import ConfigError, KindleError
from kindle.ethogram import ethograms, load_ethogram
from kindle.exchange import Scored
from kindle.experimenter import ItemMark, Mark, StageMark, TakeBack, Unattended
from kindle.scale import conversions, converted, load_scale, scales
from kindle.scorebook import LATER, Scorebook, choices_of, question_for, scored


class TestScales:
    def test_the_named_scales_are_there(self) -> None:
        assert scales() == (
            "etsp",
            "guide_2025",
            "hannover",
            "luttjohann_2009",
            "mares_pohl",
            "pinel_rovner_1978",
            "racine_1972",
            "racine_group_1998",
        )

    @pytest.mark.parametrize("id", scales())
    def test_the_stages_of_each_scale_rise_from_zero(self, id: str) -> None:
        scale = load_scale(id)
        values = [stage.stage for stage in scale.stages]
        assert scale.id == id
        assert values[0] == 0.0
        assert values == sorted(set(values))
        assert scale.citation
        assert scale.generalised_from.source

    def test_the_scale_of_the_guide_has_its_exact_wording(self) -> None:
        """BenchChem technical guide 2025, table 3; domain reference, section 13."""
        scale = load_scale("guide_2025")
        assert [(stage.stage, stage.wording) for stage in scale.stages] == [
            (0, "No response"),
            (1, "Ear and facial twitching"),
            (2, "Myoclonic jerks without upright posture"),
            (3, "Myoclonic jerks with upright posture"),
            (4, "Clonic-tonic seizures"),
            (5, "Generalized clonic-tonic seizures with loss of posture"),
        ]
        assert all(stage.status == "retrieved" for stage in scale.stages)

    @pytest.mark.parametrize("id", ["racine_1972", "pinel_rovner_1978", "luttjohann_2009", "mares_pohl"])
    def test_what_is_from_memory_stays_marked(self, id: str) -> None:
        assert all(stage.status == "unverified" for stage in load_scale(id).stages)

    def test_an_intermediate_stage_exists_only_where_the_scale_has_it(self) -> None:
        assert load_scale("mares_pohl").stage(0.5).wording.startswith("abnormal behaviour")
        with pytest.raises(NotOnTheScale, match=r"racine_1972@1 has no stage 0\.5; it has: 0, 1, 2, 3, 4, 5"):
            load_scale("racine_1972").stage(0.5)

    def test_a_version_that_is_not_there_is_refused(self) -> None:
        assert load_scale("etsp@1") is load_scale("etsp@1")
        with pytest.raises(ConfigError, match="not known to this program; it has etsp@1"):
            load_scale("etsp@2")

    def test_an_unknown_scale_names_those_that_there_are(self) -> None:
        with pytest.raises(ConfigError, match="no behavioural scale 'racine'; there are: etsp, guide_2025"):
            load_scale("racine")


class TestConversions:
    def test_every_table_holds_stages_of_its_scales_once(self) -> None:
        for table in conversions():
            source, target = load_scale(table.from_scale), load_scale(table.to_scale)
            assert len({mapped.from_ for mapped in table.stages}) == len(table.stages)
            for mapped in table.stages:
                assert source.stage(mapped.from_)
                assert target.stage(mapped.to)

    def test_what_lies_beyond_racine_becomes_his_last_stage_and_says_that_something_was_lost(self) -> None:
        mapped = converted(7, "pinel_rovner_1978", "racine_1972")
        assert (mapped.to, mapped.lossy) == (5.0, True)

    def test_a_conversion_that_merges_stages_is_marked_as_lossy(self) -> None:
        for table in conversions():
            targets = [mapped.to for mapped in table.stages]
            for mapped in table.stages:
                assert mapped.lossy or targets.count(mapped.to) == 1

    def test_stage_four_of_the_guide_is_never_taken_for_stage_four_of_racine(self) -> None:
        """Rearing in one and clonic-tonic in the other; domain reference, section 13."""
        with pytest.raises(ConfigError, match="equal numbers mean different seizures"):
            converted(4, "guide_2025", "racine_1972")

    def test_a_stage_without_a_counterpart_is_refused(self) -> None:
        with pytest.raises(ConfigError, match=r"stage 3 of racine_group_1998@1 has no counterpart on racine_1972@1"):
            converted(3, "racine_group_1998", "racine_1972")

    def test_a_scale_converts_to_itself(self) -> None:
        assert converted(4, "etsp", "etsp@1").to == 4


class TestEthograms:
    @pytest.mark.parametrize("id", ethograms())
    def test_every_item_has_a_key_of_its_own(self, id: str) -> None:
        items = load_ethogram(id).items
        assert len({item.key for item in items}) == len({item.item for item in items}) == len(items)
        assert not {item.key for item in items} & {*"0123456789", "V", "N"}

    def test_the_items_of_ashton_are_there(self) -> None:
        """Ashton & Wauquier 1979; domain reference, section 5."""
        named = {item.item for item in load_ethogram("kindling").items if item.status == "retrieved"}
        assert named == {
            "ipsilateral_turning", "eye_closure", "rearing", "falling", "facial_clonus", "forelimb_clonus",
            "hindlimb_clonus", "hindlimb_tonus", "wet_dog_shake",
        }  # fmt: skip


stamps = st.one_of(
    st.builds(StageStamp, st.integers(0, 1000), st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])),
    st.builds(
        ItemStamp,
        st.integers(0, 1000),
        st.sampled_from(["wet_dog_shake", "forelimb_clonus"]),
        st.sampled_from(("event", "begins", "ends")),
    ),
    st.just("undo"),
)


def entered(entries: list[Stamp | str]) -> tuple[Scoring, list[Stamp]]:
    """The scoring, and beside it what a person who rubs out would have on paper."""
    scoring, paper = Scoring("racine_1972@1"), list[Stamp]()
    for n, entry in enumerate(entries):
        if isinstance(entry, str):
            if paper:
                scoring = scoring.undone(n)
                paper.pop()
        else:
            scoring = scoring.stamped(entry)
            paper.append(entry)
    return scoring, paper


class TestScoring:
    @given(st.lists(stamps, max_size=30))
    def test_undoing_leaves_what_rubbing_out_would_leave_and_loses_nothing(self, entries: list[Stamp | str]) -> None:
        scoring, paper = entered(entries)
        assert scoring.standing == tuple(sorted(paper, key=lambda stamp: stamp.sample))
        kept = [stamp for stamp in scoring.stamps if not isinstance(stamp, Undo)]
        assert kept == [entry for entry in entries if not isinstance(entry, str)]
        assert scoring.highest == max((s.stage for s in paper if isinstance(s, StageStamp)), default=None)

    @given(st.lists(stamps, max_size=30))
    def test_a_scoring_survives_the_journal(self, entries: list[Stamp | str]) -> None:
        scoring, _ = entered(entries)
        assert msgspec.json.decode(msgspec.json.encode(scoring), type=Scoring) == scoring

    @given(st.lists(stamps, max_size=30))
    def test_spans_do_not_overlap_and_lie_inside_the_observation(self, entries: list[Stamp | str]) -> None:
        scoring, _ = entered(entries)
        spans = scoring.spans_of("forelimb_clonus", until=1000)
        edges = [sample for span in spans for sample in span]
        assert edges == sorted(edges)
        assert all(0 <= sample <= 1000 for sample in edges)

    def test_a_trial_without_a_stage_is_not_one_of_stage_zero(self) -> None:
        assert Scoring("racine_1972@1").highest is None
        assert Scoring("racine_1972@1", (StageStamp(0, 0.0),)).highest == 0.0

    def test_latencies_are_read_from_the_first_stage_that_was_high_enough(self) -> None:
        scoring = Scoring("racine_1972@1", (StageStamp(10, 1.0), StageStamp(30, 5.0), StageStamp(20, 3.0)))
        assert scoring.first_at_least(3.0) == 20
        assert scoring.first_at_least(4.0) == 30
        assert scoring.first_at_least(6.0) is None

    def test_a_stage_entered_twice_is_one_transition(self) -> None:
        scoring = Scoring("racine_1972@1", (StageStamp(10, 1.0), StageStamp(20, 1.0), StageStamp(30, 2.0)))
        assert [stamp.sample for stamp in scoring.transitions] == [10, 30]

    def test_items_are_counted_and_stretches_measured(self) -> None:
        scoring = Scoring(
            "racine_1972@1",
            (
                ItemStamp(10, "wet_dog_shake"),
                ItemStamp(40, "wet_dog_shake"),
                ItemStamp(20, "forelimb_clonus", "begins"),
                ItemStamp(30, "forelimb_clonus", "ends"),
                ItemStamp(50, "forelimb_clonus", "begins"),
            ),
        )
        assert scoring.count_of("wet_dog_shake") == 2
        assert scoring.first_of("forelimb_clonus") == 20
        assert scoring.spans_of("forelimb_clonus", until=60) == ((20, 30), (50, 60))

    def test_nothing_can_be_taken_back_twice(self) -> None:
        scoring = Scoring("racine_1972@1", (StageStamp(10, 1.0),)).undone(20)
        with pytest.raises(KindleError, match="nothing has been scored"):
            scoring.undone(30)
        with pytest.raises(KindleError, match="no stamp 0 to take back"):
            scoring.stamped(Undo(30, 0))


class Marks(Unattended):
    def __init__(self, *marks: Mark) -> None:
        self._marks = list(marks)

    def mark(self) -> Mark | None:
        return self._marks.pop(0) if self._marks else None


class TestScorebook:
    def test_a_mark_gets_the_sample_at_which_it_was_heard(self) -> None:
        book = Scorebook(Marks(StageMark(1.0), StageMark(4.0), TakeBack(), ItemMark("falling")))
        book.look(700)
        scoring = book.scoring("racine_1972")
        assert scoring.scale == "racine_1972@1"
        assert scoring.standing == (StageStamp(700, 1.0), ItemStamp(700, "falling"))

    def test_a_mark_that_fits_nothing_is_kept_in_words(self) -> None:
        book = Scorebook(Marks(StageMark(9.0), TakeBack(), TakeBack()))
        book.look(5)
        scoring = book.scoring("racine_1972")
        assert scoring.highest is None
        assert "racine_1972@1 has no stage 9" in str(scoring.stamps[0])
        assert len(scoring.stamps) == 3

    def test_a_new_train_begins_a_new_scoring(self) -> None:
        book = Scorebook(Marks(StageMark(1.0)))
        book.look(5)
        book.begin()
        assert book.scoring("racine_1972").stamps == ()

    def test_death_is_noticed(self) -> None:
        book = Scorebook(Marks(ItemMark("death")))
        assert not book.died
        book.look(5)
        assert book.died

    def test_the_cautious_answer_leaves_the_stage_open(self) -> None:
        """With nobody at the rig the trial waits to be scored; it is not stage 0."""
        scoring = Scoring("racine_1972@1", (StageStamp(5, 3.0),))
        assert choices_of("racine_1972") == (LATER, "0", "1", "2", "3", "4", "5")
        assert question_for(scoring) == "Highest stage on racine_1972@1? (marked: 3)"
        assert scored(scoring, LATER) == Scored("racine_1972@1", None, scoring.stamps)
        assert scored(scoring, "4") == Scored("racine_1972@1", 4.0, scoring.stamps)
