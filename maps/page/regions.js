// Provinces coloured by what is counted in them, with the legend, and the same numbers as a table.

const NOTHING_BEHIND = "not known";
const ALWAYS = ["judged", "notes"]; // what any number stands on
const MEASURES = {
  sites: { words: "Sites in the catalogue", write: whole, value: (row) => row.sites, wanted: ALWAYS },
  ...Object.fromEntries(Object.entries(COUNTS).map(([what, { words: label, behind }]) => [what, {
    words: label, write: whole, value: (row) => knownCount(row, what), wanted: [...new Set([what, behind || what, ...ALWAYS])],
  }])),
  per_site: { words: "Notes a site", write: short, value: (row) => (row.sites ? row.count.notes / row.sites : null), wanted: ALWAYS },
  per_100_looks: { words: "Detections in 100 judged looks", write: short, value: (row) => (row.count.judged ? (100 * row.count.detections) / row.count.judged : null), wanted: ["detections", ...ALWAYS] },
  per_site_year: { words: "Detections a site-year", write: short, value: (row) => (row.years ? row.count.detections / row.years : null), wanted: ["detections", ...ALWAYS] },
};

let regionFacts = null;

state.define("colour", { ...state.text, read: (params, key) => params.get(key) || "" });
state.define("classes", { ...state.text, initial: "quantile", read: (params, key) => (params.get(key) === "equal" ? "equal" : "quantile") });

function whole(value) {
  return Math.round(value).toLocaleString("en");
}

function short(value) {
  return value.toLocaleString("en", { maximumSignificantDigits: 2 });
}

/** A count, or null where nothing stands behind it: no site, no look that could be judged, no note at all. */
function knownCount(row, what) {
  if (!row.sites) return null;
  const { behind } = COUNTS[what];
  if (behind === "looks" || !behind) return row.count[what];
  return row.possible[behind] ? row.count[what] : null;
}

/** The block beside the times, with what is counted as rows. */
async function openRegionFacts() {
  const block = await openBlock("sitewatch-regions");
  const facts = {
    ...block, names: [...block.provinces.map(({ name }) => name), ...block.strangers],
    judgedSites: block.judged.site, judgedFirst: block.judged.first, judgedLast: block.judged.last,
  };
  facts.rows = recordsFrom(times, facts);
  return facts;
}

/** Sites that pass every filter but the span: what was not seen in the span still stands behind the counts. */
function passingSites(data) {
  return Uint8Array.from(data.sites, (site) => (state.passes(site, spanFilter) ? 1 : 0));
}

/** What is counted of each group in the chosen span; `wanted` keys of COUNTS, all when not said. */
function regionRows(facts, groupOf, groups, span, wanted = Object.keys(COUNTS)) {
  const days = span ? span.map(dayNumber) : [BEFORE_ALL, AFTER_ALL];
  const edges = Int32Array.from(span ? [days[0], days[1] + 1] : [BEFORE_ALL, AFTER_ALL + 1]);
  const found = Object.fromEntries(wanted.map((what) => [what, countRows(facts.rows(what), groupOf, groups, edges)]));
  const years = siteYears(facts, groupOf, groups, edges);
  const sites = new Int32Array(groups);
  for (const group of groupOf) if (group >= 0) sites[group] += 1;
  const pick = (member, group) => Object.fromEntries(Object.entries(found).map(([what, counts]) => [what, counts[member][group]]));
  return Array.from(sites, (count, group) => ({
    sites: count, seen: found.judged.sites[group], years: years[group],
    count: pick("count", group), sure: pick("sure", group), possible: pick("possible", group),
  }));
}

/** The last figure of each province that may fall into the span. */
function seriesValues(series, groupOfProvince, span) {
  const days = span ? span.map(dayNumber) : [BEFORE_ALL, AFTER_ALL];
  const values = new Map();
  for (const [province, start, length, code, text, value, flag] of series.figures) {
    const [first, last] = boundsOf(start, length, code);
    if (first <= days[1] && last >= days[0]) values.set(groupOfProvince(province), { value, text, flag });
  }
  return values;
}

function measuresOf(facts) {
  const series = facts.series.map((each, k) => [`series-${k}`, {
    words: `${each.quantity} (${each.unit})`, write: (value) => value.toLocaleString("en", { maximumSignificantDigits: 4 }), series: each,
  }]);
  return new Map([...Object.entries(MEASURES), ...series]);
}

/** Values by outline of the basemap: provinces without an outline of their own are part of another's. */
function outlineValues(facts, measure, mask, span) {
  const outlines = facts.provinces.filter(({ own }) => own).map(({ outline }) => outline);
  const place = facts.provinces.map(({ outline }) => outlines.indexOf(outline));
  if (measure.series) {
    const own = (province) => (facts.provinces[province].own ? place[province] : -1);
    const found = seriesValues(measure.series, own, span);
    return outlines.map((outline, k) => {
      const figure = found.get(k);
      return { outline, value: figure ? figure.value : null, told: figure ? `${figure.text}${figure.flag ? `, ${figure.flag}` : ""}` : "no figure in this time" };
    });
  }
  const groupOf = Int16Array.from(facts.unit, (unit, site) => (mask[site] && unit >= 0 && unit < place.length ? place[unit] : -1));
  return regionRows(facts, groupOf, outlines.length, span, measure.wanted).map((row, k) => ({ outline: outlines[k], value: measure.value(row), told: standingBehind(row) }));
}

/** What a number stands on, in words. */
function standingBehind(row) {
  if (!row.sites) return "no site here";
  const looks = row.count.judged ? `${plural(row.count.judged, "judged look")} in ${short(row.years)} site-years` : "no look that could be judged";
  return `${plural(row.sites, "site")}, ${looks}, ${plural(row.count.notes, "note")}`;
}

function rateCell(row) {
  if (!row.count.judged) return NOTHING_BEHIND;
  const rate = rateOf(row.count.detections, row.years);
  return rate ? `${short(rate.estimate)} (${short(rate.low)} to ${short(rate.high)})` : NOTHING_BEHIND;
}

function doubtfulCount(row, what) {
  const value = knownCount(row, what);
  if (value === null) return NOTHING_BEHIND;
  const [sure, possible] = [row.sure[what], row.possible[what]];
  return sure === possible ? whole(value) : `${whole(value)} (${whole(sure)} to ${whole(possible)})`;
}

const REGION_COLUMNS = [
  ["Sites", (row) => whole(row.sites)], ["Sites seen", (row) => whole(row.seen)],
  ["Notes", (row) => doubtfulCount(row, "notes")], ["First noted", (row) => doubtfulCount(row, "named")],
  ["Construction", (row) => doubtfulCount(row, "construction")], ["Investment", (row) => doubtfulCount(row, "investment")],
  ["Looks", (row) => whole(row.count.looks)], ["Judged", (row) => whole(row.count.judged)],
  ["Site-years", (row) => (row.years ? short(row.years) : "0")], ["Detections", (row) => doubtfulCount(row, "detections")],
  ["Detections a site-year (95 %)", rateCell],
];

function regionTable(facts, mask, span) {
  const nowhere = facts.names.length;
  const groupOf = Int16Array.from(facts.unit, (unit, site) => (mask[site] ? (unit < 0 ? nowhere : unit) : -1));
  const rows = regionRows(facts, groupOf, nowhere + 1, span);
  const names = [...facts.names, "No province known"];
  const body = rows.map((row, k) => ({ row, k })).filter(({ row, k }) => row.sites || k < facts.provinces.length).map(({ row, k }) => {
    const province = facts.provinces[k];
    const name = el("th", { scope: "row" }, words(names[k]), province ? el("span", { class: "other-names", lang: "ko" }, province.ko) : null);
    return el("tr", row.sites ? {} : { class: "none" }, name, ...REGION_COLUMNS.map(([, write]) => el("td", { class: "number" }, write(row))));
  });
  return el("table", { class: "regions-table" }, el("caption", { class: "unseen" }, "What is counted in each province"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Province"), ...REGION_COLUMNS.map(([head]) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, ...body));
}

/** Stripes for "no data", once in the page; colours alone never say it. */
function stripes() {
  const pattern = svg("pattern", { id: "no-data", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect", { width: 7, height: 7, fill: "#ffffff" }), svg("rect", { width: 2.2, height: 7, fill: "#8d979c" }));
  return svg("svg", { class: "unseen", width: 0, height: 0, "aria-hidden": "true", focusable: "false" }, svg("defs", {}, pattern));
}

function swatch(fill) {
  return svg("svg", { width: 26, height: 16, "aria-hidden": "true", class: "region-swatch" },
    svg("rect", { x: 0.5, y: 0.5, width: 25, height: 15, fill, stroke: "#4b5a60" }));
}

function fillOf(bounds, value) {
  const found = classOf(bounds, value);
  return found === null ? "url(#no-data)" : found < 0 ? "#ffffff" : classColours(bounds.length)[found];
}

function legendOf(measure, found, bounds, method, span) {
  const values = found.map(({ value }) => value);
  const colours = classColours(bounds.length);
  const count = (wanted) => plural(values.filter((value) => classOf(bounds, value) === wanted).length, "province");
  const rows = classWords(bounds, values, measure.write).map((text, k) => [colours[k], text, count(k)]);
  if (values.some((value) => value !== null && value <= 0)) rows.unshift(["#ffffff", "0", count(-1)]);
  if (values.includes(null)) rows.push(["url(#no-data)", measure.series ? "no figure" : "nothing known: no site, look or note behind it", count(null)]);
  const how = bounds.length < 2 ? "" : method === "equal" ? "Classes of equal height." : "Classes of as many provinces each (quantiles).";
  return el("figure", { class: "region-legend" },
    el("figcaption", {}, el("strong", {}, words(measure.words)), `, ${spanWords(span).toLowerCase()}. ${how}`),
    el("ul", {}, ...rows.map(([fill, text, provinces]) => el("li", {}, swatch(fill), el("span", {}, text), el("span", { class: "count" }, provinces)))));
}

/** The layer under the signs; `paint(found, measure, bounds)` colours it, `clear()` takes it away. */
function provinceLayer(map, features) {
  map.createPane("provinces").style.zIndex = 250;
  const layers = new Map();
  const group = L.geoJSON(features, {
    pane: "provinces", renderer: L.svg({ pane: "provinces", padding: 0.4 }),
    style: { color: "#4b5a60", weight: 1, fillOpacity: 1, fillColor: "#ffffff" },
    onEachFeature: (feature, layer) => layers.set(feature.id, layer),
  });
  const told = new Map();
  group.on("click", ({ layer, latlng }) => {
    const { name, name_ko: korean } = layer.feature.properties;
    const box = el("div", { class: "popup region-popup" }, el("p", { class: "popup-name" }, name, " ", el("span", { lang: "ko" }, korean)), ...told.get(layer.feature.id).map((line) => el("p", {}, line)));
    L.popup({ maxWidth: 260 }).setLatLng(latlng).setContent(box).openOn(map);
  });
  return {
    paint(found, measure, bounds) {
      if (!map.hasLayer(group)) group.addTo(map);
      for (const { outline, value, told: behind } of found) {
        layers.get(outline).setStyle({ fillColor: fillOf(bounds, value) });
        told.set(outline, [`${measure.words}: ${value === null ? NOTHING_BEHIND : measure.write(value)}`, behind]);
      }
    },
    clear: () => group.remove(),
    /** Bring the country into view where a reader looks elsewhere, or from too far. */
    come() {
      const bounds = group.getBounds();
      if (!map.getBounds().contains(bounds.getCenter()) || map.getZoom() < 5) map.fitBounds(bounds, { padding: [10, 10], animate: false });
    },
  };
}

function colourPicker(measures) {
  const select = el("select", { id: "colour-by" }, el("option", { value: "" }, "nothing"),
    ...[...measures].map(([key, { words: label }]) => el("option", { value: key }, label)));
  select.addEventListener("change", () => state.set({ colour: select.value }));
  const methods = [["quantile", "as many provinces in each (quantiles)"], ["equal", "steps of equal height"]].map(([value, label]) => {
    const radio = el("input", { type: "radio", name: "classes", value });
    radio.addEventListener("change", () => state.set({ classes: value }));
    return [radio, el("label", { class: "choice" }, radio, ` ${label}`)];
  });
  const classes = el("fieldset", { class: "facet" }, el("legend", {}, "Classes"), el("div", { class: "choices" }, ...methods.map(([, label]) => label)));
  const show = ({ colour, classes: method }) => {
    select.value = measures.has(colour) ? colour : "";
    for (const [radio] of methods) radio.checked = radio.value === method;
    classes.hidden = !select.value;
  };
  return { box: el("div", { class: "region-tools" }, el("label", { for: "colour-by" }, "Colour provinces by ", select), classes), show };
}

function placedWords({ how, provinces }) {
  const parts = [`${plural(how.name, "site")} by the province that is written`, `${how.point.toLocaleString("en")} by their point`];
  if (how.near) parts.push(`${how.near.toLocaleString("en")} just outside an outline`);
  parts.push(`${how.none.toLocaleString("en")} in no province of the DPRK`);
  const without = provinces.filter(({ own }) => !own).map(({ name, outline }) => `${name} (with ${provinces.find((each) => each.own && each.outline === outline).name})`);
  return `Placed: ${parts.join(", ")}. Without an outline of their own, and so drawn with another province: ${without.join(", ")}.`;
}

async function startRegions({ data, map }) {
  const facts = regionFacts;
  const measures = measuresOf(facts);
  const inside = facts.unit.some((unit) => unit >= 0 && unit < facts.provinces.length);
  const legend = document.getElementById("region-legend");
  const frame = el("div", { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Table of provinces" });
  const fold = el("details", { class: "region-numbers" }, el("summary", {}, "All numbers by province"), frame);
  const told = el("p", { class: "fine" }, placedWords(facts));
  const picker = colourPicker(measures);
  document.getElementById("provinces").append(stripes(), ...(inside ? [picker.box] : []), fold, told);
  let layer = null;
  let [waiting, turn, comes] = [false, 0, false];
  const draw = async () => {
    waiting = false;
    turn += 1;
    const now = turn;
    const { colour, classes: method, span } = state.get();
    const mask = passingSites(data);
    if (fold.open) frame.replaceChildren(regionTable(facts, mask, span));
    const measure = inside ? measures.get(colour) : null;
    legend.replaceChildren();
    if (!measure) {
      if (layer) (await layer).clear();
      return;
    }
    layer ||= openBlock("sitewatch-basemap").then(({ provinces }) => provinceLayer(map, provinces));
    const painted = await layer;
    if (now !== turn) return; // what is shown was changed meanwhile
    const found = outlineValues(facts, measure, mask, span);
    const bounds = classBounds(found.map(({ value }) => value).filter((value) => value !== null), method);
    painted.paint(found, measure, bounds);
    if (comes) painted.come();
    comes = false;
    legend.replaceChildren(legendOf(measure, found, bounds, method, span));
  };
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(draw);
  };
  fold.addEventListener("toggle", later);
  state.on(["colour", "classes"], (now, changed, cause) => {
    comes ||= cause === "page" && changed.includes("colour");
    picker.show(now);
    if (now.colour) fold.open = true;
    later();
  });
  state.onSites(later);
  picker.show(state.get());
  fold.open = Boolean(state.get("colour"));
  await draw();
}

PARTS.push({
  name: "regions",
  async start(page) {
    const section = document.getElementById("by-province");
    if (!section || !times || !hasBlock("sitewatch-regions")) return;
    regionFacts = await openRegionFacts();
    await startRegions(page);
    startComparison(document.getElementById("comparison"), page);
    section.hidden = false;
  },
});
