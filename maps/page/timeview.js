// The plot under the map: its lanes, drawn anew whenever the window, the filters, the site or the span changes.

const TABLE_YEARS = 400;

/** Ticks of all lanes: lines over the whole height, with their labels in the strip at the top. */
function drawAxis(axis, grid, scale) {
  const ticks = timeTicks(scale, scale.width < 480 ? 46 : 64);
  axis.replaceChildren(...ticks.map(({ day, label, strong }) => {
    const x = scale.x(day);
    const anchor = x < 20 ? "start" : x > scale.width - 20 ? "end" : "middle";
    return svg("text", { x, y: 15, "text-anchor": anchor, class: strong ? "strong" : null }, label);
  }));
  grid.replaceChildren(...ticks.map(({ day, strong }) =>
    svg("line", { x1: scale.x(day), x2: scale.x(day), y1: 0, y2: "100%", class: strong ? "strong" : null })));
}

/** A sign's words beside it, on hover and on focus; Escape takes them away. */
function startTips(plot) {
  const tip = el("div", { class: "time-tip", role: "tooltip", hidden: true });
  let shown = null;
  const hide = () => {
    tip.hidden = true;
    shown = null;
  };
  const show = (item) => {
    if (shown === item) return;
    shown = item;
    tip.replaceChildren(...item.tip().filter(Boolean));
    tip.hidden = false;
    const [box, own] = [plot.getBoundingClientRect(), item.querySelector(".hit, .look-glyph")?.getBoundingClientRect() || item.getBoundingClientRect()];
    const middle = (Math.max(own.left, box.left) + Math.min(own.right, box.right)) / 2 - box.left;
    tip.style.left = `${Math.round(Math.min(Math.max(0, middle - tip.offsetWidth / 2), Math.max(0, box.width - tip.offsetWidth)))}px`;
    tip.style.top = `${Math.round(own.bottom - box.top + 6)}px`;
  };
  for (const name of ["pointerover", "focusin"]) {
    plot.addEventListener(name, (event) => {
      const item = event.target.closest("[data-item]");
      if (item?.tip) show(item);
      else if (!event.target.closest(".time-tip")) hide();
    });
  }
  plot.addEventListener("focusout", hide);
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || tip.hidden) return;
    event.stopPropagation();
    hide();
  });
  return { tip, hide };
}

function wholeLanes() {
  const lane = (name) => {
    const [head, canvas] = [laneHead(""), el("canvas", { "aria-hidden": "true" })];
    return { box: el("div", { class: `time-lane time-whole-${name}` }, head, canvas), head, canvas };
  };
  return { notes: lane("notes"), detections: lane("detections"), looks: lane("looks") };
}

function headText(lane, title, ...more) {
  lane.head.replaceChildren(el("strong", {}, title), ...more);
}

function drawWhole(lanes, scale, mask, byMonth) {
  const most = drawDensity(lanes.notes.canvas, scale, mask);
  headText(lanes.notes, "Notes", `, each spread over the days its date allows (height by square root): up to ${numberWords(Number(most.toPrecision(2)))} a month${earlierWords([scale.from, scale.to], mask)}`);
  const left = detectionsLeft(mask);
  lanes.detections.box.hidden = !left.length;
  if (left.length) {
    drawFound(lanes.detections.canvas, scale, left);
    const simulated = left.filter((k) => times.detections.simulated[k]).length;
    headText(lanes.detections, "Detections", ` by machine: ${left.length.toLocaleString("en")}, each over its bracket${simulated ? `; ${simulated.toLocaleString("en")} in simulated imagery` : ""}`);
  }
  lanes.looks.box.hidden = !byMonth.size;
  if (!byMonth.size) return;
  const { most: top, months } = drawLooks(lanes.looks.canvas, scale, byMonth);
  const key = [["judged", "judged"], ["learning", "still learning"], ["obscured", "obscured"], ["none", "failed or no scene"]];
  headText(lanes.looks, "Looks", `: up to ${top.toLocaleString("en")} ${months === 1 ? "a month" : months === 12 ? "a year" : `in ${months} months`} `,
    ...key.map(([name, label]) => el("span", { class: "looks-key" }, el("span", { class: `swatch swatch-${name}` }), label)));
}

/** What the span holds, in words: the same for eyes and ears. */
function summaryWords(data, span, kinds, mask, byMonth) {
  const [from, to] = spanDays(span);
  const counts = countsWithin(from, to, mask);
  const [judged, silent] = looksWithin(byMonth, from, to);
  const of = data.sites.filter((site) => !mask || mask[site.i]).length;
  const named = { notes: "a note", detections: "a detection", looks: "a look" };
  const sites = span ? `${plural(state.sites().length, "site")} of ${of.toLocaleString("en")} with ${kinds.map((kind) => named[kind]).join(" or ")} that allows these days. ` : `${plural(of, "site")}. `;
  const looks = judged + silent
    ? `In these months ${plural(judged + silent, "look")} were due: ${judged.toLocaleString("en")} could judge, ${silent.toLocaleString("en")} could not and say nothing about change.`
    : "No looks in these months: nothing is known about change.";
  return `${spanWords(span)}: ${sites}${plural(counts.notes, "note")} and ${plural(counts.detections, "detection")} allow a day of it. ${looks}`;
}

/** The counts year by year, for those who read tables. */
function yearTable(mask, byMonth) {
  const yearOf = (day) => new Date(day * DAY_MS).getUTCFullYear();
  const [low, high] = times.range.map(yearOf);
  const rows = new Map();
  for (let year = high; year >= Math.max(low, high - TABLE_YEARS + 1); year -= 1) {
    const [from, to] = [dayNumber(`${String(year).padStart(4, "0")}-01-01`), dayNumber(`${String(year).padStart(4, "0")}-12-31`)];
    rows.set(year, [from, to]);
  }
  const body = el("tbody");
  for (const [year, [from, to]] of rows) {
    const counts = countsWithin(from, to, mask);
    const looks = looksWithin(byMonth, from, to);
    if (counts.notes + counts.detections + looks[0] + looks[1] === 0) continue;
    body.append(el("tr", {}, el("th", { scope: "row" }, String(year)),
      ...[counts.notes, counts.detections, ...looks].map((count) => el("td", {}, count.toLocaleString("en")))));
  }
  const heads = ["Year", "Notes that allow a day of it", "Detections", "Looks judged", "Looks that could not"];
  return el("div", { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Counts by year" }, el("table", {},
    el("caption", { class: "unseen" }, "Notes, detections and looks by year, under the filters but the span"),
    el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))), body));
}

function startTimeline(section, data, context) {
  const [fields, playing, kinds] = [spanFields(state), playControls(state), kindsField()];
  const lanes = wholeLanes();
  const axis = svg("svg", { class: "time-axis", height: 22, width: "100%", "aria-hidden": "true" });
  const grid = svg("svg", { class: "time-grid", "aria-hidden": "true" });
  const parts = { handles: [spanHandle(0, state), spanHandle(1, state)], grip: el("div", { class: "time-grip", title: "Drag to move the span" }),
    shades: [el("div", { class: "time-shade time-shade-left" }), el("div", { class: "time-shade time-shade-right" })] };
  const [siteBox, laneBox] = [el("div", { class: "time-site" }), el("div", { class: "time-context" })];
  const plot = el("div", { class: "time-plot", tabindex: 0, role: "group", "aria-label": "Time line. Arrow keys show earlier and later, plus and minus zoom, 0 shows everything" });
  const { tip, hide } = startTips(plot);
  plot.append(glyphPaints(), grid, axis, lanes.notes.box, lanes.detections.box, lanes.looks.box, siteBox, laneBox, ...parts.shades, parts.grip, ...parts.handles, tip);
  const summary = el("p", { class: "time-summary", role: "status" });
  const fold = el("details", { class: "time-table" }, el("summary", {}, "The same as a table, by year"));
  const time = { window: firstStretch(state.get("span")), limits: timeLimits(), scale: null, mask: null, byMonth: new Map(), counted: false, site: null };
  const lanesNow = () => shownLanes(context, state.get("lanes"));
  const chooser = laneChooser(context, lanesNow, (ids) => state.set({ lanes: ids }));
  section.append(toolsRow(time, fields, playing), kinds.field, summary, plot);
  if (context.series.length + context.events.length) section.append(chooser.fold);
  section.append(fold);

  const draw = () => {
    frame = 0;
    const width = plot.clientWidth;
    if (!width) return;
    const kept = document.activeElement?.getAttribute?.("data-item");
    time.scale = timeScale(...time.window, width);
    [plot.dataset.from, plot.dataset.to] = time.window;
    hide();
    drawAxis(axis, grid, time.scale);
    drawWhole(lanes, time.scale, time.mask, time.byMonth);
    siteBox.replaceChildren(...(time.site ? [siteHead(time.site, time), ...siteLanes(data, time.site, time.scale)] : []));
    laneBox.replaceChildren(...contextLanes(context, lanesNow(), time.scale, (ids) => state.set({ lanes: ids })));
    placeSpan(parts, time.scale, state.get("span"));
    if (kept) plot.querySelector(`[data-item="${CSS.escape(kept)}"]`)?.focus({ preventScroll: true });
  };
  let frame = 0;
  const later = () => {
    frame ||= requestAnimationFrame(draw);
  };
  time.show = (wanted) => {
    time.window = wanted;
    later();
  };
  /** A span alone changes no lane: handles and words follow it many times a second. */
  const recount = () => {
    const mask = maskOf(data);
    if (!time.counted || !sameMask(mask, time.mask)) {
      Object.assign(time, { mask, byMonth: looksByMonth(mask), counted: true });
      later();
    }
    bringIntoView(time, state.get("span"), later);
    if (time.scale) placeSpan(parts, time.scale, state.get("span"));
    tell();
  };
  const tell = () => {
    const { span, kinds: chosen } = state.get();
    fields.show(span);
    kinds.show(chosen);
    summary.textContent = summaryWords(data, span, chosen, time.mask, time.byMonth);
    if (fold.open) fillFold();
  };
  const fillFold = () => fold.replaceChildren(fold.firstElementChild, yearTable(time.mask, time.byMonth));
  const showSite = async (id) => {
    const site = id ? data.siteOf(id) : null;
    const full = site ? await data.detailsOf(site) : null;
    if (state.get("site") !== id) return;
    time.site = full;
    later();
  };
  fold.addEventListener("toggle", () => fold.open && fillFold());
  plot.addEventListener("click", (event) => openFrom(event, time));
  plot.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") openFrom(event, time);
  });
  state.onSites(recount);
  state.on("site", ({ site }) => showSite(site));
  state.on("lanes", () => {
    chooser.fill();
    later();
  });
  chooser.fill();
  showSite(state.get("site"));
  startMoves(plot, time);
  startDrags(plot, parts, time, state);
  new ResizeObserver(later).observe(plot);
  section.hidden = false;
  draw();
}

/** What is shown at first: most of what is dated, and the whole span where there is one. */
function firstStretch(span) {
  const [start, [, end]] = [usualStart(), timeLimits()];
  const from = span ? Math.min(start, spanDays(span)[0]) : start;
  return [Math.max(timeLimits()[0], from - (end - from) * EDGE_SHARE), end];
}

/** How much of what is dated lies before the window, in words. */
function earlierWords(window, mask) {
  const earlier = countsWithin(BEFORE_ALL, Math.ceil(window[0]) - 1, mask).notes;
  return earlier ? `; ${plural(earlier, "note")} may be of days before this stretch` : "";
}

function sameMask(one, other) {
  return one === other || Boolean(one && other && one.every((byte, k) => byte === other[k]));
}

/** A span that lies wholly outside what is shown is brought to its middle. */
function bringIntoView(time, span, later) {
  if (!span) return;
  const [from, to] = spanDays(span);
  if (from < time.window[1] && to >= time.window[0]) return;
  time.window = moved(time.window, (from + to - time.window[0] - time.window[1]) / 2, time.limits);
  later();
}

/** The stretch that holds everything dated of a site, with room at its edges. */
function siteStretch(site, limits) {
  const { offsets, first, last } = times.notes;
  const days = site.detections.flatMap((found) => [dayNumber(found.without), dayNumber(found.with)])
    .concat(site.looks.map(([day]) => dayNumber(day)), site.gaps.flat().map(dayNumber));
  for (let k = offsets[site.i]; k < offsets[site.i + 1]; k += 1) days.push(first[k], last[k]);
  const dated = days.filter((day) => day > BEFORE_ALL && day < AFTER_ALL);
  if (!dated.length) return null;
  const [low, high] = [dated.reduce((a, b) => Math.min(a, b)), dated.reduce((a, b) => Math.max(a, b)) + 1];
  const room = Math.max(20, (high - low) * 0.06);
  return zoomed([low - room, high + room], 1, low, limits);
}

function siteHead(site, time) {
  const head = el("p", { class: "time-site-name" }, words(excerpt(site.names[0].text, TITLE_LETTERS), site.names[0].tag));
  const stretch = siteStretch(site, time.limits);
  if (stretch) head.append(" ", button("Zoom to its dates", { class: "plain" }, () => time.show(stretch)));
  return head;
}

function openFrom(event, time) {
  const key = event.target.closest("[data-item]")?.getAttribute("data-item");
  if (!key || !time.site || !/^(note|detection|look|gap):/.test(key)) return;
  event.preventDefault();
  openInPanel(time.site, key);
}

function shownLanes(context, ids) {
  if (ids === null) return context.events.length ? [EVENTS_LANE] : [];
  const known = new Set(context.series.map((series) => series.id));
  const series = ids.filter((id) => known.has(id)).slice(0, LANES_AT_MOST);
  return ids.includes(EVENTS_LANE) && context.events.length ? [EVENTS_LANE, ...series] : series;
}

function contextLanes(context, ids, scale, choose) {
  const series = new Map(context.series.map((each) => [each.id, each]));
  return ids.map((id) => {
    const close = () => choose(ids.filter((other) => other !== id));
    return id === EVENTS_LANE ? eventsLane(context.events, scale, close) : seriesLane(series.get(id), scale, close);
  });
}
