"""A wrong value is told by the key and the table that the person wrote, with what is allowed there."""

import re
from pathlib import Path

import pytest

from kindle.errors import ConfigError
from kindle.rig_config import RigConfig
from kindle.toml_files import decode_toml

RIG = (Path(__file__).parents[1] / "kindle" / "rigs" / "simulated.toml").read_text(encoding="utf-8")


TRAIN_S = "max_train_s = 10.0"
UP_TO_AN_HOUR = "max_train_s under [limits] takes a number above 0 and up to 3600"
TRAINS = "max_trains_per_session"
ROLES = '"aux", "current_monitor", "eeg", "stimulus_ttl"'


@pytest.mark.parametrize(
    ("written", "instead", "message"),
    [
        (TRAIN_S, "", "missing key `max_train_s` under [limits]; it takes a number above 0 and up to 3600"),
        (TRAIN_S, "max_train_s = true", f"{UP_TO_AN_HOUR}, not true"),
        (TRAIN_S, "max_train_s = [10]", f"{UP_TO_AN_HOUR}, not a list of 1"),
        (TRAIN_S, "max_train_s = { s = 10 }", f"{UP_TO_AN_HOUR}, not a table"),
        (TRAIN_S, "max_tran_s = 10.0", "unknown key `max_tran_s` under [limits]; the keys there are: max_current_ua, "),
        (
            f"{TRAINS} = 60",
            f"{TRAINS} = 60.5",
            f"{TRAINS} under [limits] takes a whole number above 0 and up to 100000, not 60.5",
        ),
        (
            'role = "eeg"',
            'role = "EEG"',
            f'role under [[daq.inputs]] number 1 takes one of {ROLES}, not the text "EEG"',
        ),
        (
            'name = "Ground"',
            "",
            'missing key `name` under [[daq.inputs]] number 2; it takes a text in "quotes"',
        ),
        ('name = "simulated"', "name = 3", 'name takes a text in "quotes", not 3'),
        ('name = "simulated"', "", 'missing key `name`; it takes a text in "quotes"'),
        (
            'where = "in_process"',
            'where = "moon"',
            'where under [bench] takes one of "in_process", "process", not the text "moon"',
        ),
        ("clock", "clok", "unknown key `clok` under [bench]; the keys there are: where, clock, seed, threshold_ua"),
    ],
)
def test_a_wrong_value_is_told_as_it_was_written(tmp_path: Path, written: str, instead: str, message: str) -> None:
    assert written in RIG
    path = tmp_path / "rig.toml"
    path.write_text(RIG.replace(written, instead, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(f"rig.toml: {message}")):
        decode_toml(path, RigConfig)


def test_a_list_of_too_few_says_how_many(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    head, _, tail = RIG.partition("[[daq.inputs]]")
    path.write_text(head + "inputs = []\n" + tail[tail.index("[stimulator]") :], encoding="utf-8")
    with pytest.raises(
        ConfigError, match=re.escape("inputs under [daq] takes a list of 2 to 32 tables, not a list of 0")
    ):
        decode_toml(path, RigConfig)


def test_text_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_bytes('name = "Ratte für R\u00e9ne"'.encode("latin-1"))
    with pytest.raises(ConfigError, match="not text in UTF-8; save it again with that encoding"):
        decode_toml(path, RigConfig)
