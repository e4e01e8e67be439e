// Time under the map: what the whole catalogue and the chosen site have along it, and the span that filters all.

const EDGE_SHARE = 0.02; // of everything dated, kept free at both edges
const ZOOM_STEP = 1.6;
const PAN_SHARE = 0.2;

state.define("kinds", { ...state.list, initial: DATED_KINDS, name: "in", read: (params, key) => kindsRead(params.getAll(key)) });
state.define("lanes", { ...state.list, initial: null, name: "lane", read: (params, key) => (params.has(key) ? params.getAll(key).filter(Boolean) : null), write: (ids) => (ids.length ? ids : [""]) });

function kindsRead(names) {
  const known = TIME_KINDS.filter((kind) => names.includes(kind));
  return known.length ? known : DATED_KINDS;
}

const spanFilter = {
  key: ["span", "kinds"],
  test({ span, kinds }) {
    if (!span || !times) return null;
    const within = sitesWithin(span, kinds);
    return (site) => within[site.i] === 1;
  },
};
FILTERS.push(spanFilter);

/** Sites that pass everything but the span, a byte a site; null where that is all. */
function maskOf(data) {
  const mask = Uint8Array.from(data.sites, (site) => (state.passes(site, spanFilter) ? 1 : 0));
  return mask.every(Boolean) ? null : mask;
}

/** The stretch that everything dated takes, with room at its edges. */
function timeLimits() {
  const [low, high] = times.range;
  const room = Math.min(240, Math.max(30, (high - low) * EDGE_SHARE)); // days
  return [low - room, high + 1 + room];
}

/** Go to a note, detection or look in the panel of its site. */
async function openInPanel(site, key) {
  const panel = document.getElementById("panel");
  state.set({ site: site.id });
  const [kind, k] = key.split(":");
  for (let tries = 0; tries < 100 && panel.dataset.site !== site.id; tries += 1) await new Promise(requestAnimationFrame);
  if (panel.dataset.site !== site.id) return;
  const places = { note: ".note", detection: ".detection" };
  const found = places[kind] ? panel.querySelectorAll(places[kind])[Number(k)] : panel.querySelector(".looks");
  if (!found) return;
  found.setAttribute("tabindex", "-1");
  found.focus({ preventScroll: true });
  found.scrollIntoView({ block: "center" });
  for (const other of panel.querySelectorAll(".pointed-at")) other.classList.remove("pointed-at");
  found.classList.add("pointed-at");
}

function toolsRow(time, fields, playing) {
  const zoom = (factor) => () => time.show(zoomed(time.window, factor, (time.window[0] + time.window[1]) / 2, time.limits));
  const pan = (way) => () => time.show(moved(time.window, way * PAN_SHARE * (time.window[1] - time.window[0]), time.limits));
  return el("div", { class: "time-tools" }, fields.box, playing.box,
    el("div", { class: "time-zoom", role: "group", "aria-label": "Stretch of time shown" },
      button("−", { "aria-label": "Show a longer stretch", title: "Zoom out" }, zoom(ZOOM_STEP)),
      button("+", { "aria-label": "Show a shorter stretch", title: "Zoom in" }, zoom(1 / ZOOM_STEP)),
      button("‹", { "aria-label": "Show earlier", title: "Earlier" }, pan(-1)),
      button("›", { "aria-label": "Show later", title: "Later" }, pan(1)),
      button("Whole", { title: "Show everything that is dated" }, () => time.show(time.limits)),
      button("Zoom to span", {}, () => {
        const [from, to] = spanDays(state.get("span"));
        const room = Math.max(7, (to - from) * 0.08);
        time.show(moved(zoomed([from - room, to + 1 + room], 1, from, time.limits), 0, time.limits));
      })));
}

function kindsField() {
  const boxes = TIME_KINDS.map((kind) => {
    const box = el("input", { type: "checkbox", value: kind });
    box.addEventListener("change", () => {
      const kinds = TIME_KINDS.filter((_, k) => boxes[k].checked);
      if (kinds.length) state.set({ kinds });
      else box.checked = true; // nothing at all would find nothing
    });
    return box;
  });
  const names = { notes: "a note", detections: "a detection", looks: "any look" };
  const field = el("fieldset", { class: "time-kinds" }, el("legend", {}, "Sites count as in the span by"),
    ...boxes.map((box, k) => el("label", { class: "toggle" }, box, names[TIME_KINDS[k]])));
  return { field, show: (kinds) => boxes.forEach((box) => { box.checked = kinds.includes(box.value); }) };
}

/** Keys and wheel over the plot: zoom and pan. */
function startMoves(plot, time) {
  plot.addEventListener("wheel", (event) => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!sideways && !event.ctrlKey && !event.metaKey && !plot.contains(document.activeElement)) return; // the page scrolls
    event.preventDefault();
    if (sideways) time.show(moved(time.window, event.deltaX / time.scale.perDay, time.limits));
    else time.show(zoomed(time.window, event.deltaY > 0 ? 1.2 : 1 / 1.2, time.scale.day(event.clientX - plot.getBoundingClientRect().left), time.limits));
  }, { passive: false });
  plot.addEventListener("keydown", (event) => {
    if (event.target !== plot || event.ctrlKey || event.metaKey || event.altKey) return;
    const length = time.window[1] - time.window[0];
    const middle = time.window[0] + length / 2;
    const wanted = {
      ArrowLeft: () => moved(time.window, -PAN_SHARE * length, time.limits), ArrowRight: () => moved(time.window, PAN_SHARE * length, time.limits),
      "+": () => zoomed(time.window, 1 / ZOOM_STEP, middle, time.limits), "=": () => zoomed(time.window, 1 / ZOOM_STEP, middle, time.limits),
      "-": () => zoomed(time.window, ZOOM_STEP, middle, time.limits), Home: () => time.limits, 0: () => time.limits,
    }[event.key];
    if (!wanted) return;
    event.preventDefault();
    time.show(wanted());
  });
}

PARTS.push({
  name: "timeline",
  /** Before the address is read, which may hold a span. */
  async prepare() {
    if (hasBlock("sitewatch-times")) times = unpackTimes(await openBlock("sitewatch-times"));
  },
  async start({ data }) {
    const section = document.getElementById("timeline");
    if (!section || !times) return;
    const context = hasBlock("sitewatch-context") ? await openBlock("sitewatch-context") : { series: [], events: [] };
    startTimeline(section, data, context);
  },
});
