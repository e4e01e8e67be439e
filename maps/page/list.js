// The same sites as a table, with search and categories over both.

const ROWS_AT_ONCE = 60;

function searchTexts(data) {
  return new Map(data.sites.map((site) => [site.id, folded([
    site.id, site.place, data.symbols[site.category].label,
    ...site.names.map((name) => name.text), ...site.facts.map(([, text]) => text),
  ].join("\n"))]));
}

function judgedWords(data, site) {
  if (!site.looks.length) return el("span", { class: "never" }, "never looked at");
  const counts = outcomeCounts(data, site);
  return `${counts.Unchanged + counts.Changed} of ${site.looks.length}`;
}

function changesWords(data, site) {
  const live = site.detections.filter(isLive).length;
  if (live) return el("strong", { class: "changed" }, plural(live, "change"));
  const counts = outcomeCounts(data, site);
  const judged = counts.Unchanged + counts.Changed;
  return judged ? `none in ${plural(judged, "judged look")}` : "not known";
}

function siteRow(data, site) {
  const [first, ...others] = site.names;
  const last = site.notes.at(-1);
  const name = el("th", { scope: "row" }, el("a", { href: `#${encodeURIComponent(site.id)}`, class: "site-link" }, words(first.text, first.tag)));
  if (others.length) name.append(el("span", { class: "other-names" }, words(others.map((item) => item.text).join(" · "))));
  return el("tr", { "data-site": site.id }, name,
    el("td", { class: "category" }, symbol(data, site.category, { pale: !site.looks.length, size: 18 }), ` ${data.symbols[site.category].label}`),
    el("td", {}, words(site.place), site.point ? null : el("span", { class: "never" }, site.place ? " (not placed)" : "not placed")),
    el("td", {}, judgedWords(data, site)),
    el("td", {}, changesWords(data, site)),
    el("td", {}, site.notes.length ? plural(site.notes.length, "note") : "none", last ? el("span", { class: "other-names" }, "latest ", words(last.date)) : null));
}

function fillTable(data, sites) {
  const [rows, more] = [document.getElementById("rows"), document.getElementById("more")];
  rows.replaceChildren();
  let shown = 0;
  const add = (count) => {
    rows.append(...sites.slice(shown, shown + count).map((site) => siteRow(data, site)));
    shown = Math.min(shown + count, sites.length);
    more.replaceChildren();
    if (shown >= sites.length) return;
    more.append(`${shown} of ${sites.length} rows shown. `,
      button(`Show ${Math.min(ROWS_AT_ONCE, sites.length - shown)} more`, {}, () => add(ROWS_AT_ONCE)), " ",
      button("Show all", {}, () => add(sites.length)));
  };
  add(ROWS_AT_ONCE);
}

function legendButtons(data, wanted, onChange) {
  const counts = new Map();
  for (const site of data.sites) counts.set(site.category, (counts.get(site.category) || 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([category, count]) => {
    const made = button("", { class: "legend-item", "aria-pressed": "false" }, () => {
      const on = !wanted.delete(category);
      if (on) wanted.add(category);
      made.setAttribute("aria-pressed", String(on));
      onChange();
    });
    made.append(symbol(data, category, { size: 18 }), el("span", {}, data.symbols[category].label), el("span", { class: "count" }, count.toLocaleString("en")));
    return made;
  });
}

/** Wire search and legend; `onSites` gets what is left each time. */
function startFilter(data, onSites) {
  const [texts, wanted] = [searchTexts(data), new Set()];
  const [input, shown, legend] = ["search", "shown", "legend"].map((id) => document.getElementById(id));
  const apply = () => {
    const terms = folded(input.value).split(/\s+/u).filter(Boolean);
    const left = data.sites.filter((site) => (!wanted.size || wanted.has(site.category)) && terms.every((term) => texts.get(site.id).includes(term)));
    const unplaced = left.filter((site) => !site.point).length;
    shown.textContent = `${left.length.toLocaleString("en")} of ${plural(data.sites.length, "site")}${unplaced ? `; ${unplaced.toLocaleString("en")} not on the map: not placed yet` : ""}`;
    onSites(left);
  };
  let timer = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(apply, 120);
  });
  legend.append(...legendButtons(data, wanted, apply));
  apply();
}
