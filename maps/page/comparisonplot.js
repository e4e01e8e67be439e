// Two lines over periods, told apart by dash and marker: counts with what surely and what possibly falls in.

const PLOT = { left: 46, right: 12, top: 10, bottom: 24, height: 190 };
const LINE_STYLES = [{ colour: "#0072b2", dash: null, square: false }, { colour: "#b34700", dash: "7 4", square: true }];

function roundSteps(high, count = 4) {
  const raw = high / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw * (1 - 1e-9));
  return Array.from({ length: Math.floor(high / step + 1e-9) + 1 }, (_, k) => k * step);
}

function plotMark({ colour, square }, x, y, half = 3.5) {
  return square
    ? svg("rect", { x: x - half, y: y - half, width: 2 * half, height: 2 * half, fill: "#fff", stroke: colour, "stroke-width": Math.min(2, half) })
    : svg("circle", { cx: x, cy: y, r: half + 0.5, fill: colour });
}

/** The sign of a line, for the legend. */
function lineSign(number) {
  const style = LINE_STYLES[number];
  return svg("svg", { width: 36, height: 14, "aria-hidden": "true", class: "line-sign" },
    svg("path", { d: "M0 7H36", stroke: style.colour, "stroke-width": 2, "stroke-dasharray": style.dash }), plotMark(style, 18, 7));
}

function plotAxes(scale, labels, write) {
  const parts = [];
  for (const value of roundSteps(scale.high)) {
    const y = scale.y(value);
    parts.push(svg("path", { d: `M${PLOT.left} ${y}H${scale.width - PLOT.right}`, stroke: value ? "#dfe3e4" : "#5a6066" }),
      svg("text", { x: PLOT.left - 6, y: y + 4, "text-anchor": "end" }, write(value)));
  }
  const every = Math.ceil(labels.length / Math.max(2, Math.floor((scale.width - PLOT.left) / 62)));
  labels.forEach((label, k) => {
    if (k % every === 0) parts.push(svg("text", { x: scale.x(k), y: PLOT.height - 6, "text-anchor": "middle" }, label));
  });
  return parts;
}

function plotLine(points, scale, number) {
  const style = LINE_STYLES[number];
  const aside = points.length > scale.width / 8 ? 0 : 2 * (number ? 1 : -1);
  const parts = [];
  let path = "";
  points.forEach((point, k) => {
    if (!point) return;
    const [x, y] = [scale.x(k) + aside, scale.y(point.value)];
    path += `${points[k - 1] ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    if (point.low !== point.high) parts.push(svg("path", { d: `M${x} ${scale.y(point.low)}V${scale.y(Math.min(point.high, scale.high))}`, stroke: style.colour }));
    parts.push(plotMark(style, x, y, point.value ? 3.5 : 1.5)); // a row of zeros is no row of signs
  });
  return [svg("path", { d: path, fill: "none", stroke: style.colour, "stroke-width": 2, "stroke-dasharray": style.dash }), ...parts];
}

/** A plot of two rows of points ({ value, low, high }, or null where nothing is known). */
function linePlot({ title, labels, lines, write, width }) {
  const known = lines.flat().filter(Boolean);
  const high = Math.max(1e-9, ...known.map((point) => point.value), Math.min(Math.max(0, ...known.map((point) => point.high)), 4 * Math.max(1e-9, ...known.map((point) => point.value))) || 1);
  const inner = width - PLOT.left - PLOT.right;
  const scale = {
    width, high,
    x: (k) => PLOT.left + (inner * (k + 0.5)) / labels.length,
    y: (value) => PLOT.height - PLOT.bottom - (Math.min(value, high) / high) * (PLOT.height - PLOT.top - PLOT.bottom),
  };
  return svg("svg", { viewBox: `0 0 ${width} ${PLOT.height}`, width, height: PLOT.height, role: "img", "aria-label": title, class: "line-plot" },
    ...plotAxes(scale, labels, write), ...lines.flatMap((points, number) => plotLine(points, scale, number)));
}
