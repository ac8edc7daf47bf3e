"""NWB, Open Ephys, FIF, EEGLAB and BrainVision as other programs write them: channels, roles, gaps, stimuli."""

import builtins
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.criterion import Stimulus
from kindle.errors import ConfigError, RecordingError
from kindle.loading import Loaded, Note, chosen, load
from kindle.stimulus_spec import Automatic, parse_stimulus, trains

RATE_HZ = 500.0
BEGUN = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


def counts(n_samples: int, n_channels: int, seed: int = 0) -> NDArray[np.int16]:
    """``(n_samples, n_channels)``."""
    return np.random.default_rng(seed).integers(-3000, 3000, (n_samples, n_channels)).astype(np.int16)


def found_trains(signals: Loaded, path: Path, spec: str | None = None) -> list[Stimulus]:
    wanted = Automatic() if spec is None else parse_stimulus(spec)
    return trains(signals, wanted, brain=signals.brain, train_s=1.0, path=path)


def without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the package had not been installed."""
    imported = builtins.__import__

    def importing(wanted: str, *rest: Any) -> Any:
        if wanted.partition(".")[0] == name:
            raise ImportError(wanted)
        return imported(wanted, *rest)

    monkeypatch.setattr(builtins, "__import__", importing)


class TestNwb:
    @pytest.fixture
    def pynwb(self) -> Any:
        return pytest.importorskip("pynwb")

    def written(self, path: Path, pynwb: Any, series: Sequence[Mapping[str, Any]], **others: Any) -> Path:
        """Electrical series of two electrodes, ``series`` as pynwb takes them."""
        file = pynwb.NWBFile("x", "x", BEGUN)
        group = file.create_electrode_group("g", "d", "CA1", device=file.create_device("amplifier"))
        file.add_electrode_column("label", "name")
        for label in ("HPC", "CTX"):
            file.add_electrode(group=group, location="CA1", label=label)
        for one in series:
            region = file.create_electrode_table_region([0, 1], "both")
            file.add_acquisition(pynwb.ecephys.ElectricalSeries(electrodes=region, **one))
        for name, add in others.items():
            add(file, name)
        with pynwb.NWBHDF5IO(path, "w") as io:
            io.write(file)
        return path

    def test_conversion_names_and_start_are_those_of_the_file(self, tmp_path: Path, pynwb: Any) -> None:
        data = counts(5000, 2)
        one = {
            "name": "raw", "data": data, "rate": RATE_HZ, "conversion": 0.5e-6, "starting_time": 2.0,
            "channel_conversion": [1.0, 2.0],
        }  # fmt: skip
        signals = load(self.written(tmp_path / "a.nwb", pynwb, [one]))
        assert (signals.names, signals.brain) == (("HPC", "CTX"), ("HPC", "CTX"))
        # The first sample lies 2 s behind the reference.
        assert signals.start_utc == BEGUN + timedelta(seconds=2)
        np.testing.assert_allclose(signals.read(["CTX", "HPC"], 100, 900), data[100:900, ::-1].T * [[1.0], [0.5]])
        assert [track.step for track in signals.tracks] == pytest.approx([0.5, 1.0])

    def test_series_that_follow_one_another_have_a_gap_between_them(self, tmp_path: Path, pynwb: Any) -> None:
        series = [
            {"name": f"eeg{n}", "data": counts(1000, 2, n), "rate": RATE_HZ, "starting_time": 5.0 * n} for n in (0, 1)
        ]
        signals = load(self.written(tmp_path / "a.nwb", pynwb, series))
        assert signals.gaps == ((1000, 2500),)
        np.testing.assert_allclose(signals.read(["HPC"], 2500, 3500)[0], counts(1000, 2, 1)[:, 0] * 1e6)

    def test_series_at_the_same_time_are_refused(self, tmp_path: Path, pynwb: Any) -> None:
        series = [
            {"name": f"eeg{n}", "data": counts(1000, 2), "rate": RATE_HZ, "starting_time": 1.0 * n} for n in (0, 1)
        ]
        path = self.written(tmp_path / "a.nwb", pynwb, series)
        with pytest.raises(RecordingError, match="two samples for the same time at 1"):
            load(path)

    def test_time_stamps_with_a_jump_are_a_gap(self, tmp_path: Path, pynwb: Any) -> None:
        times = np.arange(2000) / RATE_HZ
        times[1200:] += 3.0
        signals = load(
            self.written(tmp_path / "a.nwb", pynwb, [{"name": "raw", "data": counts(2000, 2), "timestamps": times}])
        )
        assert (signals.rate_hz, signals.gaps) == (RATE_HZ, ((1200, 2700),))

    def test_irregular_time_stamps_are_refused(self, tmp_path: Path, pynwb: Any) -> None:
        times = np.cumsum(np.random.default_rng(0).uniform(0.001, 0.01, 2000))
        path = self.written(tmp_path / "a.nwb", pynwb, [{"name": "r", "data": counts(2000, 2), "timestamps": times}])
        with pytest.raises(RecordingError, match="not sampled at one rate"):
            load(path)

    def test_a_stimulus_series_and_intervals_mark_trains(self, tmp_path: Path, pynwb: Any) -> None:
        gate = np.zeros(10_000)
        gate[2500:3000] = 5.0

        def stimulus(file: Any, name: str) -> None:
            file.add_stimulus(pynwb.TimeSeries(name=name, data=gate, unit="volts", rate=RATE_HZ, starting_time=0.0))

        def marks(file: Any, name: str) -> None:
            table = pynwb.epoch.TimeIntervals(name=name, description="d")
            table.add_column("label", "what")
            table.add_interval(start_time=5.0, stop_time=6.0, label="stim 100 uA")
            table.add_interval(start_time=9.0, stop_time=9.5, label="grooming")
            file.add_time_intervals(table)

        one = {"name": "raw", "data": counts(10_000, 2), "rate": RATE_HZ, "conversion": 1e-7, "starting_time": 0.0}
        path = self.written(tmp_path / "a.nwb", pynwb, [one], gate=stimulus, marks=marks)
        signals = load(path)
        assert signals.stimulus == ("gate",)
        assert signals.notes == (Note(5.0, 1.0, "stim 100 uA"), Note(9.0, 0.5, "grooming"))
        assert found_trains(signals, path) == [Stimulus(2500, 3000)]
        assert found_trains(signals, path, "annotation:stim") == [Stimulus(2500, 3000)]

    def test_where_nothing_was_acquired_the_lfp_is_read_and_annotation_series_are_notes(
        self, tmp_path: Path, pynwb: Any
    ) -> None:
        data = counts(2000, 2)

        def lfp(file: Any, name: str) -> None:
            region = file.create_electrode_table_region([0, 1], "both")
            series = pynwb.ecephys.ElectricalSeries(
                name="one", data=data, rate=RATE_HZ, conversion=1e-6, starting_time=1.0, electrodes=region
            )
            module = file.create_processing_module(name=name, description="d")
            module.add(pynwb.ecephys.LFP(electrical_series=series))

        def said(file: Any, name: str) -> None:
            words = ["stim", "größer"]
            file.add_acquisition(
                pynwb.misc.AnnotationSeries(name=name, data=words, timestamps=[2.0, 3.5], description="d")
            )

        signals = load(self.written(tmp_path / "a.nwb", pynwb, [], ecephys=lfp, said=said))
        np.testing.assert_allclose(signals.read(["CTX"], 0, 2000)[0], data[:, 1])
        assert signals.notes == (Note(1.0, 0.0, "stim"), Note(2.5, 0.0, "größer"))
        assert signals.start_utc is not None
        assert (signals.start_utc - BEGUN).total_seconds() == 1.0

    def test_events_are_notes_with_or_without_a_duration(self, tmp_path: Path, pynwb: Any) -> None:
        if not hasattr(pynwb.NWBFile, "create_events_table"):
            pytest.skip("this pynwb has no events tables")

        def events(file: Any, name: str) -> None:
            table = file.create_events_table(name=name, description="d")
            table.add_column("duration", "how long", col_cls=pynwb.event.DurationVectorData)
            table.add_column("annotation", "what")
            table.add_row(timestamp=2.0, duration=1.0, annotation="stim 100 uA")
            table.add_row(timestamp=3.5, duration=float("nan"), annotation="groom")

        one = {"name": "raw", "data": counts(5000, 2), "rate": RATE_HZ, "starting_time": 0.0}
        signals = load(self.written(tmp_path / "a.nwb", pynwb, [one], marks=events))
        assert signals.notes == (Note(2.0, 1.0, "stim 100 uA"), Note(3.5, 0.0, "groom"))

    def test_a_file_without_signals_or_that_is_none_is_refused(self, tmp_path: Path, pynwb: Any) -> None:
        empty, text = self.written(tmp_path / "a.nwb", pynwb, []), tmp_path / "b.nwb"
        text.write_text("not NWB")
        for path, why in ((empty, "holds no signals"), (text, "cannot be read as an NWB file")):
            with pytest.raises(RecordingError, match=why) as refused:
                load(path)
            assert "\n" not in str(refused.value)

    def test_without_the_extra_the_person_hears_which_to_install(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.nwb").write_bytes(b"")
        without("pynwb", monkeypatch)
        with pytest.raises(RecordingError, match=r"pip install 'kindle-eeg\[nwb\]'"):
            load(tmp_path / "a.nwb")


class TestOpenEphys:
    """A folder as the GUI's manual describes the binary format of version 0.6."""

    @pytest.fixture(autouse=True)
    def _neo(self) -> None:
        pytest.importorskip("neo")

    def recorded(
        self,
        folder: Path,
        blocks: Sequence[tuple[int, int]],
        *,
        edges: Sequence[tuple[int, int]] = (),
        recording: int = 1,
        experiment: int = 1,
    ) -> Path:
        """``blocks`` are first sample number and length; ``edges`` are sample number and state of line 1 or more."""
        home = folder / "Record Node 101" / f"experiment{experiment}" / f"recording{recording}"
        stream, ttl = "Acquisition_Board-100.acquisition_board", "Acquisition_Board-100.acquisition_board/TTL"
        names = ["CH1", "CH2", "ADC1"]
        channels = [
            {"channel_name": name, "bit_volts": 0.195 if name[0] == "C" else 0.0001, "units": unit}
            for name, unit in zip(names, ("uV", "uV", "V"), strict=True)
        ]
        structure = {
            "GUI version": "0.6.7",
            "continuous": [
                {"folder_name": f"{stream}/", "sample_rate": RATE_HZ, "stream_name": "acquisition_board",
                 "num_channels": 3, "channels": channels}
            ],
            "events": [
                {"folder_name": f"{ttl}/", "channel_name": "TTL", "sample_rate": RATE_HZ, "type": "int16",
                 "stream_name": "acquisition_board", "source_processor": "Acquisition Board"}
            ],
            "spikes": [],
        }  # fmt: skip
        continuous, events = home / "continuous" / stream, home / "events" / ttl
        continuous.mkdir(parents=True)
        events.mkdir(parents=True)
        (home / "structure.oebin").write_text(json.dumps(structure))
        numbers = np.concatenate([np.arange(first, first + n) for first, n in blocks])
        counts(numbers.size, 3, recording).tofile(continuous / "continuous.dat")
        np.save(continuous / "sample_numbers.npy", numbers.astype(np.int64))
        np.save(continuous / "timestamps.npy", numbers / RATE_HZ)
        np.save(events / "sample_numbers.npy", np.array([at for at, _ in edges], np.int64))
        np.save(events / "timestamps.npy", np.array([at for at, _ in edges]) / RATE_HZ)
        np.save(events / "states.npy", np.array([state for _, state in edges], np.int16))
        np.save(events / "full_words.npy", np.zeros(len(edges), np.uint64))
        return folder

    def test_channels_in_microvolts_and_ttl_lines_as_channels(self, tmp_path: Path) -> None:
        path = self.recorded(tmp_path / "oe", [(7000, 5000)], edges=[(9000, 1), (9500, -1), (9600, 3), (9610, -3)])
        signals = load(path)
        assert signals.names == ("CH1", "CH2", "ADC1", "TTL 1", "TTL 3")
        assert (signals.brain, signals.stimulus) == (("CH1", "CH2"), ("TTL 1", "TTL 3"))
        data = counts(5000, 3, 1)
        np.testing.assert_allclose(signals.read(["CH2", "CH1"], 10, 500), data[10:500, 1::-1].T * 0.195)
        np.testing.assert_allclose(signals.read(["ADC1"], 10, 500)[0], data[10:500, 2] * 1e-4)
        assert found_trains(signals, path) == [Stimulus(2000, 2500)]

    def test_a_jump_of_the_sample_numbers_is_a_gap(self, tmp_path: Path) -> None:
        signals = load(self.recorded(tmp_path / "oe", [(0, 1000), (1800, 700)]))
        assert signals.n_samples == 2500
        there = np.isfinite(signals.read(["CH1"], 0, 2500)[0])
        assert (there[:1000].all(), there[1000:1800].any(), there[1800:].all()) == (True, False, True)
        np.testing.assert_allclose(signals.read(["CH1"], 1800, 2500)[0], counts(1700, 3, 1)[1000:, 0] * 0.195)

    def test_recordings_of_an_experiment_follow_one_another_on_its_clock(self, tmp_path: Path) -> None:
        self.recorded(tmp_path / "oe", [(0, 1000)], recording=1)
        signals = load(self.recorded(tmp_path / "oe", [(4000, 1000)], recording=2))
        assert (signals.n_samples, signals.gaps) == (5000, ((1000, 4000),))

    def test_two_experiments_have_two_clocks_and_one_has_to_be_chosen(self, tmp_path: Path) -> None:
        self.recorded(tmp_path / "oe", [(0, 1000)], experiment=1)
        path = self.recorded(tmp_path / "oe", [(0, 800)], experiment=2)
        with pytest.raises(RecordingError, match="2 experiments"):
            load(path)
        assert load(path / "Record Node 101" / "experiment2").n_samples == 800

    def test_a_folder_that_was_not_copied_whole_is_refused(self, tmp_path: Path) -> None:
        path = self.recorded(tmp_path / "oe", [(0, 1000)])
        next(path.rglob("continuous.dat")).unlink()
        with pytest.raises(RecordingError, match="copied whole") as refused:
            load(path)
        assert "\n" not in str(refused.value)

    def test_without_the_extra_the_person_hears_which_to_install(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = self.recorded(tmp_path / "oe", [(0, 1000)])
        without("neo", monkeypatch)
        with pytest.raises(RecordingError, match=r"pip install 'kindle-eeg\[openephys\]'"):
            load(path)


class TestWhatMneReads:
    @pytest.fixture
    def raw(self) -> Any:
        data = counts(5000, 4).T * 1e-7
        data[2:] = 0
        data[2, 1500:2000] = 1
        info = mne.create_info(["HPC", "CTX", "STI 014", "temperature"], RATE_HZ, ["seeg", "ecog", "stim", "misc"])
        raw = mne.io.RawArray(data, info, verbose="error").set_meas_date(BEGUN)
        return raw.set_annotations(mne.Annotations([3.0, 6.0], [1.0, 0.0], ["stim/train", "note"], orig_time=BEGUN))

    def test_types_of_a_fif_file_are_the_roles(self, tmp_path: Path, raw: Any) -> None:
        raw.save(tmp_path / "a_raw.fif", verbose="error")
        signals = load(tmp_path / "a_raw.fif")
        assert (signals.brain, signals.stimulus) == (("HPC", "CTX"), ("STI 014",))
        assert [track.role for track in signals.tracks] == ["eeg", "eeg", "stimulus_ttl", "aux"]
        assert signals.start_utc == BEGUN
        np.testing.assert_allclose(signals.read(["HPC"], 0, 5000)[0], raw.get_data()[0] * 1e6, rtol=1e-6)
        assert found_trains(signals, tmp_path) == [Stimulus(1500, 2000)]

    def test_a_cropped_fif_file_begins_where_it_was_cropped(self, tmp_path: Path, raw: Any) -> None:
        raw.crop(2.0, 8.0).save(tmp_path / "a_raw.fif", verbose="error")
        signals = load(tmp_path / "a_raw.fif")
        assert signals.start_utc is not None
        assert (signals.start_utc - BEGUN).total_seconds() == 2.0
        assert signals.notes[0] == Note(1.0, 1.0, "stim/train")

    def test_skipped_samples_are_a_gap(self, tmp_path: Path, raw: Any) -> None:
        skipped = mne.Annotations([4.0, 4.5], [1.0, 2.0], ["BAD_ACQ_SKIP"] * 2, orig_time=BEGUN)
        raw.set_annotations(raw.annotations + skipped).save(tmp_path / "a_raw.fif", verbose="error")
        signals = load(tmp_path / "a_raw.fif")
        assert signals.gaps == ((2000, 3250),)
        missing = np.isnan(signals.read(["HPC"], 1990, 3260)[0])
        assert np.flatnonzero(missing).tolist() == list(range(10, 1260))

    def test_an_eeglab_file_is_read_with_its_events(self, tmp_path: Path) -> None:
        from scipy.io import savemat

        data = counts(5000, 2).T.astype(np.float32) / 10
        event = np.array([(1501.0, "stim", 500.0)], dtype=[("latency", object), ("type", object), ("duration", object)])
        labels = np.array([("HPC",), ("CTX",)], dtype=[("labels", object)])
        eeg = {
            "nbchan": 2.0, "pnts": 5000.0, "trials": 1.0, "srate": RATE_HZ, "xmin": 0.0, "xmax": 10.0, "data": data,
            "chanlocs": labels, "event": event, "epoch": np.array([]), "setname": "x", "icawinv": np.array([]),
            "icaweights": np.array([]), "icasphere": np.array([]), "icaact": np.array([]),
        }  # fmt: skip
        savemat(tmp_path / "a.set", {"EEG": eeg}, appendmat=False)
        signals = load(tmp_path / "a.set")
        assert signals.brain == ("HPC", "CTX")
        np.testing.assert_allclose(signals.read(["CTX"], 0, 5000)[0], data[1], rtol=1e-6)
        assert found_trains(signals, tmp_path) == [Stimulus(1500, 2000)]

    def test_a_brainvision_file_keeps_counts_start_and_units(self, tmp_path: Path) -> None:
        data = counts(5000, 2)
        data.tofile(tmp_path / "a.eeg")
        (tmp_path / "a.vhdr").write_text(
            "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\nDataFile=a.eeg\n"
            "MarkerFile=a.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels=2\n"
            "SamplingInterval=2000\n[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\n"
            "Ch1=Höhe,,0.1,µV\nCh2=Temp,,0.01,C\n",
            encoding="utf-8",
        )
        (tmp_path / "a.vmrk").write_text(
            "Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nDataFile=a.eeg\n[Marker Infos]\n"
            "Mk1=New Segment,,1,1,0,20260304093000250000\nMk2=Stimulus,S  1,1501,500,0\n",
            encoding="utf-8",
        )
        signals = load(tmp_path / "a.vhdr")
        assert (signals.names, signals.brain) == (("Höhe", "Temp"), ("Höhe",))
        assert [track.step for track in signals.tracks] == [0.1, 0.01]
        assert signals.start_utc == BEGUN.replace(microsecond=250_000)
        assert found_trains(signals, tmp_path) == [Stimulus(1500, 2000)]


def test_channels_are_chosen_by_name_or_pattern(tmp_path: Path) -> None:
    info = mne.create_info(["HPC1", "HPC2", "CTX"], RATE_HZ, "eeg")
    mne.io.RawArray(counts(1000, 3).T * 1e-6, info, verbose="error").save(tmp_path / "a_raw.fif", verbose="error")
    signals = load(tmp_path / "a_raw.fif")
    assert chosen(signals, ["CTX", "HPC*"], tmp_path) == ("CTX", "HPC1", "HPC2")
    with pytest.raises(ConfigError, match=r"no channel 'AMY\*'; it has: HPC1, HPC2, CTX"):
        chosen(signals, ["AMY*"], tmp_path)
