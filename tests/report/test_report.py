"""The report in a real browser. Screenshots stay in OOMDRILL_SHOTS (build/report)."""
import json
import os
import pathlib
import re
import subprocess

import pytest

from browser import Browser

BIN = pathlib.Path(os.environ["OOMDRILL_BIN"])
SHOTS = pathlib.Path(os.environ["OOMDRILL_SHOTS"])
LOOKS = {
    "light": {"width": 1100, "height": 900},
    "dark": {"width": 1100, "height": 900, "dark": True},
    "narrow": {"width": 360, "height": 780},
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
    # Nothing is cut off.
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # Text can be selected, that of a picture too.
    assert "OOM kill" in browser.evaluate(
        "getSelection().selectAllChildren(document.body), getSelection().toString()")
    if look == "print":
        check_pictures(browser)
    else:
        check_charts(browser)


def check_charts(browser):
    """As dygraphs draws them, in place of the pictures."""
    assert browser.evaluate("document.querySelectorAll('figure.drawn .plot').length") == 2
    assert browser.evaluate("[...document.querySelectorAll('svg[role=img]')]"
                            ".every(s => s.getBoundingClientRect().width == 0)")
    # Of each of its curves some points are in its colour.
    missing = browser.evaluate("""
        [...document.querySelectorAll('figure.drawn')].flatMap(figure => {
          const canvas = figure.querySelector('canvas');
          const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          const seen = new Set();
          for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 250) seen.add(data[i] + ',' + data[i + 1] + ',' + data[i + 2]);
          const style = getComputedStyle(document.documentElement);
          return [...figure.querySelectorAll('.key li')].map((_, i) => style.getPropertyValue('--c' + i).trim())
            .filter(colour => !seen.has([1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16)).join(',')));
        })""")
    assert missing == []
    assert browser.evaluate("[...document.querySelectorAll('.plot .label')].some(l => l.textContent == 'OOM kill'"
                            " && l.getBoundingClientRect().width > 30)")
    assert browser.evaluate(OVERLAPS.format(root=".plot", text=".label:not([hidden]), .dygraph-axis-label")) == []


OVERLAPS = """
    [...document.querySelectorAll('{root}')].filter(s => s.getBoundingClientRect().width > 0).flatMap(s => {{
      const boxes = [...s.querySelectorAll('{text}')].map(t => {{
        const words = document.createRange();
        words.selectNodeContents(t);
        return [t.textContent, words.getBoundingClientRect()];
      }});
      return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([b, q]) =>
        p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3)
        .map(([b]) => a + ' / ' + b));
    }})"""


def check_pictures(browser):
    """One picture of a chart is shown, the other size is not; its lines have a length."""
    shown = browser.evaluate(
        "[...document.querySelectorAll('figure')].map(f => [...f.querySelectorAll('svg[role=img]')]"
        ".filter(s => s.getBoundingClientRect().width > 0).map(s => [...s.querySelectorAll('polyline')]"
        ".map(p => p.getTotalLength())))")
    assert len(shown) == 2
    for pictures in shown:
        assert len(pictures) == 1
        assert len(pictures[0]) >= 3 and min(pictures[0]) > 100
    # Letters are readable.
    assert browser.evaluate(
        "Math.min(...[...document.querySelectorAll('svg[role=img] text')].map(t => t.getBoundingClientRect())"
        ".filter(r => r.width > 0).map(r => r.height))") >= 9
    # No two labels of a picture lie on each other.
    assert browser.evaluate(OVERLAPS.format(root="svg[role=img]", text="text")) == []


def press(browser, key):
    browser.evaluate("document.querySelector('.plot').focus()")
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key=key, **({"text": key} if len(key) == 1 and kind == "keyDown" else {}))


def axis(browser):
    return browser.evaluate("[...document.querySelectorAll('.plot')[0].querySelectorAll('.dygraph-axis-label-x')]"
                            ".map(l => l.textContent)")


def told(browser):
    return browser.evaluate("document.querySelector('.values').textContent")


def test_charts_answer_mouse_and_keys(browser, page):
    browser.look(1100, 900)
    browser.open(page.as_uri())
    whole = axis(browser)
    assert whole == [f"{s} s" for s in range(9)]
    # A pointer over it is told the values there, a hundredth of the time apart at most.
    box = browser.evaluate("(b => [b.x, b.y, b.width, b.height])(document.querySelector('.plot').getBoundingClientRect())")
    browser.evaluate("document.querySelector('.plot').scrollIntoView()")
    top = browser.evaluate("document.querySelector('.plot').getBoundingClientRect().y")
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + box[2] / 2, y=top + 100)
    assert re.fullmatch(r"after [34]\.\d\d s: charged to the cgroup \d+\.\d MiB, working set \(docker stats\) \d+\.\d MiB,"
                        r" as CloudWatch sees it 1\.3 MiB", told(browser))
    # Keys.
    press(browser, "ArrowRight")
    first = told(browser)
    press(browser, "ArrowRight")
    assert told(browser) != first
    press(browser, "+")
    press(browser, "+")
    assert len(axis(browser)) >= 2 and axis(browser) != whole
    press(browser, "Escape")
    assert axis(browser) == whole
    # Buttons.
    browser.evaluate("document.querySelector('button[aria-label=\"Zoom in\"]').click()")
    assert axis(browser) != whole
    browser.evaluate("document.querySelector('button[aria-label=\"Show all\"]').click()")
    assert axis(browser) == whole
    # A curve that is switched off is gone, and is told no more.
    colour = "document.querySelector('.plot canvas').toDataURL()"
    before = browser.evaluate(colour)
    browser.evaluate("document.querySelector('.key input').click()")
    assert browser.evaluate(colour) != before
    assert "charged to the cgroup" not in told(browser)
    assert browser.complaints() == ([], [])


def test_a_change_of_the_readers_colours_is_followed(browser, page):
    browser.look(1100, 900)
    browser.open(page.as_uri())
    shot = "document.querySelector('.plot canvas').toDataURL()"
    light = browser.evaluate(shot)
    browser.look(1100, 900, dark=True)
    # Told at the next frame.
    assert any(browser.evaluate(shot) != light for _ in range(500))


def test_no_script_but_its_own_runs(browser, tmp_path):
    page = report(tmp_path, incident("worker"))
    text = page.read_text()
    assert "MIT-licenced" in text and "THE SOFTWARE IS PROVIDED" in text
    page.write_text(text.replace("<main>", "<main><script>document.title = 'owned'</script>"))
    browser.look(1100, 900)
    browser.open(page.as_uri())
    assert browser.evaluate("document.title") != "owned"
    assert browser.evaluate("document.querySelectorAll('figure.drawn').length") == 2


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
    # The page's own: the charts' data, and what draws them.
    assert browser.evaluate("document.querySelectorAll('img,iframe,object').length") == 0
    assert browser.evaluate("[...document.scripts].map(s => s.type)") == ["application/json", "application/json", ""]
    assert name in browser.evaluate("document.body.innerText")
