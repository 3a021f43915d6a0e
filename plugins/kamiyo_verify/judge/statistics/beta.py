"""The logarithm of the incomplete beta function, in bounded time for parameters of any size.

Every interval for a share rests on it: `P(Binomial(n, p) <= k)` is `1 - I_p(k + 1, n - k)`. Parameters need
not be whole numbers: a sample whose requests depend on each other is worth a fractional number of them.

The tail that does not hold the mean is computed, and the other one from it, so nothing cancels. Small
parameters use the continued fraction of DLMF 8.17.22 by Lentz's method; large ones integrate the density by
Gauss-Legendre quadrature, from the argument to where the integrand no longer counts. The density itself is
computed by C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000).
"""

from __future__ import annotations

import math
from collections.abc import Callable

_LARGE = 3_000.0
"""If both parameters are larger, the continued fraction takes too many steps."""

_MOST_STEPS = 20_000
_TINY = 1e-300
_NEGLIGIBLE = 45.0
"""The quadrature ends where the integrand has fallen by the factor e^45; this is the exponent."""

_PANELS = 12
_NODES = (
    (0.1834346424956498, 0.3626837833783620),
    (0.5255324099163290, 0.3137066458778873),
    (0.7966664774136267, 0.2223810344533745),
    (0.9602898564975363, 0.1012285362903763),
)
"""Gauss-Legendre with eight nodes: half of them, with their weights."""


def log_tails(first: float, second: float, at: float) -> tuple[float, float]:
    """Return the logarithms of the regularised incomplete beta function, from 0 to `at` and from `at` to 1.

    Args:
        first: first parameter, above 0.
        second: second parameter, above 0.
        at: between 0 and 1, both excluded.
    """
    if at * (first + second + 2) < first + 1:
        under = min(_log_tail(first, second, at, 1.0 - at), 0.0)
        return under, _rest(under)
    over = min(_log_tail(second, first, 1.0 - at, at), 0.0)
    return _rest(over), over


def log_power(first: float, second: float, at: float) -> float:
    """Return log(at^first (1 - at)^second / B(first, second))."""
    return _log_power(first, second, at, 1.0 - at)


def _log_power(first: float, second: float, at: float, rest: float) -> float:
    both = first + second
    return (
        -_deviance(first, both * at)
        - _deviance(second, both * rest)
        + 0.5 * (math.log(first) + math.log(second) - math.log(both) - math.log(2 * math.pi))
        + (_stirling_error(both) - _stirling_error(first) - _stirling_error(second))
    )


def _log_tail(first: float, second: float, at: float, rest: float) -> float:
    lead = _log_power(first, second, at, rest)
    if min(first, second) > _LARGE:
        return lead - math.log(at) - math.log(rest) + math.log(_integral(first - 1, second - 1, at, rest))
    return lead - math.log(first) + math.log(_fraction(first, second, at))


def _fraction(first: float, second: float, at: float) -> float:
    """Return the continued fraction, by the modified method of Lentz."""
    numerator = 1.0
    denominator = 1.0 / _not_zero(1.0 - (first + second) * at / (first + 1.0))
    value = denominator
    for step in range(1, _MOST_STEPS):
        double = first + 2 * step
        for factor in (
            step * (second - step) * at / ((double - 1.0) * double),
            -(first + step) * (first + second + step) * at / (double * (double + 1.0)),
        ):
            denominator = 1.0 / _not_zero(1.0 + factor * denominator)
            numerator = _not_zero(1.0 + factor / numerator)
            change = numerator * denominator
            value *= change
        if abs(change - 1.0) < 1e-15:
            break
    return value


def _integral(first: float, second: float, at: float, rest: float) -> float:
    """Integrate t^first (1 - t)^second, divided by its value at `at`, from 0 to `at`, where it grows."""

    def logarithm(back: float) -> float:
        return first * math.log1p(-back / at) + second * math.log1p(back / rest)

    end = _falls_to(logarithm, at)
    half = end / _PANELS / 2
    tally = 0.0
    for panel in range(_PANELS):
        middle = (2 * panel + 1) * half
        for node, weight in _NODES:
            values = math.exp(logarithm(middle - node * half)) + math.exp(logarithm(middle + node * half))
            tally += weight * values
    return tally * half


def _falls_to(logarithm: Callable[[float], float], most: float) -> float:
    """Return the distance below `at` from which the integrand is negligible."""
    left, right = 0.0, most
    for _ in range(60):
        middle = (left + right) / 2
        left, right = (middle, right) if logarithm(middle) > -_NEGLIGIBLE else (left, middle)
        if right - left < 1e-3 * right:
            break
    return left


def _deviance(count: float, expected: float) -> float:
    """Return count log(count / expected) + expected - count, without cancellation."""
    if expected <= 0:
        return math.inf
    difference = count - expected
    if abs(difference) >= 0.1 * (count + expected):
        return count * (math.log(count) - math.log(expected)) - difference
    part = difference / (count + expected)
    tally, power, odd = difference * part, 2 * count * part, 1
    while True:
        power *= part * part
        odd += 2
        if (further := tally + power / odd) == tally:
            return tally
        tally = further


def _stirling_error(value: float) -> float:
    """Return the error of Stirling's formula for the logarithm of the gamma function."""
    if value < 16:
        return math.lgamma(value) - ((value - 0.5) * math.log(value) - value + 0.5 * math.log(2 * math.pi))
    square = value * value
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _rest(part: float) -> float:
    """Return log(1 - e^part)."""
    if part > -1e-16:
        return -math.inf
    return math.log(-math.expm1(part)) if part > -math.log(2) else math.log1p(-math.exp(part))
