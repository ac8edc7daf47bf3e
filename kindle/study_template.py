"""The study.toml that a new study begins with: what the preset leaves open stands there to be filled in."""

from kindle.presets import ThresholdPreset, parameters

_UNITS = {
    "max_ua": "highest current of the series",
    "onset_window_s": "how long after the train's end a discharge may begin",
    "lockout_after_ad_s": "no train for this long after a discharge; 4 h is the usual minimum (unverified)",
}


def study_toml(name: str, preset: ThresholdPreset) -> str:
    open_fields = [p for p in parameters(preset) if p.value == "not stated"]
    lines = [
        f"name = {_quoted(name)}",
        f'preset = "{preset.id}"',
        "",
        f"# {preset.label} ({preset.citation}).",
        "# Below stand the laboratory's own values: each replaces the preset's and is shown as such in every report.",
    ]
    plain = [p for p in open_fields if "." not in p.name]
    lines += ["[threshold]", "# The preset does not state these; remove the # and set them." if plain else ""]
    lines += [f"# {p.name} =    # {_UNITS.get(p.name, p.source)}" for p in plain]
    for table in ("train", "criterion"):
        nested = [p for p in open_fields if p.name.startswith(f"{table}.")]
        if nested:
            lines += ["", f"[threshold.{table}]", *(f"# {p.name.split('.')[1]} =    # {p.source}" for p in nested)]
    lines += [
        "",
        "# Exposed geometric area of the smaller contact, for charge density and Shannon's k.",
        "# [electrode]",
        '# material = "stainless steel"',
        "# area_cm2 = 3.5e-3",
        "",
    ]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
