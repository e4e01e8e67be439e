// Looks by outcome: a calendar of small cells, the counts, and the same as a table.

const OUTCOME_WORDS = {
  Unchanged: "judged, as before",
  Changed: "judged, differs from before",
  Learning: "too little history to judge by",
  Obscured: "cloud, shadow, snow or missing data",
  Failed: "the look could not be made",
  NoScene: "due, but no image was taken",
};
const OUTCOME_ORDER = ["Unchanged", "Changed", "Learning", "Obscured", "Failed", "NoScene"];
const MONTHS = "JFMAMJJASOND";

function outcomeCell(outcome, title) {
  return el("span", { class: `cell cell-${outcome.toLowerCase()}`, title });
}

function outcomeCounts(data, site) {
  const counts = Object.fromEntries(OUTCOME_ORDER.map((name) => [name, 0]));
  for (const look of site.looks) counts[data.outcomes[look[1]]] += 1;
  counts.NoScene = site.gaps.length;
  return counts;
}

function countsTable(counts) {
  const body = el("tbody");
  for (const name of OUTCOME_ORDER) {
    const label = name === "NoScene" ? "No scene" : name;
    body.append(el("tr", counts[name] ? {} : { class: "none" },
      el("th", { scope: "row" }, outcomeCell(name, ""), ` ${label}`),
      el("td", {}, String(counts[name])),
      el("td", { class: "means" }, OUTCOME_WORDS[name])));
  }
  return el("table", { class: "outcomes" }, el("caption", { class: "unseen" }, "Looks by outcome"), body);
}

function clearWords(clear, masked) {
  return masked ? `${Math.round(clear * 100)} % clear` : "no cloud mask";
}

function lookTitle(data, [day, outcome, platform, reason, clear, simulated, masked]) {
  const kind = simulated ? " (simulated)" : "";
  return `${day} ${data.outcomes[outcome]}, ${platform}${kind}: ${reason} (${clearWords(clear, masked)})`;
}

/** Years down, months across; a year without looks is drawn too, because the gap says something. */
function calendar(data, site, summary) {
  const cells = [
    ...site.looks.map((look) => [look[0], data.outcomes[look[1]], lookTitle(data, look)]),
    ...site.gaps.map(([start, end]) => [start, "NoScene", `${start} to ${end}: due, but no image was taken`]),
  ];
  const months = new Map();
  for (const [day, outcome, title] of cells) {
    const key = day.slice(0, 7);
    if (!months.has(key)) months.set(key, []);
    months.get(key).push(outcomeCell(outcome, title));
  }
  const years = cells.map(([day]) => Number(day.slice(0, 4)));
  const grid = el("div", { class: "calendar", role: "img", "aria-label": `Calendar of looks. ${summary}` });
  grid.append(el("span"), ...[...MONTHS].map((letter) => el("span", { class: "month" }, letter)));
  for (let year = Math.min(...years); year <= Math.max(...years); year += 1) {
    grid.append(el("span", { class: "year" }, String(year)));
    for (let month = 1; month <= 12; month += 1) {
      const key = `${year}-${String(month).padStart(2, "0")}`;
      grid.append(el("span", { class: "month-cells" }, ...(months.get(key) || [])));
    }
  }
  return grid;
}

function looksTable(data, site) {
  const fold = el("details", { class: "all-looks" }, el("summary", {}, `All ${plural(site.looks.length, "look")} as a table`));
  fold.addEventListener("toggle", () => {
    if (!fold.open || fold.querySelector("table")) return;
    const body = el("tbody");
    for (const look of [...site.looks].reverse()) {
      const [day, outcome, platform, reason, clear, simulated, masked] = look;
      body.append(el("tr", {},
        el("td", { class: "day" }, day),
        el("td", {}, outcomeCell(data.outcomes[outcome], ""), ` ${data.outcomes[outcome]}`),
        el("td", {}, words(platform), simulated ? el("span", { class: "badge simulated" }, "simulated") : null),
        el("td", {}, masked ? `${Math.round(clear * 100)} %` : "no mask"),
        el("td", {}, words(reason))));
    }
    const heads = ["Day", "Outcome", "Sensor", "Clear", "Why"].map((head) => el("th", { scope: "col" }, head));
    fold.append(el("div", { class: "table-frame", tabindex: 0, role: "region", "aria-label": "All looks" },
      el("table", {}, el("thead", {}, el("tr", {}, ...heads)), body)));
  });
  return fold;
}

function looksSection(data, site) {
  const section = el("section", { class: "looks" }, el("h3", {}, "Looks"));
  const [first, ...others] = site.summary;
  section.append(el("p", { class: "verdict" }, el("strong", {}, first), others.length ? ` ${others.join(" ")}` : ""));
  if (site.looks.length || site.gaps.length) {
    section.append(calendar(data, site, site.summary.join(" ")), countsTable(outcomeCounts(data, site)));
  }
  if (site.looks.length) section.append(looksTable(data, site));
  return section;
}
