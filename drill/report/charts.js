// Draws the charts of a report with dygraphs, over the static pictures that stay for print and for
// readers without JavaScript. What it shows is in the JSON beside each picture, and is text only.
"use strict";
(() => {
  const kUnits = ["B", "KiB", "MiB", "GiB", "TiB"];
  const kSteps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900,
    1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];
  // As in html.cpp's style sheet.
  const kDashes = [null, [9, 4], [3, 3], [12, 3, 3, 3], [6, 2], [2, 5]];

  function size(bytes, digits) {
    let unit = 0;
    let value = Math.abs(bytes);
    for (; value >= 1024 && unit + 1 < kUnits.length; ++unit) value /= 1024;
    const text = digits === undefined ? String(Number(value.toPrecision(4))) : value.toFixed(unit ? digits : 0);
    return (bytes < 0 ? "-" : "") + text + " " + kUnits[unit];
  }

  function moment(seconds, step) {
    if (step < 60) return seconds.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9))) + " s";
    if (step < 3600) return Math.round(seconds / 60) + " min";
    if (step < 86400) return Math.round(seconds / 3600) + " h";
    return Math.round(seconds / 86400) + " d";
  }

  function ticks(least, most, step, label) {
    const found = [];
    for (let i = Math.ceil(least / step - 1e-9); i * step <= most + step * 1e-6; ++i) {
      found.push({v: i * step, label: label(i * step)});
    }
    return found;
  }

  function timeTicks(least, most, pixels) {
    const span = most - least;
    const step = kSteps.find(each => span / each <= Math.max(2, pixels / 60)) || span;
    return ticks(least, most, step, at => moment(at, step));
  }

  function byteTicks(least, most, pixels) {
    let step = 1;
    while ((most - least) / step > Math.max(2, pixels / 55)) step *= 2;
    return ticks(least, most, step, at => at === 0 ? "0" : size(at));
  }

  function make(tag, name, text) {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text) made.textContent = text;
    return made;
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  function colours(count) {
    return {
      colors: Array.from({length: count}, (_, i) => colour("c" + i % kDashes.length)),
      gridLineColor: colour("line"),
      axisLineColor: colour("dim")
    };
  }

  function draw(figure) {
    const data = JSON.parse(figure.querySelector("script").textContent);
    if (data.rows.length < 2) return;
    const count = data.labels.length;
    const times = data.rows.map(row => row[0]).concat(data.marks.map(mark => mark.at_s));
    const whole = [Math.min(...times), Math.max(...times)];
    const highest = Math.max(1024, ...data.levels.map(level => level.bytes), ...data.rows.flatMap(row => row.slice(1)));
    const range = [0, highest * 1.1];

    const live = make("div", "live");
    const plot = make("div", "plot");
    const values = make("p", "values", " ");
    values.setAttribute("role", "status");
    plot.tabIndex = 0;
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-label", data.title + ". Arrow keys tell values, + and - zoom, Escape shows all.");
    const tools = make("div", "tools");
    live.append(tools, plot, values);
    figure.prepend(live);
    figure.classList.add("drawn");

    const names = data.labels.map((_, i) => "s" + i);
    const visible = names.map(() => true);
    const labels = data.marks.map(mark => make("span", mark.kill ? "label kill" : "label", mark.label));
    const levels = data.levels.map(level => make("span", "label", level.label));
    let chosen = -1;

    function tell(row) {
      chosen = row;
      const parts = data.labels.flatMap((label, i) =>
        visible[i] && data.rows[row][i + 1] !== null ? [label + " " + size(data.rows[row][i + 1], 1)] : []);
      values.textContent = "after " + data.rows[row][0].toFixed(2) + " s: " + (parts.join(", ") || "nothing");
    }

    function line(context, dash, style, width, from, to) {
      context.save();
      context.setLineDash(dash);
      context.strokeStyle = style;
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(...to);
      context.stroke();
      context.restore();
    }

    function underlay(context, area, chart) {
      for (const level of data.levels) {
        const y = chart.toDomYCoord(level.bytes);
        line(context, [7, 4], colour("fg"), 1, [area.x, y], [area.x + area.w, y]);
      }
      for (const mark of data.marks) {
        const x = chart.toDomXCoord(mark.at_s);
        line(context, mark.kill ? [] : [2, 3], colour(mark.kill ? "kill" : "dim"), mark.kill ? 2 : 1,
          [x, area.y], [x, area.y + area.h]);
      }
    }

    function place(chart) {
      const area = chart.getArea();
      const early = data.marks.some(mark => mark.kill && chart.toDomXCoord(mark.at_s) < area.x + area.w / 2);
      levels.forEach((label, i) => {
        const y = chart.toDomYCoord(data.levels[i].bytes);
        label.hidden = y < area.y || y > area.y + area.h;
        label.style.left = early ? "" : area.x + 6 + "px";
        label.style.right = early ? plot.clientWidth - area.x - area.w + 6 + "px" : "";
        label.style.top = y - 20 + "px";
      });
      let beside = 0;
      labels.forEach((label, i) => {
        const x = chart.toDomXCoord(data.marks[i].at_s) - area.x;
        label.hidden = x < -1 || x > area.w + 1;
        const right = x > area.w / 2;
        label.style.left = right ? "" : area.x + x + 4 + "px";
        label.style.right = right ? plot.clientWidth - area.x - x + 4 + "px" : "";
        label.style.maxWidth = (right ? x : area.w - x) - 6 + "px";
        label.style.top = area.y + (data.marks[i].kill ? 2 : 34 + 18 * (beside++ % 5)) + "px";
      });
    }

    // Dragging zooms; a finger scrolls the page, as everywhere else on it.
    const model = {};
    for (const [event, act] of Object.entries(Dygraph.defaultInteractionModel)) {
      if (!event.startsWith("touch")) model[event] = act;
    }
    model.dblclick = () => show(whole);

    const chart = new Dygraph(plot, data.rows, {
      ...colours(count),
      labels: ["after", ...names],
      series: Object.fromEntries(names.map((name, i) => [name, {strokePattern: kDashes[i % kDashes.length]}])),
      strokeWidth: 2.2,
      connectSeparatedPoints: true,
      legend: "never",
      axisLabelFontSize: 13,
      axes: {x: {ticker: timeTicks, axisLabelWidth: 60, axisTickSize: 8}, y: {ticker: byteTicks, axisLabelWidth: 66}},
      dateWindow: whole,
      valueRange: range,
      highlightCircleSize: 4,
      interactionModel: model,
      underlayCallback: underlay,
      drawCallback: place,
      highlightCallback: (event, x, points, row) => tell(row)
    });
    plot.append(...levels, ...labels);
    place(chart);

    function show(window) {
      chart.updateOptions({dateWindow: window, valueRange: range});
    }

    function zoom(factor) {
      const [from, to] = chart.xAxisRange();
      const middle = chosen >= 0 ? Math.min(to, Math.max(from, data.rows[chosen][0])) : (from + to) / 2;
      const window = [Math.max(whole[0], middle - (middle - from) * factor), Math.min(whole[1], middle + (to - middle) * factor)];
      if (window[1] - window[0] > 0.002) show(window);
    }

    for (const [text, title, act] of [["+", "Zoom in", () => zoom(0.5)], ["−", "Zoom out", () => zoom(2)],
      ["all", "Show all", () => show(whole)]]) {
      const button = make("button", "", text);
      button.type = "button";
      button.title = title;
      button.setAttribute("aria-label", title);
      button.addEventListener("click", act);
      tools.append(button);
    }

    function step(by) {
      const [from, to] = chart.xAxisRange();
      let row = chosen < 0 ? 0 : Math.min(data.rows.length - 1, Math.max(0, chosen + by));
      const inside = at => data.rows[at][0] >= from && data.rows[at][0] <= to;
      while (!inside(row) && data.rows[row + (data.rows[row][0] < from ? 1 : -1)]) row += data.rows[row][0] < from ? 1 : -1;
      chart.setSelection(row);
      tell(row);
    }

    plot.addEventListener("keydown", event => {
      const act = {ArrowRight: () => step(1), ArrowLeft: () => step(-1), "+": () => zoom(0.5), "-": () => zoom(2),
        Escape: () => show(whole)}[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      act();
      event.preventDefault();
    });

    figure.querySelectorAll(".key li").forEach((item, i) => {
      const box = make("input");
      box.type = "checkbox";
      box.checked = true;
      box.addEventListener("change", () => {
        visible[i] = box.checked;
        chart.setVisibility(i, box.checked);
        if (chosen >= 0) tell(chosen);
      });
      const label = make("label");
      label.append(box, ...item.childNodes);
      item.append(label);
    });

    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart.updateOptions(colours(count)));
  }

  document.querySelectorAll("figure.chart").forEach(draw);
})();
