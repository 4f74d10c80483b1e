"""The report in a real browser. Screenshots stay in OOMDRILL_SHOTS (build/report)."""
import json
import os
import pathlib
import subprocess

import pytest

from browser import Browser

BIN = pathlib.Path(os.environ["OOMDRILL_BIN"])
SHOTS = pathlib.Path(os.environ["OOMDRILL_SHOTS"])
LOOKS = {
    "light": {"width": 1100, "height": 900},
    "dark": {"width": 1100, "height": 900, "dark": True},
    "narrow": {"width": 390, "height": 844},
    "print": {"width": 800, "height": 1100, "media": "print"},
    "no-js": {"width": 1100, "height": 900, "scripts": False},
}


def line(event, at, **fields):
    return json.dumps({"event": event, "time": f"2026-11-24T11:{4 + int(at // 60):02}:{at % 60:06.3f}Z", **fields}) + "\n"


def incident(name):
    """A leak in shared memory on cgroup v1, as recorded: a blind spot, thresholds, a kill."""
    limit = 67108864
    text = line("probe.started", 0, seq=1, limit_bytes=limit, limit_source="own", limit_where="/sys/fs/cgroup/memory.max",
                task_id="0f5c", container_name=name)
    text += line("leak.started", 0.1, seq=1, pattern="linear", rate_bytes_per_s=8000000, seed=1, task_id="0f5c", container_name=name)
    for i in range(80):
        used = 2_000_000 + 800_000 * i
        text += line("memory.sample", 0.1 + i * 0.1, seq=i + 2, used_bytes=used, working_set_bytes=used - 300_000,
                     ecs_used_bytes=1_400_000, limit_bytes=limit, anon_bytes=900_000, file_bytes=used - 1_200_000,
                     shmem_bytes=used - 1_500_000, kernel_bytes=200_000 + 1000 * i, oom_kills=0,
                     task_id="0f5c", container_name=name)
        if i in (61, 69, 77):
            text += line("memory.threshold", 0.1 + i * 0.1, threshold_percent={61: 75, 69: 85, 77: 95}[i], direction="up",
                         used_bytes=used, eta_oom_s=(80 - i) / 10, task_id="0f5c", container_name=name)
    text += line("memory.oom_kill", 8.2, scope="own_limit", kills=1, counters_before={"oom_kill": 0},
                 counters_after={"oom_kill": 1}, limit_bytes=limit, victim={"pid": 7, "name": name}, survived=False,
                 last_sample={"age_s": 0.1, "used_bytes": limit - 40_000}, task_id="0f5c", container_name=name)
    return text + line("workload.exited", 8.21, verdict="oom_killed", exit_code=137, signal="SIGKILL", confidence="certain",
                       task_id="0f5c", container_name=name)


def report(folder, text):
    recording, page = folder / "drill.jsonl", folder / "report.html"
    recording.write_text(text)
    subprocess.run([BIN / "oomdrill", "report", recording, "-o", page], check=True)
    return page


@pytest.fixture(scope="module")
def browser():
    with Browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return report(tmp_path_factory.mktemp("report"), incident("worker"))


@pytest.mark.parametrize("look", LOOKS)
def test_looks(browser, page, look):
    SHOTS.mkdir(parents=True, exist_ok=True)
    browser.look(**LOOKS[look])
    browser.open(page.as_uri())
    browser.screenshot(SHOTS / f"{look}.png")
    assert browser.complaints() == ([], [])
    if look == "no-js":
        return
    # One picture of a chart is shown, the other size is not; its lines have a length.
    shown = browser.evaluate(
        "[...document.querySelectorAll('figure')].map(f => [...f.querySelectorAll('svg[role=img]')]"
        ".filter(s => s.getBoundingClientRect().width > 0).map(s => [...s.querySelectorAll('polyline')]"
        ".map(p => p.getTotalLength())))")
    assert len(shown) == 2
    for pictures in shown:
        assert len(pictures) == 1
        assert len(pictures[0]) >= 3 and min(pictures[0]) > 100
    # Nothing is cut off, and letters are readable.
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert browser.evaluate(
        "Math.min(...[...document.querySelectorAll('svg[role=img] text')].map(t => t.getBoundingClientRect())"
        ".filter(r => r.width > 0).map(r => r.height))") >= 9
    # Text can be selected, that of a picture too.
    assert "OOM kill" in browser.evaluate(
        "getSelection().selectAllChildren(document.body), getSelection().toString()")
    # No two labels of a picture lie on each other.
    overlap = browser.evaluate("""
        [...document.querySelectorAll('svg[role=img]')].filter(s => s.getBoundingClientRect().width > 0).flatMap(s => {
          const boxes = [...s.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
          return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([b, q]) =>
            p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3)
            .map(([b]) => a + ' / ' + b));
        })""")
    assert overlap == []


@pytest.mark.parametrize("dark", [False, True])
def test_contrast_is_enough(browser, page, dark):
    browser.look(1100, 900, dark)
    browser.open(page.as_uri())
    colours = browser.evaluate("""
        (() => { const style = getComputedStyle(document.documentElement);
                 const of = n => style.getPropertyValue(n).trim();
                 return Object.fromEntries(['--bg','--soft','--fg','--dim','--kill','--c0','--c1','--c2','--c3','--c4','--c5']
                   .map(n => [n, of(n)])); })()""")

    def light(colour):
        colour = colour.lstrip("#")
        colour = "".join(c * 2 for c in colour) if len(colour) == 3 else colour
        parts = [int(colour[i:i + 2], 16) / 255 for i in (0, 2, 4)]
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    for name, colour in colours.items():
        if name in ("--bg", "--soft"):
            continue
        for ground in ("--bg", "--soft"):
            high, low = sorted((light(colour), light(colours[ground])), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (name, ground)


def test_headings_and_pictures_are_named(browser, page):
    browser.look(1100, 900)
    browser.open(page.as_uri())
    assert browser.evaluate("[...document.querySelectorAll('h1,h2')].map(h => h.tagName).join('')") == "H1" + "H2" * 9
    assert browser.evaluate("[...document.querySelectorAll('svg[role=img]')].every(s => s.getAttribute('aria-labelledby')"
                            ".split(' ').every(i => document.getElementById(i).textContent.length > 5))")
    assert browser.evaluate("document.documentElement.lang") == "en"


def test_hostile_names_stay_text(browser, tmp_path):
    name = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    page = report(tmp_path, incident(name))
    browser.look(1100, 900)
    browser.open(page.as_uri())
    assert browser.complaints() == ([], [])
    assert "owned" not in browser.evaluate("document.title").replace(name, "")
    assert browser.evaluate("document.querySelectorAll('img,script,iframe,object').length") == 0
    assert name in browser.evaluate("document.body.innerText")
