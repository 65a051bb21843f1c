"""The page as a person sees it: opened in Chromium, without a network, at desktop and phone width."""

import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from tables.publish import published, published_dates
from tests.conftest import require

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=2000",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # whatever the page asked of a network would fail
)


def chromium(profile: Path, *words: str) -> str:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    require(program is not None, "a Chromium")
    told = subprocess.run(
        [str(program), *FLAGS, f"--user-data-dir={profile}", *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return told.stdout


@pytest.fixture
def page(demo_made: Path, tmp_path: Path) -> Path:
    manifest = published(demo_made, published_dates(demo_made)[-1])
    assert manifest is not None
    return Path(shutil.copy(manifest.report("index.html"), tmp_path / "page.html"))


def pixels(png: Path) -> tuple[int, int, list[bytes]]:
    """Decode a PNG as Chromium writes it: 8 bits, RGB or RGBA, no interlacing."""
    raw, at, packed, header = png.read_bytes(), 8, b"", (0, 0, 0)
    while at < len(raw):
        (size,), kind = struct.unpack(">I", raw[at : at + 4]), raw[at + 4 : at + 8]
        chunk = raw[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack(">IIBB", chunk[:10])
            header = (width, height, 4 if colour == 6 else 3)
        packed += chunk if kind == b"IDAT" else b""
        at += size + 12
    width, height, channels = header
    flat, stride = zlib.decompress(packed), width * channels
    return width, height, _unfilter(flat, stride, channels, height)


def _unfilter(flat: bytes, stride: int, channels: int, height: int) -> list[bytes]:
    rows, before = [], bytearray(stride)
    for y in range(height):
        start = y * (stride + 1)
        how, row = flat[start], bytearray(flat[start + 1 : start + 1 + stride])
        for x in range(stride):
            left = row[x - channels] if x >= channels else 0
            corner = before[x - channels] if x >= channels else 0
            row[x] = (row[x] + _predicted(how, left, before[x], corner)) & 255
        rows.append(bytes(row))
        before = row
    return rows


def _predicted(how: int, left: int, up: int, corner: int) -> int:
    if how == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda each: abs(guess - each))
    return {0: 0, 1: left, 2: up, 3: (left + up) // 2}[how]


def test_the_page_is_drawn_with_its_pictures(page: Path, tmp_path: Path) -> None:
    drawn = chromium(tmp_path / "profile", "--dump-dom", page.as_uri())
    assert drawn.count("<svg") == 2
    assert drawn.count("<circle") == 10
    assert "What these figures are, and what they are not" in drawn


@pytest.mark.parametrize("width", [1200, 500])
def test_nothing_runs_over_the_edge(page: Path, tmp_path: Path, width: int) -> None:
    # Chromium's window is never narrower than 500 pixels; a phone is tested in a frame of its width.
    script = "<script>document.title=document.documentElement.scrollWidth+' '+innerWidth</script>"
    page.write_text(page.read_text().replace("</body>", f"{script}</body>"))
    drawn = chromium(tmp_path / "profile", f"--window-size={width},900", "--dump-dom", page.as_uri())
    content, window = map(int, drawn.split("<title>")[1].split("</title>")[0].split())
    assert content <= window


def test_a_phone_of_390_pixels_needs_no_sideways_scrolling(page: Path, tmp_path: Path) -> None:
    frame = tmp_path / "phone.html"
    frame.write_text(
        '<iframe id="f" src="page.html" style="width:390px;height:800px;border:0"></iframe><script>'
        "onload=()=>{const d=document.getElementById('f').contentDocument.documentElement;"
        "document.title=d.scrollWidth+' '+d.clientWidth}</script>"
    )
    flags = ("--allow-file-access-from-files", "--dump-dom", frame.as_uri())
    drawn = chromium(tmp_path / "profile", *flags)
    content, window = map(int, drawn.split("<title>")[1].split("</title>")[0].split())
    assert window == 390
    assert content <= window


def test_the_training_report_fits_a_desktop_and_a_phone(demo_made: Path, tmp_path: Path) -> None:
    [report] = (demo_made / "retrains").glob("*/index.html")
    shutil.copy(report, tmp_path / "report.html")
    frame, shape = tmp_path / "frames.html", "height:800px;border:0"
    frame.write_text(
        f'<iframe src="report.html" style="width:1200px;{shape}"></iframe>'
        f'<iframe src="report.html" style="width:390px;{shape}"></iframe><script>'
        "onload=()=>{document.title=[...document.querySelectorAll('iframe')].map(f=>f.contentDocument)."
        "map(d=>d.documentElement.scrollWidth+' '+d.querySelectorAll('svg').length).join(' ')}</script>"
    )
    flags = ("--allow-file-access-from-files", "--dump-dom", frame.as_uri())
    drawn = chromium(tmp_path / "profile", *flags)
    desktop, pictures, phone, again = map(int, drawn.split("<title>")[1].split("</title>")[0].split())
    assert desktop <= 1200
    assert phone <= 390
    assert pictures == again >= 12  # six of the card, six features, groups as large as the demo has


def test_the_screenshot_shows_ink_in_every_third(page: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    chromium(tmp_path / "profile", "--window-size=800,1500", f"--screenshot={picture}", page.as_uri())
    width, height, rows = pixels(picture)
    assert (width, height) == (800, 1500)
    for third in range(3):
        part = rows[third * 500 : (third + 1) * 500]
        assert len(set(part)) > 50  # a blank page has one kind of row
