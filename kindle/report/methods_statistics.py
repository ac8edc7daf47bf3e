"""Methods: the statistics of each section that stands on the page, with their references."""

from collections.abc import Collection, Iterator

REFERENCES = {
    "Abbott 1925": "Abbott WS. J Econ Entomol 1925;18:265-267",
    "Clopper 1934": "Clopper CJ, Pearson ES. Biometrika 1934;26:404-413",
    "Fieller 1954": "Fieller EC. J R Stat Soc B 1954;16:175-185",
    "Finney 1971": "Finney DJ. Probit Analysis, 3rd ed. Cambridge University Press 1971",
    "Hodges 1963": "Hodges JL, Lehmann EL. Ann Math Stat 1963;34:598-611",
    "Kaplan 1958": "Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481",
    "Mantel 1966": "Mantel N. Cancer Chemother Rep 1966;50:163-170",
    "McNemar 1947": "McNemar Q. Psychometrika 1947;12:153-157",
    "Percie du Sert 2020": "Percie du Sert N et al. PLoS Biol 2020;18:e3000410 (ARRIVE 2.0)",
    "Tallarida 2000": "Tallarida RJ. Drug Synergism and Dose-Effect Data Analysis. Chapman & Hall/CRC 2000",
    "Wilcoxon 1945": "Wilcoxon F. Biometrics Bull 1945;1:80-83",
}

_OF_SECTION = {
    "Animals": "Animals are reported as ARRIVE 2.0 asks (Percie du Sert 2020).",
    "Thresholds": (
        "A threshold is known as the interval between two currents, or as above the largest one; groups are summarised "
        "by a log-normal distribution fitted to the intervals, never by means of rungs."
    ),
    "Kindling": (
        "Stages are given as medians with quartiles, durations and latencies as means with 95 % limits, an animal that "
        "has left is in no later point; stimulations to full kindling are treated as survival, animals that were not "
        "fully kindled censored at their last one (Kaplan 1958, groups by log-rank: Mantel 1966)."
    ),
    "Treatments": (
        "Durations and stages of the same rats were compared by the exact signed-rank test, zero differences dropped "
        "(Wilcoxon 1945), shifts estimated by Hodges and Lehmann's method with exact limits (Hodges 1963), generalised "
        "seizures by McNemar's exact test (McNemar 1947). All tests are two-sided, at a level of 0.05; p values are "
        "not corrected for the number of treatments."
    ),
    "Dose-response": (
        "Protection was fitted by maximum likelihood as a probit of the logarithm of the dose (Finney 1971), limits by "
        "Fieller's theorem (Fieller 1954) with limits of the profile likelihood beside them; response among controls "
        "is handled as the line printed with each ED50 says (Abbott 1925). Proportions have exact limits (Clopper "
        "1934)."
    ),
    "Isoboles": (
        "Mixtures in a fixed ratio were held against additivity by the interaction index with its interval on the "
        "logarithmic scale (Tallarida 2000); synergy is said only where the interval excludes 1."
    ),
    "Convulsant tests": (
        "Latencies are treated as survival, animals without a seizure censored at the end of their observation (Kaplan "
        "1958, groups by log-rank: Mantel 1966); incidences have exact limits (Clopper 1934)."
    ),
}


def statistics(sections: Collection[str]) -> Iterator[str]:
    """Of the sections by their titles."""
    yield from (words for title, words in _OF_SECTION.items() if title in sections)


def references(sentences: str) -> tuple[str, ...]:
    """Those that are cited, by author and year, as they stand in ``sentences``."""
    return tuple(full for short, full in sorted(REFERENCES.items()) if short in sentences)
