// The same sites as a table; rows are made when they are wanted.

const ROWS_AT_ONCE = 60;

const compareText = new Intl.Collator("en", { numeric: true }).compare;
const SORTS = {
  name: (data) => (site) => site.title,
  category: (data) => (site) => data.symbols[site.category].label,
  place: () => (site) => site.place,
  judged: () => (site) => site.judged,
  changes: () => (site) => site.changes,
  notes: () => (site) => site.noteCount,
};
/** Columns of numbers begin with the most. */
const COUNTED = new Set(["judged", "changes", "notes"]);

/** "name", "-notes" (downwards), or "" for the order of the catalogue. */
state.define("sort", state.text);

function judgedWords(site) {
  if (!site.looked) return el("span", { class: "never" }, "never looked at");
  return `${site.judged} of ${site.looked}`;
}

function changesWords(site) {
  if (site.changes) return el("strong", { class: "changed" }, plural(site.changes, "change"));
  return site.judged ? `none in ${plural(site.judged, "judged look")}` : "not known";
}

function siteRow(data, site, onPick) {
  const [first, ...others] = site.names;
  const to = el("a", { href: `#site=${encodeURIComponent(site.id)}`, class: "site-link" }, words(first.text, first.tag));
  to.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault(); // the address alone would give up what is filtered
    onPick(site);
  });
  const name = el("th", { scope: "row" }, to);
  if (others.length) name.append(el("span", { class: "other-names" }, words(others.map((item) => item.text).join(" · "))));
  const dossier = dossierLink(data, site, "Dossier");
  if (dossier) {
    dossier.append(el("span", { class: "unseen" }, " of ", words(first.text, first.tag)));
    name.append(dossier);
  }
  return el("tr", { "data-site": site.id }, name,
    el("td", { class: "category" }, symbol(data, site.category, { pale: !site.looked, size: 18 }), ` ${data.symbols[site.category].label}`),
    el("td", {}, words(site.place), site.point ? null : el("span", { class: "never" }, site.place ? " (not placed)" : "not placed")),
    el("td", {}, judgedWords(site)),
    el("td", {}, changesWords(site)),
    el("td", {}, site.noteCount ? plural(site.noteCount, "note") : "none", site.noteCount ? el("span", { class: "other-names" }, "latest ", words(site.latestNote)) : null));
}

function sorted(data, sites, order) {
  const [name, sign] = order.startsWith("-") ? [order.slice(1), -1] : [order, 1];
  if (!Object.hasOwn(SORTS, name)) return sites;
  const keys = new Map(sites.map((site) => [site, SORTS[name](data)(site)]));
  const compare = COUNTED.has(name) ? (a, b) => a - b : compareText;
  return [...sites].sort((a, b) => sign * compare(keys.get(a), keys.get(b)) || a.i - b.i);
}

function fillTable(data, sites, onPick) {
  const [rows, more] = [document.getElementById("rows"), document.getElementById("more")];
  rows.replaceChildren();
  let shown = 0;
  const add = (count) => {
    rows.append(...sites.slice(shown, shown + count).map((site) => siteRow(data, site, onPick)));
    shown = Math.min(shown + count, sites.length);
    more.replaceChildren();
    if (shown >= sites.length) return;
    more.append(`${shown.toLocaleString("en")} of ${sites.length.toLocaleString("en")} rows shown. `,
      button(`Show ${Math.min(ROWS_AT_ONCE, sites.length - shown)} more`, {}, () => add(ROWS_AT_ONCE)), " ",
      button("Show all", {}, () => add(sites.length)));
  };
  add(ROWS_AT_ONCE);
}

function startHeads() {
  const heads = [...document.querySelectorAll("th[data-sort]")];
  for (const head of heads) {
    const name = head.dataset.sort;
    const [first, second] = COUNTED.has(name) ? [`-${name}`, name] : [name, `-${name}`];
    const act = () => {
      const now = state.get("sort");
      state.set({ sort: now === first ? second : now === second ? "" : first });
    };
    head.replaceChildren(button(head.textContent, { class: "sort" }, act));
  }
  const show = ({ sort }) => {
    for (const head of heads) {
      const name = head.dataset.sort;
      if (sort === name) head.setAttribute("aria-sort", "ascending");
      else if (sort === `-${name}`) head.setAttribute("aria-sort", "descending");
      else head.removeAttribute("aria-sort");
    }
  };
  state.on("sort", show);
}

/** Show the sites that are left, in the order that was asked for. */
function startTable(data, { onPick, mark }) {
  startHeads();
  const fill = () => {
    fillTable(data, sorted(data, state.sites(), state.get("sort")), onPick);
    mark();
  };
  state.on("sort", fill);
  state.onSites(fill);
}
