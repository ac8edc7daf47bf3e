"""Proportions made to rise with the dose, by pooling neighbours that fall."""

from collections.abc import Sequence


def rising(n: Sequence[int], responded: Sequence[int]) -> list[float]:
    """The proportions nearest in likelihood that never fall (pool adjacent violators)."""
    blocks: list[tuple[int, int, int]] = []
    for animals, responders in zip(n, responded, strict=True):
        blocks.append((animals, responders, 1))
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][0] > blocks[-1][1] * blocks[-2][0]:
            (n_b, r_b, k_b), (n_a, r_a, k_a) = blocks.pop(), blocks.pop()
            blocks.append((n_a + n_b, r_a + r_b, k_a + k_b))
    return [r / animals for animals, r, k in blocks for _ in range(k)]
