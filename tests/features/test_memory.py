"""Large arrays on ordinary memory pages."""

import numpy as np
import pandas as pd

from features.memory import ReusedPages


def test_pages_serve_again_once_nobody_looks() -> None:
    pages = ReusedPages()
    first = pages.uninitialised((2, 3))
    address = first.ctypes.data
    del first
    assert pages.uninitialised((2, 2)).ctypes.data == address


def test_a_kept_frame_survives_the_next_array() -> None:
    pages = ReusedPages()
    table = pages.uninitialised((2, 3))
    table[:] = 7
    kept = pd.DataFrame(table[:, :2].T, columns=["orders", "spend"], copy=False)["spend"]
    del table
    pages.uninitialised((2, 3))[:] = 9
    assert kept.tolist() == [7, 7]


def test_a_larger_array_gets_larger_pages() -> None:
    pages = ReusedPages()
    assert pages.uninitialised((1, 1)).shape == (1, 1)
    larger = pages.uninitialised((40, 1000))
    larger[:] = 1
    assert float(np.sum(larger)) == 40_000
