"""Treatments as they stand in study.toml."""

VALPROATE_200 = """\
[[treatments]]
name = "valproate 200"
[[treatments.injections]]
substance = "sodium valproate"
amount_per_kg = 200.0
basis = "mg_salt"
mg_per_ml = 100.0
route = "i.p."
pretreatment_min = 15.0
"""
