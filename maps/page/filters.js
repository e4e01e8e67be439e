// What sites can be filtered by, with how many each choice would leave.

const STANDING_WORDS = { open: "Open, as far as noted", closed: "Closed", unknown: "Not known whether open" };
const KIND_WORDS = { imagery: "Imagery", report: "Report", statistic: "Statistic", visit: "Visit", detection: "Confirmed detection" };

for (const key of ["categories", "provinces", "statuses", "evidence", "reliability"]) {
  const names = { categories: "category", provinces: "province", statuses: "status" };
  state.define(key, { ...state.list, name: names[key] || key });
}

const bitsOf = (bits, count) => Array.from({ length: count }, (_, k) => k).filter((k) => bits & (1 << k));

/** Groups of choices: several within a group widen it, each further group narrows. `places(i)`: a site's choices. */
function facetGroups(data) {
  const { columns } = data;
  const used = (name) => {
    const counts = new Map();
    for (const site of data.sites) counts.set(site[name], (counts.get(site[name]) || 0) + 1);
    return [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a) || (a < b ? -1 : 1));
  };
  const categories = used("category");
  const provinces = used("province");
  const single = (values, get) => {
    const lists = new Map(values.map((value, k) => [value, [k]]));
    return (site) => lists.get(get(site));
  };
  const several = (column, count) => {
    const lists = new Map();
    return ({ i }) => {
      const bits = column[i];
      if (!lists.has(bits)) lists.set(bits, bits ? bitsOf(bits, count) : [count]);
      return lists.get(bits);
    };
  };
  const grades = [..."ABCDEF", "-"];
  return [
    { key: "categories", title: "Category", values: categories, places: single(categories, (site) => site.category) },
    { key: "provinces", title: "Province", values: provinces, words: (value) => value || "No province given", places: single(provinces, (site) => site.province) },
    { key: "statuses", title: "Open or closed", values: ["open", "closed", "unknown"], words: (value) => STANDING_WORDS[value],
      places: single(["open", "closed", "unknown"], (site) => site.standing) },
    { key: "statuses", title: "Looked at", values: ["looked", "never"], words: (value) => (value === "looked" ? "Looked at" : "Never looked at"),
      places: single([true, false], (site) => site.looked > 0) },
    { key: "statuses", title: "Watched", values: ["watched", "unwatched"], words: (value) => (value === "watched" ? "Watched" : "Not watched"),
      places: single([true, false], (site) => site.watched) },
    { key: "evidence", title: "Notes from", values: [...columns.kinds, "no-notes"], words: (value) => KIND_WORDS[value] || (value === "no-notes" ? "No notes" : value),
      places: several(columns.noted, columns.kinds.length), prefix: "note-" },
    { key: "evidence", title: "Detections", values: [...columns.states, "no-detections"],
      words: (value) => (value === "no-detections" ? "No detections" : sentence(value)),
      places: several(columns.detected, columns.states.length) },
    { key: "reliability", title: "Best source", values: grades, words: (value) => (value === "-" ? "No grade given" : `${value}, ${GRADE_WORDS[value]}`),
      places: single(grades, (site) => site.grade) },
  ];
}

/** Put a group among the filters; what is chosen stands in the state under its key. */
function addFacet(data, group) {
  const { key, values, places, prefix = "" } = group;
  group.code = (value) => (value.startsWith("no-") ? value : prefix + value);
  const codes = values.map(group.code);
  const lists = data.sites.map(places);
  group.counts = () => {
    const counts = new Int32Array(values.length);
    for (const site of data.sites) {
      if (state.passes(site, group.filter)) for (const k of lists[site.i]) counts[k] += 1;
    }
    return counts;
  };
  group.filter = {
    key,
    test(now) {
      const chosen = new Set(now[key]);
      const wanted = codes.map((code) => chosen.has(code));
      return wanted.includes(true) ? (site) => lists[site.i].some((k) => wanted[k]) : null;
    },
  };
  FILTERS.push(group.filter);
}

function toggle(key, code) {
  const chosen = state.get(key);
  state.set({ [key]: chosen.includes(code) ? chosen.filter((each) => each !== code) : [...chosen, code] });
}

/** Follow the state: mark what is chosen, count what each choice would leave. */
function followFacet(group, items) {
  const show = () => {
    const chosen = new Set(state.get(group.key));
    const counts = group.counts();
    items.forEach(({ count, mark, row }, k) => {
      count.textContent = counts[k].toLocaleString("en");
      mark(chosen.has(group.code(group.values[k])));
      row.classList.toggle("nothing", !counts[k]);
    });
  };
  state.onSites(show);
}

function legendButtons(data, group) {
  const items = group.values.map((category) => {
    const row = button("", { class: "legend-item", "aria-pressed": "false" }, () => toggle(group.key, category));
    const count = el("span", { class: "count" });
    row.append(symbol(data, category, { size: 18 }), el("span", {}, data.symbols[category].label), count);
    return { row, count, mark: (on) => row.setAttribute("aria-pressed", String(on)) };
  });
  followFacet(group, items);
  return items.map(({ row }) => row);
}

function facetBox(group) {
  const items = group.values.map((value) => {
    const box = el("input", { type: "checkbox" });
    box.addEventListener("change", () => toggle(group.key, group.code(value)));
    const count = el("span", { class: "count" });
    const row = el("label", { class: "choice" }, box, words(group.words(value)), " ", count);
    return { row, count, mark: (on) => { box.checked = on; } };
  });
  followFacet(group, items);
  return el("fieldset", { class: "facet" }, el("legend", {}, group.title), el("div", { class: "choices" }, ...items.map(({ row }) => row)));
}

/** The fold says how many of its groups are in use; a link that uses one opens it. */
function followFold(groups) {
  const [fold, used] = ["filters", "filters-used"].map((id) => document.getElementById(id));
  state.onSites(() => {
    const count = groups.filter(({ filter }) => filter.test(state.get())).length;
    used.textContent = count ? ` (${count} in use)` : "";
  });
  state.on([...new Set(groups.map(({ key }) => key))], (values, changed, cause) => {
    if (cause !== "page" && groups.some(({ filter }) => filter.test(values))) fold.open = true;
  });
}

function startFilters(data) {
  startSearch(data);
  const groups = facetGroups(data);
  for (const group of groups) addFacet(data, group);
  const [categories, ...others] = groups;
  document.getElementById("legend").append(...legendButtons(data, categories));
  const box = document.getElementById("facets");
  box.append(...others.map(facetBox));
  followFold(groups.slice(1));
  const [shown, clear] = ["shown", "clear-filters"].map((id) => document.getElementById(id));
  clear.addEventListener("click", () => {
    state.clearFilters();
    document.getElementById("search").focus();
  });
  state.onSites((left) => {
    const unplaced = left.filter((site) => !site.point).length;
    shown.textContent = `${left.length.toLocaleString("en")} of ${plural(data.sites.length, "site")}${unplaced ? `; ${unplaced.toLocaleString("en")} not on the map: not placed yet` : ""}`;
    clear.hidden = !state.isFiltered();
  });
}
