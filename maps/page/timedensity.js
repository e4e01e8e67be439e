// The whole catalogue along time: density of notes, marks of detections, looks with their denominator.

const NOTES_HEIGHT = 46;
const FOUND_HEIGHT = 22;
const LOOKS_HEIGHT = 46;
const MONTH_DAYS = 365.2425 / 12;
const MIN_BAR = 3; // pixels
const LOOK_STACK = [
  { outcomes: ["Unchanged", "Changed"], fill: "#1f7a6b" },
  { outcomes: ["Learning"], fill: "#cfe6df", line: "#1f7a6b" },
  { outcomes: ["Obscured"], hatch: "#77838a" },
  { outcomes: ["Failed", "NoScene"], fill: "#ffffff", line: "#6d787d" },
];
const STATE_FILL = { confirmed: "#8f0052", probable: "#c2006f", candidate: "#ffffff", retracted: "#ffffff" };
const STATE_LINE = { confirmed: "#8f0052", probable: "#c2006f", candidate: "#c2006f", retracted: "#59646a" };

/** Draw the density; returns the most notes a month anywhere in view. */
function drawDensity(canvas, scale, mask) {
  const context = freshCanvas(canvas, scale.width, NOTES_HEIGHT);
  const bins = Math.max(1, Math.round(scale.width / 2));
  const perMonth = MONTH_DAYS / ((scale.to - scale.from) / bins);
  const density = noteDensity(scale.from, scale.to, bins, mask);
  const most = density.reduce((largest, value) => Math.max(largest, value), 0);
  const up = (value) => NOTES_HEIGHT - 1 - (most > 1e-9 ? Math.sqrt(value / most) : 0) * (NOTES_HEIGHT - 6);
  context.beginPath();
  context.moveTo(0, NOTES_HEIGHT);
  density.forEach((value, bin) => {
    context.lineTo((bin * scale.width) / bins, up(value));
    context.lineTo(((bin + 1) * scale.width) / bins, up(value));
  });
  context.lineTo(scale.width, NOTES_HEIGHT);
  context.fillStyle = "#5b93a0";
  context.fill();
  context.strokeStyle = "#0b5a6b";
  context.lineWidth = 1;
  context.stroke();
  return most * perMonth;
}

/** How many months a bar of the looks takes so that it can be seen. */
function monthsABar(scale) {
  return MONTH_STEPS.slice(0, 6).find((months) => months * MONTH_DAYS * scale.perDay >= MIN_BAR) || 60;
}

/** Draw the looks, judged ones at the bottom; returns the most of a bar and how many months a bar takes. */
function drawLooks(canvas, scale, byMonth) {
  const context = freshCanvas(canvas, scale.width, LOOKS_HEIGHT);
  const months = monthsABar(scale);
  const bars = new Map();
  for (const [month, row] of byMonth) {
    const start = Math.floor(month / months) * months;
    const bar = bars.get(start) || new Array(row.length).fill(0);
    bars.set(start, bar.map((count, k) => count + row[k]));
  }
  const inView = [...bars].filter(([start]) => monthStart(start + months) > scale.from && monthStart(start) < scale.to);
  const most = inView.reduce((largest, [, bar]) => Math.max(largest, bar.reduce((sum, count) => sum + count, 0)), 0);
  const hatch = looksHatch(context);
  for (const [start, bar] of inView) {
    const [left, right] = [scale.x(monthStart(start)), scale.x(monthStart(start + months))];
    stackBar(context, hatch, { left, width: Math.max(1.5, right - left - 1) }, bar, (LOOKS_HEIGHT - 4) / most);
  }
  return { most, months };
}

function stackBar(context, hatch, { left, width }, bar, perLook) {
  let bottom = LOOKS_HEIGHT;
  for (const { outcomes, fill, line, hatch: hatched } of LOOK_STACK) {
    const height = perLook * outcomes.reduce((sum, name) => sum + bar[times.looks.outcomes.indexOf(name)], 0);
    if (!height) continue;
    bottom -= height;
    context.fillStyle = hatched ? hatch : fill;
    context.fillRect(left, bottom, width, height);
    if (!line || width < 4) continue;
    context.strokeStyle = line;
    context.strokeRect(left + 0.5, bottom + 0.5, width - 1, height - 1);
  }
}

function looksHatch(context) {
  const tile = document.createElement("canvas");
  [tile.width, tile.height] = [4, 4];
  const pen = tile.getContext("2d");
  pen.fillStyle = "#dde2e4";
  pen.fillRect(0, 0, 4, 4);
  pen.strokeStyle = "#77838a";
  pen.beginPath();
  for (const shift of [-4, 0, 4]) {
    pen.moveTo(shift, 4);
    pen.lineTo(shift + 4, 0);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

/** Detections that a mask leaves, as positions in `times.detections`. */
function detectionsLeft(mask) {
  const left = [];
  const { site } = times.detections;
  for (let k = 0; k < site.length; k += 1) if (!mask || mask[site[k]]) left.push(k);
  return left;
}

function drawFound(canvas, scale, left) {
  const context = freshCanvas(canvas, scale.width, FOUND_HEIGHT);
  const { first, last, state } = times.detections;
  const middle = FOUND_HEIGHT / 2;
  for (const k of left) {
    const [from, to] = [scale.x(first[k]), scale.x(last[k] + 1)];
    if (to < 0 || from > scale.width) continue;
    context.globalAlpha = 0.4;
    context.fillStyle = STATE_LINE[state[k]];
    context.fillRect(from, middle - 1, Math.max(1, to - from), 2);
    context.globalAlpha = 0.85;
    diamond(context, (from + to) / 2, middle, 5);
    context.fillStyle = STATE_FILL[state[k]];
    context.fill();
    context.strokeStyle = STATE_LINE[state[k]];
    context.lineWidth = 1.4;
    context.stroke();
  }
  context.globalAlpha = 1;
}

function diamond(context, x, y, size) {
  context.beginPath();
  context.moveTo(x - size, y);
  context.lineTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.closePath();
}

/** Notes, detections and looks that allow a day of `[from, to]` (day numbers), of the masked sites. */
function countsWithin(from, to, mask) {
  const count = ({ site, first, last }) => {
    let sum = 0;
    for (let k = 0; k < site.length; k += 1) sum += (!mask || mask[site[k]]) && first[k] <= to && last[k] >= from ? 1 : 0;
    return sum;
  };
  return { notes: count(times.notes), detections: count(times.detections) };
}

/** Looks judged and looks that could not be, of whole months from `from` to `to` (day numbers). */
function looksWithin(byMonth, from, to) {
  const sums = [0, 0];
  for (const [month, row] of byMonth) {
    if (monthStart(month + 1) <= from || monthStart(month) > to) continue;
    judgedOf(row).forEach((count, k) => {
      sums[k] += count;
    });
  }
  return sums;
}
