// What lies behind the places, along the same time: figures with their unit, source and gaps, and dated events.

const LANES_AT_MOST = 3; // series at once; more can't be read beside each other
const LANE_HEIGHT = 54;
const EVENT_ROWS = 6;
const USUAL_STEPS = 1.5; // figures further apart than this many usual steps have a gap between them
const EVENTS_LANE = "events";
const HAPPENED_WORDS = { yes: "", no: "announced, did not happen", unknown: "unconfirmed" };

function seriesTitle(series) {
  return `${series.quantity}, ${series.place}`;
}

function numberWords(value) {
  return value.toLocaleString("en", { maximumSignificantDigits: 6 });
}

/** Points with bounds in days; `joint` tells what lies between a point and the one before: line, gap or nothing. */
function seriesPoints(series) {
  const points = series.points.map(([start, length, code, date, value, source, flag, remark]) => {
    const [first, last] = boundsOf(start, length, code);
    return { first, last, code, date, value, source, flag, remark, middle: start + length / 2 };
  });
  const steps = points.slice(1).map((point, k) => point.middle - points[k].middle).sort((a, b) => a - b);
  const usual = steps[Math.floor((steps.length - 1) / 2)];
  return points.map((point, k) => ({ ...point, joint: k ? jointOf(points[k - 1], point, usual, steps.length) : "" }));
}

/** A line between figures that touch or stand a usual step apart; nothing where they overlap; else a gap. */
function jointOf(before, after, usual, steps) {
  if (after.first <= before.last) return "";
  const follows = after.first === before.last + 1 || (steps > 1 && after.middle - before.middle <= usual * USUAL_STEPS);
  return follows ? "line" : "gap";
}

function valueScale(points) {
  const values = points.map(({ value }) => value);
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (low >= 0 && low < high / 2) low = 0;
  if (low === high) [low, high] = low === 0 ? [0, 1] : low > 0 ? [0, high] : [low, 0];
  const up = (value) => LANE_HEIGHT - 7 - ((value - low) / (high - low)) * (LANE_HEIGHT - 16);
  return { low, high, up };
}

function figureSign(flag, x, y) {
  if (flag === "lower bound") return svg("path", { class: "figure", d: `M${x - 4.5} ${y + 3}L${x} ${y - 5}L${x + 4.5} ${y + 3}Z` });
  if (flag === "upper bound") return svg("path", { class: "figure", d: `M${x - 4.5} ${y - 3}L${x} ${y + 5}L${x + 4.5} ${y - 3}Z` });
  return svg("circle", { class: flag ? "figure doubtful" : "figure", cx: x, cy: y, r: 3.5 });
}

function figureItem(series, point, k, scale, up) {
  const said = `${numberWords(point.value)} ${series.unit}, ${dateWords(point.date, point.code)}${point.flag ? `; ${point.flag}` : ""}`;
  const source = series.sources[point.source];
  const tip = () => [el("strong", {}, words(said)), point.remark ? el("p", {}, words(point.remark)) : null, el("p", {}, "Source: ", words(source.words))];
  const [from, to] = drawnRange(point.first, point.last, point.code & ~MARK.approximate, scale);
  const y = up(point.value);
  const bar = to - from > 8 ? svg("path", { class: "figure-span", d: `M${Math.max(from, -BEYOND)} ${y}H${Math.min(to, scale.width + BEYOND)}` }) : null;
  const item = timeItem(`figure:${series.id}:${k}`, `${seriesTitle(series)}: ${said}. Source: ${source.words}`, tip,
    svg("rect", { class: "hit", x: Math.max(from - 4, -BEYOND), y: 0, width: Math.max(8, Math.min(to, scale.width + BEYOND) - Math.max(from, -BEYOND) + 8), height: LANE_HEIGHT }),
    bar, figureSign(point.flag, (Math.max(from, 0) + Math.min(to, scale.width)) / 2, y));
  item.setAttribute("role", "img");
  return item;
}

/** Lines between figures that follow each other, and hatched stretches where figures are missing. */
function seriesPath(points, scale, up) {
  const parts = [];
  points.forEach((point, k) => {
    if (!point.joint) return;
    const before = points[k - 1];
    if (point.joint === "line") {
      parts.push(svg("path", { class: "figure-line", d: `M${clampedX(before.middle, scale)} ${up(before.value)}L${clampedX(point.middle, scale)} ${up(point.value)}` }));
      return;
    }
    const [left, right] = [clampedX(before.last + 1, scale), clampedX(point.first, scale)];
    parts.push(svg("rect", { class: "figure-gap", x: left, y: 0, width: Math.max(0, right - left), height: LANE_HEIGHT, fill: "url(#time-gap)" }));
    if (right - left > 70) parts.push(svg("text", { class: "gap-label", x: (Math.max(left, 0) + Math.min(right, scale.width)) / 2, y: LANE_HEIGHT / 2 + 4, "text-anchor": "middle" }, "no figures"));
  });
  return parts;
}

function clampedX(day, scale) {
  return Math.min(Math.max(scale.x(day + 0.5), -4000), scale.width + 4000);
}

function seriesLane(series, scale, onClose) {
  const points = seriesPoints(series);
  const { low, high, up } = valueScale(points);
  const shown = points.filter((point) => inView(...drawnRange(point.first, point.last, point.code, scale), scale));
  const items = shown.map((point) => figureItem(series, point, points.indexOf(point), scale, up));
  const drawing = rowsGroup("series", `${seriesTitle(series)}, ${series.unit}: ${plural(points.length, "figure")}`, [...seriesPath(points, scale, up), ...items], LANE_HEIGHT);
  const axis = [[high, 9], [low, LANE_HEIGHT - 2]].map(([value, y]) => svg("text", { class: "value-label", x: 3, y }, numberWords(value)));
  drawing.append(...axis);
  return el("div", { class: "time-lane context-lane", "data-lane": series.id },
    laneHead(excerpt(series.quantity, TITLE_LETTERS), ", ", words(excerpt(series.place, TITLE_LETTERS)), el("span", { class: "unit" }, " in ", words(excerpt(series.unit, TITLE_LETTERS))), `, ${plural(points.length, "figure")}${outOfView(points.length - shown.length)}`,
      button("×", { class: "plain lane-close", "aria-label": `Take ${seriesTitle(series)} away` }, onClose)),
    drawing, el("p", { class: "lane-sources" }, "Sources: ", ...sourceLinks(series.sources)));
}

function sourceLinks(sources) {
  const seen = new Map(sources.map((source) => [source.words, source]));
  return [...seen.values()].slice(0, 6).flatMap((source, k) => [k ? "; " : "", source.url ? link(source.url, excerpt(source.words, TITLE_LETTERS)) : words(excerpt(source.words, TITLE_LETTERS))])
    .concat(seen.size > 6 ? `; and ${seen.size - 6} more` : "");
}

function eventsLane(events, scale, onClose) {
  const all = events.map((event) => {
    const [start, length, code] = event.days;
    const [first, last] = boundsOf(start, length, code);
    return { event, code, first, last, range: drawnRange(first, last, code, scale) };
  });
  const shown = all.filter(({ range }) => inView(...range, scale));
  const places = shown.map(({ range, event }) => labelPlace(range, labelOf(event).length * LETTER, scale));
  const packed = packRows(places, EVENT_ROWS);
  const items = shown.map((each, k) => eventItem(each, places[k], packed[k], scale));
  return el("div", { class: "time-lane context-lane", "data-lane": EVENTS_LANE },
    laneHead("Events", ` ${all.length}${outOfView(all.length - shown.length)}`, button("×", { class: "plain lane-close", "aria-label": "Take the events away" }, onClose)),
    items.length ? rowsGroup("events", `Events in time: ${items.length}`, items, rowsHeight(packed)) : null);
}

function labelOf(event) {
  const happened = HAPPENED_WORDS[event.happened];
  const kind = excerpt(event.kind, TITLE_LETTERS);
  return happened ? `${kind} (${happened})` : kind;
}

function eventItem({ event, code, first, last, range }, place, { row, labelled }, scale) {
  const y = row * ROW + ROW / 2 + 1;
  const written = event.days[3];
  const happened = HAPPENED_WORDS[event.happened];
  const label = `${labelOf(event)}, ${dateWords(written, code)}: ${excerpt(event.text)}`;
  const tip = () => [el("strong", {}, words(`${labelOf(event)}, ${dateWords(written, code)}`)), el("p", {}, words(excerpt(event.text))),
    ...event.sources.map((source) => el("p", {}, "Source: ", words(source.words)))];
  const item = timeItem(`event:${event.id}`, label, tip, hitArea(range, y), dateGlyph(first, last, code, scale, y),
    labelled ? svg("text", { class: "date-label", x: place.x, y: y + 4, "text-anchor": place.anchor }, labelOf(event)) : null);
  if (happened) item.classList.add("not-happened");
  return item;
}

/** Series by how much they tell: most figures first. */
function seriesInOrder(series) {
  return [...series].sort((a, b) => b.points.length - a.points.length || (seriesTitle(a) < seriesTitle(b) ? -1 : 1));
}

/** The list to choose lanes from; `chosen()` are the ids now, `choose(ids)` takes the new ones. */
function laneChooser(context, chosen, choose) {
  const filter = el("input", { type: "search", "aria-label": "Find a series", placeholder: "rice, exchange, coal …", autocomplete: "off" });
  const list = el("div", { class: "lane-list", role: "group", "aria-label": "Series and events" });
  const fill = () => {
    const terms = folded(filter.value).split(/\s+/u).filter(Boolean);
    const now = chosen();
    const full = now.filter((id) => id !== EVENTS_LANE).length >= LANES_AT_MOST;
    const choices = [
      ...(context.events.length ? [[EVENTS_LANE, "Events", plural(context.events.length, "event")]] : []),
      ...seriesInOrder(context.series).map((each) => [each.id, seriesTitle(each), `${each.unit}, ${plural(each.points.length, "figure")}`]),
    ].filter(([, title, about]) => terms.every((term) => folded(`${title} ${about}`).includes(term)));
    list.replaceChildren(...choices.map(([id, title, about]) => {
      const on = now.includes(id);
      const box = el("input", { type: "checkbox", value: id, checked: on, disabled: !on && full && id !== EVENTS_LANE });
      box.addEventListener("change", () => choose(box.checked ? [...now, id] : now.filter((each) => each !== id)));
      return el("label", { class: "toggle" }, box, el("span", {}, words(title), el("span", { class: "about" }, words(about))));
    }));
    if (!choices.length) list.append(el("p", { class: "fine" }, "Nothing like it here."));
  };
  filter.addEventListener("input", fill);
  const fold = el("details", { class: "lane-chooser" }, el("summary", {}, "Lay prices, trade and events along it"),
    el("p", { class: "fine" }, `Up to ${LANES_AT_MOST} series at once. Figures are shown as their sources give them; nothing is filled in between.`), filter, list);
  return { fold, fill };
}
