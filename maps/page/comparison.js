// Two provinces, counties or categories over time, as plots with what stands behind them, and as a table.

const MOST_PERIODS = 600;
const COMPARED = { ...Object.fromEntries(Object.entries(COUNTS).map(([what, { words: label }]) => [what, label])), per_site_year: "Detections a site-year" };

state.define("compare", { ...state.list, initial: ["", ""], read: (params, key) => {
  const given = params.getAll(key).slice(0, 2);
  return given.length === 2 ? given : ["", ""];
} });
state.define("count", { ...state.text, initial: "notes", read: (params, key) => (Object.hasOwn(COMPARED, params.get(key) || "") ? params.get(key) : "notes") });
state.define("step", { ...state.text, initial: "year", read: (params, key) => (params.get(key) === "month" ? "month" : "year") });

/** A group is written as the command writes it: `province=ID`, `county=NAME`, with `+category=NAME`, or that alone. */
function groupParts(spec) {
  const found = /^(.*?)(?:(?:^|\+)category=([a-z_]+))?$/u.exec(spec);
  return { place: found[1], category: found[2] || "" };
}

function groupSpec(place, category) {
  return [place, category && `category=${category}`].filter(Boolean).join("+");
}

/** { test(site), label, remark } of a written group; null where this page has none of the name. */
function groupOf(facts, data, spec) {
  const { place, category } = groupParts(spec);
  if (!spec || (category && !data.symbols[category])) return null;
  const tests = [];
  const labels = [];
  let remark = "";
  if (place.startsWith("province=")) {
    const id = place.slice(9);
    let unit = facts.provinces.findIndex((each) => each.id === id);
    if (unit < 0) unit = facts.strangers.indexOf(id) + (facts.strangers.includes(id) ? facts.provinces.length : 0);
    if (unit < 0) return null;
    tests.push((site) => facts.unit[site.i] === unit);
    labels.push(facts.names[unit]);
  } else if (place.startsWith("county=")) {
    const county = facts.counties.indexOf(place.slice(7));
    if (county < 0) return null;
    tests.push((site) => facts.county[site.i] === county);
    labels.push(facts.counties[county]);
    const own = facts.countyByName[county];
    if (own) remark = `${plural(own, "site")} in ${facts.counties[county]} by their own name alone`;
  } else if (place) return null;
  if (category) {
    tests.push((site) => site.category === category);
    labels.push(data.symbols[category].label);
  }
  return { test: (site) => tests.every((test) => test(site)), label: labels.join(", "), remark };
}

/** Points of both groups in every period, above and behind. */
function comparedCounts(facts, data, groups, { count, step, span }) {
  const what = count === "per_site_year" ? "detections" : count;
  const mask = passingSites(data);
  const days = span ? spanDays(span) : comparedSpan(facts, data, groups, what, mask);
  if (!days) return { labels: [] };
  const { edges, labels } = periodEdges(days, step);
  if (labels.length > MOST_PERIODS) return { labels, tooMany: true };
  const each = groups.map((group) => {
    const member = Int16Array.from(data.sites, (site) => (mask[site.i] && group.test(site) ? 0 : -1));
    const tally = (name) => countRows(facts.rows(name), member, 1, edges);
    const { behind } = COUNTS[what];
    return { sites: member.reduce((sum, at) => sum + (at === 0 ? 1 : 0), 0), counts: tally(what), behind: behind ? tally(behind) : null, years: siteYears(facts, member, 1, edges) };
  });
  return { what, labels, each };
}

/** From the first to the last day by which anything that is compared, or stands behind it, is dated. */
function comparedSpan(facts, data, groups, what, mask) {
  let [low, high] = [AFTER_ALL, BEFORE_ALL];
  const either = data.sites.map((site) => mask[site.i] && groups.some((group) => group.test(site)));
  for (const name of [what, COUNTS[what].behind].filter(Boolean)) {
    const { site, first, last } = facts.rows(name);
    for (let k = 0; k < site.length; k += 1) {
      if (!either[site[k]]) continue;
      for (const day of [first[k], last[k]]) {
        if (day <= BEFORE_ALL || day >= AFTER_ALL) continue;
        low = Math.min(low, day);
        high = Math.max(high, day);
      }
    }
  }
  return low <= high ? [low, high] : null;
}

function countPoints({ counts, behind }) {
  return Array.from(counts.count, (value, k) => (behind && !behind.possible[k] ? null : { value, low: counts.sure[k], high: counts.possible[k] }));
}

function ratePoints({ counts, behind, years }) {
  return Array.from(counts.count, (value, k) => {
    const rate = behind.count[k] ? rateOf(value, years[k]) : null;
    return rate ? { value: rate.estimate, low: rate.low, high: rate.high } : null;
  });
}

function behindPoints({ behind }) {
  return Array.from(behind.count, (value, k) => ({ value, low: behind.sure[k], high: behind.possible[k] }));
}

function pointWords(point, write) {
  if (!point) return NOTHING_BEHIND;
  return point.low === point.high ? write(point.value) : `${write(point.value)} (${write(point.low)} to ${write(point.high)})`;
}

function comparisonTable(groups, { labels, each, what }, lines, write) {
  const behind = COUNTS[what].behind;
  const heads = groups.flatMap(({ label }) => [label, ...(behind ? [`${label}: ${COUNTS[behind].words.toLowerCase()}`, ...(behind === "judged" ? [`${label}: site-years`] : [])] : [])]);
  const rows = labels.map((label, k) => [label, ...each.flatMap((one, number) => [
    pointWords(lines[number][k], write),
    ...(behind ? [whole(one.behind.count[k]), ...(behind === "judged" ? [short(one.years[k])] : [])] : []),
  ])]).filter((row, k) => each.some((one) => one.counts.possible[k] || one.behind?.possible[k]));
  return el("table", { class: "regions-table" }, el("caption", { class: "unseen" }, "The comparison in numbers; periods without anything are left out"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Period"), ...heads.map((head) => el("th", { scope: "col" }, words(head))))),
    el("tbody", {}, ...rows.map(([label, ...cells]) => el("tr", {}, el("th", { scope: "row" }, label), ...cells.map((cell) => el("td", { class: "number" }, cell))))));
}

function comparisonResult(facts, data, now, width) {
  const groups = now.compare.map((spec) => groupOf(facts, data, spec));
  if (groups.some((group) => !group)) return [el("p", { class: "fine" }, now.compare.some(Boolean) ? "Choose two groups that this page has." : "Choose two groups of sites to see them side by side over time.")];
  const found = comparedCounts(facts, data, groups, now);
  if (found.tooMany) return [el("p", { class: "fine" }, `${found.labels.length.toLocaleString("en")} periods are more than ${MOST_PERIODS}: choose a shorter span, or years.`)];
  if (!found.labels.length) return [el("p", { class: "fine" }, "Nothing of this is dated in either group.")];
  const isRate = now.count === "per_site_year";
  const write = isRate ? short : whole;
  const lines = found.each.map(isRate ? ratePoints : countPoints);
  const key = el("ul", { class: "line-key" }, ...groups.map(({ label, remark }, number) =>
    el("li", {}, lineSign(number), words(label), ` (${plural(found.each[number].sites, "site")}${remark ? `; ${remark}` : ""})`)));
  const title = `${COMPARED[now.count]}: ${groups.map(({ label }) => label).join(" against ")}`;
  const bars = isRate ? "Bars: exact 95 % interval." : "Bars: from what surely falls into the period to what may, where dates are intervals.";
  const parts = [el("h3", {}, words(title)), key, el("p", { class: "fine" }, bars), linePlot({ title, labels: found.labels, lines, write, width })];
  if (found.each[0].behind) {
    const behind = COUNTS[COUNTS[found.what].behind].words;
    parts.push(el("h4", {}, `What stands behind it: ${behind.toLowerCase()}`),
      el("p", { class: "fine" }, "Where there are none, nothing is known, and the plot above has no point."),
      linePlot({ title: `${behind}: ${groups.map(({ label }) => label).join(" against ")}`, labels: found.labels, lines: found.each.map(behindPoints), write: whole, width }));
  }
  parts.push(el("details", { class: "region-numbers" }, el("summary", {}, "The same as a table"),
    el("div", { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Comparison as a table" }, comparisonTable(groups, found, lines, write))));
  return parts;
}

/** Place and category of one side. */
function sidePicker(facts, data, number) {
  const option = (value, text) => el("option", { value }, text);
  const used = new Set(facts.unit);
  const places = facts.names.map((name, k) => [`province=${facts.provinces[k]?.id ?? name}`, name, k]).filter(([, , k]) => used.has(k));
  const place = el("select", { "aria-label": `Place ${number + 1}` }, option("", "Everywhere"),
    el("optgroup", { label: "Provinces" }, ...places.map(([value, name]) => option(value, name))),
    el("optgroup", { label: "Counties and cities" }, ...facts.counties.map((name) => option(`county=${name}`, name))));
  const category = el("select", { "aria-label": `Category ${number + 1}` }, option("", "All categories"),
    ...data.columns.categories.map((name) => option(name, data.symbols[name].label)));
  const take = () => {
    const compare = [...state.get("compare")];
    compare[number] = groupSpec(place.value, category.value);
    state.set({ compare });
  };
  place.addEventListener("change", take);
  category.addEventListener("change", take);
  const show = (spec) => {
    const parts = groupParts(spec);
    [place.value, category.value] = [parts.place, parts.category];
  };
  return { box: el("span", { class: "side" }, lineSign(number), place, category), show };
}

function startComparison(section, { data }) {
  const facts = regionFacts;
  const sides = [0, 1].map((number) => sidePicker(facts, data, number));
  const picker = (label, text, key, options) => {
    const select = el("select", { "aria-label": label }, ...options.map(([value, words]) => el("option", { value }, words)));
    select.addEventListener("change", () => state.set({ [key]: select.value }));
    return { select, box: el("label", {}, `${text} `, select) };
  };
  const count = picker("What is counted", "Count", "count", Object.entries(COMPARED));
  const step = picker("Length of a period", "by", "step", [["year", "year"], ["month", "month"]]);
  const result = el("div", { class: "comparison-result", role: "region", "aria-live": "polite", "aria-label": "Result of the comparison" });
  section.append(el("div", { class: "region-tools" }, sides[0].box, el("span", {}, "against"), sides[1].box, count.box, step.box), result);
  let waiting = false;
  const draw = () => {
    waiting = false;
    const now = state.get();
    sides.forEach(({ show }, number) => show(now.compare[number]));
    count.select.value = now.count;
    step.select.value = now.step;
    const open = result.querySelector("details")?.open;
    result.replaceChildren(...comparisonResult(facts, data, now, Math.min(900, Math.max(300, result.clientWidth || 600))));
    if (open) result.querySelector("details")?.setAttribute("open", "");
  };
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(draw);
  };
  state.on(["compare", "count", "step"], later);
  state.onSites(later);
  new ResizeObserver(later).observe(section);
  draw();
}
