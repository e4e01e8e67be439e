// Counting by group and period over the columns of the page; the same rules as the command `sitewatch regions`.
//
// A date that is an interval counts in the period of its last day (its first where the end is open); beside it
// stand how many surely and how many possibly fall into the period. Looks are kept by month: a month counts
// where its 15th lies.

const NOTE_BIT = { construction: 1, investment: 2, changes: 4, replaced: 8 };
const YEAR_DAYS = 365.25;

/** What can be counted: words, and what the count is seen against. */
const COUNTS = {
  named: { words: "Sites first noted" },
  notes: { words: "Notes" },
  construction: { words: "Notes of construction", behind: "notes" },
  investment: { words: "Notes that speak of investment", behind: "notes" },
  changes: { words: "Notes of a visible change", behind: "notes" },
  looks: { words: "Looks" },
  judged: { words: "Looks that could be judged", behind: "looks" },
  detections: { words: "Detections", behind: "judged" },
};

/** `rows(what)`: { site, first, last, weight } of what is counted, made from the page's times when first wanted. */
function recordsFrom(times, facts) {
  const { notes, detections, looks } = times;
  const keep = (wanted) => pickRows(notes, (k) => !(facts.bits[k] & NOTE_BIT.replaced) && wanted(facts.bits[k]));
  const made = {};
  const make = {
    notes: () => keep(() => true),
    named: () => firstOf(rows("notes")),
    construction: () => keep((bits) => bits & NOTE_BIT.construction),
    investment: () => keep((bits) => bits & NOTE_BIT.investment),
    changes: () => keep((bits) => bits & NOTE_BIT.changes),
    detections: () => pickRows(detections, (k) => detections.state[k] !== "retracted"),
    looks: () => monthRows(looks, (name) => name !== "NoScene"),
    judged: () => monthRows(looks, (name) => name === "Unchanged" || name === "Changed"),
  };
  function rows(what) {
    made[what] ||= make[what]();
    return made[what];
  }
  return rows;
}

function pickRows({ site, first, last }, wanted) {
  const kept = [];
  for (let k = 0; k < site.length; k += 1) if (wanted(k)) kept.push(k);
  const column = (values) => Int32Array.from(kept, (k) => values[k]);
  return { site: column(site), first: column(first), last: column(last), weight: null };
}

/** When each site was first noted: between the first first day and the first last day of its notes. */
function firstOf({ site, first, last }) {
  const found = new Map();
  for (let k = 0; k < site.length; k += 1) {
    const known = found.get(site[k]) || [AFTER_ALL, AFTER_ALL];
    found.set(site[k], [Math.min(known[0], first[k]), Math.min(known[1], last[k])]);
  }
  return {
    site: Int32Array.from(found.keys()), first: Int32Array.from(found.values(), ([day]) => day),
    last: Int32Array.from(found.values(), ([, day]) => day), weight: null,
  };
}

function monthRows(looks, wanted) {
  const sums = looks.table.map((counts) => counts.reduce((sum, count, k) => sum + (wanted(looks.outcomes[k]) ? count : 0), 0));
  const rows = [];
  for (let k = 0; k < looks.site.length; k += 1) if (sums[looks.code[k]]) rows.push(k);
  const day = Int32Array.from(rows, (k) => monthStart(looks.month[k]) + 14);
  return { site: Int32Array.from(rows, (k) => looks.site[k]), first: day, last: day, weight: Int32Array.from(rows, (k) => sums[looks.code[k]]) };
}

/** Position of the last edge that is not after a day; -1 before all of them. */
function periodAt(edges, day) {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] <= day) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Counts by group and period: `count`, `sure`, `possible` and, of sites with any, `sites`; group * periods + period. */
function countRows(rows, groupOf, groups, edges) {
  const periods = edges.length - 1;
  const size = groups * periods;
  const found = { periods, count: new Float64Array(size), sure: new Float64Array(size), possible: new Float64Array(size), sites: new Float64Array(size) };
  const stamp = new Int32Array(size).fill(-1);
  for (let k = 0; k < rows.site.length; k += 1) {
    const site = rows.site[k];
    const group = groupOf[site];
    if (group < 0) continue;
    const weight = rows.weight ? rows.weight[k] : 1;
    const [from, to] = [rows.first[k], rows.last[k]];
    const [a, b] = [periodAt(edges, from), periodAt(edges, to)];
    const counting = to >= AFTER_ALL ? a : b;
    if (counting >= 0 && counting < periods) found.count[group * periods + counting] += weight;
    if (a === b && a >= 0 && a < periods) found.sure[group * periods + a] += weight;
    for (let p = Math.max(a, 0); p <= Math.min(b, periods - 1); p += 1) {
      const at = group * periods + p;
      found.possible[at] += weight;
      if (stamp[at] !== site) found.sites[at] += 1;
      stamp[at] = site;
    }
  }
  return found;
}

/** Site-years between each site's first and last look that could be judged, by group and period. */
function siteYears(facts, groupOf, groups, edges) {
  const periods = edges.length - 1;
  const years = new Float64Array(groups * periods);
  facts.judgedSites.forEach((site, k) => {
    const group = groupOf[site];
    if (group < 0) return;
    for (let p = 0; p < periods; p += 1) {
      const days = Math.min(facts.judgedLast[k], edges[p + 1] - 1) - Math.max(facts.judgedFirst[k], edges[p] - 1);
      if (days > 0) years[group * periods + p] += days / YEAR_DAYS;
    }
  });
  return years;
}

/** Edges of the years or months that touch a span of day numbers, and their labels. */
function periodEdges([from, to], step) {
  const number = (day) => (step === "year" ? Math.floor(monthOf(day) / 12) : monthOf(day));
  const start = (at) => monthStart(step === "year" ? at * 12 : at);
  const [first, last] = [number(from), number(to)];
  const edges = Int32Array.from({ length: last - first + 2 }, (_, k) => start(first + k));
  const labels = Array.from({ length: last - first + 1 }, (_, k) => isoDay(edges[k]).slice(0, step === "year" ? 4 : 7));
  return { edges, labels };
}
