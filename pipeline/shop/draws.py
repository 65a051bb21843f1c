"""Random numbers that belong to a customer, a day and a purpose, whatever else happens in the shop.

Every draw is a hash of its coordinates instead of the next number of a stream. An action on one customer
therefore moves no draw of anybody else, nor any other draw of the same customer: both outcomes of every
customer can be compared under the same luck.

Source: splitmix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

from dataclasses import dataclass
from functools import cache
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, ndtri

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.integer]

_WHOLE = 0xFFFFFFFFFFFFFFFF
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class Draws:
    """The luck of one simulated shop.

    Attributes:
        seed: any whole number; another seed is another shop.
    """

    seed: int

    def uniform(self, purpose: str, customer: Integers, day: int = 0, number: Integers | int = 0) -> Floats:
        """Draw from the open unit interval, one value per customer.

        Args:
            purpose: what the draw decides; draws for different purposes are independent.
            customer: customer numbers, at least 0.
            day: days since 1970-01-01; 0 for lasting traits.
            number: tells draws apart that share customer, day and purpose (order and line).

        Examples:
            >>> luck = Draws(seed=7)
            >>> both = luck.uniform("order", np.array([3, 8]), day=20_000)
            >>> bool(both[1] == luck.uniform("order", np.array([8]), day=20_000)[0])
            True
        """
        key: npt.NDArray[np.uint64] | int = _mixed_whole(_purpose_key(self.seed, purpose), day)
        with np.errstate(over="ignore"):
            if isinstance(number, int | np.integer):
                key = _mixed_whole(int(key), int(number))
            else:
                key = _mixed(np.uint64(key) + _GOLDEN * np.asarray(number).astype(np.uint64))
            key = _mixed(np.uint64(key) + _GOLDEN * np.asarray(customer).astype(np.uint64))
        return (np.right_shift(key, np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53

    def normal(self, purpose: str, customer: Integers, day: int = 0, number: Integers | int = 0) -> Floats:
        """Draw standard normal values; coordinates as in :meth:`uniform`."""
        return np.asarray(ndtri(self.uniform(purpose, customer, day, number)))

    def gamma(self, purpose: str, customer: Integers, *, shape: float, mean: float) -> Floats:
        """Draw a lasting gamma-distributed trait with the given shape and mean."""
        return np.asarray(gammaincinv(shape, self.uniform(purpose, customer)) * mean / shape)

    def poisson(self, purpose: str, day: int, mean: float) -> int:
        """Draw one count for the whole shop on one day."""
        stream = np.random.Generator(
            np.random.Philox(key=[self.seed & 0xFFFFFFFFFFFFFFFF, crc32(purpose.encode())], counter=day)
        )
        return int(stream.poisson(mean))


def _mixed(key: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    key = key + _GOLDEN
    key = (key ^ np.right_shift(key, np.uint64(30))) * _FIRST
    key = (key ^ np.right_shift(key, np.uint64(27))) * _SECOND
    return np.asarray(key ^ np.right_shift(key, np.uint64(31)))


@cache
def _purpose_key(seed: int, purpose: str) -> int:
    return _mixed_whole((seed & _WHOLE) ^ crc32(purpose.encode()), 0)


def _mixed_whole(key: int, coordinate: int) -> int:
    """Mix one number by plain arithmetic: the same bits as :func:`_mixed`, without an array's overhead."""
    key = (key + int(_GOLDEN) * (coordinate & _WHOLE) + int(_GOLDEN)) & _WHOLE
    key = ((key ^ (key >> 30)) * int(_FIRST)) & _WHOLE
    key = ((key ^ (key >> 27)) * int(_SECOND)) & _WHOLE
    return key ^ (key >> 31)
