// How a date looks: a day is a tick, a month or year a bar, an interval a bar with soft ends, an approximate one
// wavers and fades past its bounds, an uncertain one is hollow and dashed, an open end is an arrow that fades out.

const GLYPH_HEIGHT = 10;
const WAVE_WIDTH = 18; // pixels that wavering needs at least to be seen
const SOFT_WIDTH = 10; // pixels from which soft ends can be told from a faint bar
const FEATHER = 9; // pixels that an approximate date fades past its bounds: by how much, nobody wrote
const BEYOND = 40; // pixels outside the view that are still drawn

/** The pixels that a glyph fills: never less than what the date allows. */
function drawnRange(first, last, code, scale) {
  const from = first === BEFORE_ALL ? -BEYOND : scale.x(first);
  const to = last === AFTER_ALL ? scale.width + BEYOND : scale.x(last + 1);
  const least = code & MARK.approximate ? WAVE_WIDTH : 3;
  const short = Math.max(0, least - (to - from)) / 2;
  return [from - short, to + short];
}

function precisionOf(code) {
  return times.precisions[code >> 6];
}

/** What a date says, for those who can't see how it is drawn. */
function dateWords(written, code) {
  const precision = precisionOf(code);
  const kinds = {
    "interval": "an interval: some time in it, or all of it, as the text says", "one of": "one of these dates",
    "all of": "each of these dates", "partial": "not every day between is meant",
  };
  const said = [kinds[precision] || (precision === "day" ? "" : `a ${precision}`)];
  if (code & MARK.approximate) said.push("approximately");
  if (code & MARK.uncertain) said.push("uncertain: the source itself may be wrong");
  if (code & MARK.openStart) said.push("open start: since ever");
  if (code & MARK.openEnd) said.push("open end: still so");
  if (code & MARK.unknownStart) said.push("nobody knows when it began");
  if (code & MARK.unknownEnd) said.push("nobody knows when it ended");
  const rest = said.filter(Boolean).join("; ");
  return rest ? `${written} (${rest})` : written;
}

/** Gradients that all glyphs share; they fade inside the pixels that a date allows. */
function glyphPaints() {
  const gradient = (id, stops) => svg("linearGradient", { id }, ...stops.map(([offset, opacity]) =>
    svg("stop", { offset, "stop-color": "#0b5a6b", "stop-opacity": opacity })));
  return svg("svg", { class: "time-paints", width: 0, height: 0, "aria-hidden": "true" }, svg("defs", {},
    gradient("time-soft", [[0, 0.18], [0.22, 0.8], [0.78, 0.8], [1, 0.18]]),
    gradient("time-fade-right", [[0, 0.85], [0.55, 0.75], [1, 0.05]]),
    gradient("time-fade-left", [[0, 0.05], [0.45, 0.75], [1, 0.85]]),
    gradient("time-feather-left", [[0, 0], [1, 0.55]]),
    gradient("time-feather-right", [[0, 0.55], [1, 0]]),
    svg("pattern", { id: "time-gap", width: 7, height: 7, patternUnits: "userSpaceOnUse" }, svg("path", { class: "gap-stripe", d: "M-1 8L8 -1" }))));
}

function paintOf(code, width) {
  if (code & (MARK.openEnd | MARK.unknownEnd)) return "url(#time-fade-right)";
  if (code & (MARK.openStart | MARK.unknownStart)) return "url(#time-fade-left)";
  return precisionOf(code) === "interval" && width > SOFT_WIDTH ? "url(#time-soft)" : "#0b5a6b";
}

function wavyPath(from, to, top, bottom) {
  const [left, right] = [Math.floor(Math.max(from, -BEYOND) * 10) / 10, Math.ceil(Math.min(to, 6000) * 10) / 10];
  const edge = (y, start, end, step) => {
    const points = [];
    const count = Math.max(2, Math.round(Math.abs(end - start) / 2));
    for (let k = 0; k <= count; k += 1) {
      const x = start + ((end - start) * k) / count;
      points.push(`${x.toFixed(1)} ${(y + step * Math.sin(x * 0.9) * 1.7).toFixed(1)}`);
    }
    return points;
  };
  return `M${edge(top, left, right, 1).join("L")}L${edge(bottom, right, left, 1).join("L")}Z`;
}

/** The glyph of a date around the line `y`; its `.extent` covers every pixel that the date allows. */
function dateGlyph(first, last, code, scale, y) {
  const [from, to] = drawnRange(first, last, code, scale);
  const [top, bottom] = [y - GLYPH_HEIGHT / 2, y + GLYPH_HEIGHT / 2];
  const precision = precisionOf(code);
  const group = svg("g", { class: `date-glyph precision-${precision.replace(" ", "-")}` });
  const look = code & MARK.uncertain
    ? { fill: paintOf(code, to - from), "fill-opacity": 0.25, stroke: "#0b5a6b", "stroke-width": 1.3, "stroke-dasharray": "3 2" }
    : { fill: paintOf(code, to - from) };
  if (precision === "one of" || precision === "all of" || precision === "partial") Object.assign(look, { "fill-opacity": 0.35, stroke: "#0b5a6b", "stroke-dasharray": "1 3", "stroke-width": 1.6 });
  if (code & MARK.approximate) {
    for (const [side, x] of [["left", from - FEATHER], ["right", to]]) {
      group.append(svg("rect", { class: "feather", x, y: top + 2, width: FEATHER, height: GLYPH_HEIGHT - 4, fill: `url(#time-feather-${side})` }));
    }
    group.append(svg("path", { class: "extent wavy", d: wavyPath(from, to, top + 1, bottom - 1), ...look }));
  } else if (precision === "day") {
    group.append(svg("rect", { class: "extent tick", x: from, y: top - 2, width: to - from, height: GLYPH_HEIGHT + 4, ...look }));
  } else {
    const [left, right] = [Math.max(from, -2000), Math.min(to, scale.width + 2000)];
    group.append(svg("rect", { class: "extent bar", x: left, y: top, width: Math.max(3, right - left), height: GLYPH_HEIGHT, ...look }));
  }
  if (code & MARK.openEnd) group.append(arrow(Math.max(scale.width - 6, from + 14), y, 1));
  if (code & MARK.openStart) group.append(arrow(Math.min(6, to - 14), y, -1));
  if (code & MARK.unknownEnd) group.append(question(Math.min(scale.width - 8, from + 40), y));
  if (code & MARK.unknownStart) group.append(question(Math.max(8, to - 40), y));
  return group;
}

function arrow(x, y, way) {
  return svg("path", { class: "open-end", d: `M${x - 10 * way} ${y - 6}l${6 * way} 6l${-6 * way} 6M${x - 4 * way} ${y - 6}l${6 * way} 6l${-6 * way} 6` });
}

function question(x, y) {
  return svg("text", { class: "unknown-end", x, y: y + 4, "text-anchor": "middle" }, "?");
}

/** A detection: its bracket with caps, the 90 % interval as a bar inside, its state as a sign at the end. */
function detectionGlyph(detection, scale, y) {
  const at = (iso, more = 0) => Math.min(Math.max(scale.x(dayNumber(iso) + more), -2000), scale.width + 2000);
  const [from, to] = [at(detection.without), Math.max(at(detection.with, 1), at(detection.without) + 3)];
  const colour = STATE_LINE[detection.state] || STATE_LINE.candidate;
  const group = svg("g", { class: `detection-glyph state-${detection.state}` });
  group.append(svg("path", {
    class: "bracket", d: `M${from} ${y - 6}V${y + 6}M${from} ${y}H${to}M${to} ${y - 6}V${y + 6}`,
    fill: "none", stroke: colour, "stroke-width": 1.8, "stroke-dasharray": detection.simulated ? "4 2" : null,
  }));
  if (detection.days) {
    const [left, right] = [at(detection.days[0]), at(detection.days[1], 1)];
    group.append(svg("rect", { class: "likely", x: left, y: y - 3.5, width: Math.max(2, right - left), height: 7, fill: colour, "fill-opacity": 0.55 }));
  }
  group.append(stateSign(detection.state, to, y));
  return group;
}

function stateSign(state, x, y) {
  const sign = svg("path", {
    class: "state-sign", d: `M${x - 6} ${y}L${x} ${y - 6}L${x + 6} ${y}L${x} ${y + 6}Z`,
    fill: STATE_FILL[state] || "#ffffff", stroke: STATE_LINE[state] || STATE_LINE.candidate, "stroke-width": 1.6,
  });
  const group = svg("g", {}, sign);
  if (state === "retracted") group.append(svg("path", { d: `M${x - 5} ${y - 5}L${x + 5} ${y + 5}`, stroke: STATE_LINE.retracted, "stroke-width": 1.6 }));
  if (state === "probable") group.append(svg("circle", { cx: x, cy: y, r: 2, fill: "#ffffff" }));
  return group;
}

/** A look by its outcome, told by shape as well as colour. */
function lookGlyph(outcome, x, y) {
  const shapes = {
    Unchanged: () => svg("circle", { cx: x, cy: y, r: 4, fill: "#1f7a6b" }),
    Changed: () => svg("path", { d: `M${x - 5.5} ${y}L${x} ${y - 5.5}L${x + 5.5} ${y}L${x} ${y + 5.5}Z`, fill: "#d55e00" }),
    Learning: () => svg("circle", { cx: x, cy: y, r: 3.4, fill: "#cfe6df", stroke: "#1f7a6b", "stroke-width": 1.2 }),
    Obscured: () => svg("path", { d: `M${x - 2.5} ${y + 4}L${x + 2.5} ${y - 4}M${x - 5} ${y + 2}L${x} ${y - 5}M${x} ${y + 5}L${x + 5} ${y - 2}`, stroke: "#5a666c", "stroke-width": 1.3, fill: "none" }),
    Failed: () => svg("path", { d: `M${x - 4} ${y - 4}L${x + 4} ${y + 4}M${x - 4} ${y + 4}L${x + 4} ${y - 4}`, stroke: "#8c1d18", "stroke-width": 1.8, fill: "none" }),
    NoScene: () => svg("rect", { x: x - 3.5, y: y - 3.5, width: 7, height: 7, fill: "#ffffff", stroke: "#6d787d", "stroke-dasharray": "2 1.5" }),
  };
  const group = svg("g", { class: `look-glyph look-${outcome.toLowerCase()}` }, shapes[outcome]());
  group.append(svg("rect", { x: x - 6, y: y - 8, width: 12, height: 16, fill: "#fff", "fill-opacity": 0 }));
  return group;
}
