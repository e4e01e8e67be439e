// When things were: all notes, detections and looks of the page as typed arrays of day and month numbers.

const DAY_MS = 86_400_000;
const [BEFORE_ALL, AFTER_ALL] = [-100_000_000, 100_000_000]; // an end that is open or unknown
const MARK = { approximate: 1, uncertain: 2, openStart: 4, openEnd: 8, unknownStart: 16, unknownEnd: 32 };
const TIME_KINDS = ["notes", "detections", "looks"];
const DATED_KINDS = ["notes", "detections"]; // what puts a site into a span unless a reader says otherwise

const EARLY_SHARE = 0.06; // of what is dated may lie before the stretch that is shown first

let times = null;

/** The day number (1970-01-01 is 0) of an ISO day; NaN where it is none. */
function dayNumber(iso) {
  return /^\d{4}-\d\d-\d\d$/.test(iso) ? Math.floor(Date.parse(iso) / DAY_MS) : NaN;
}

const CALENDAR = [dayNumber("0001-01-01"), dayNumber("9999-12-31")]; // what a date input can hold

function isoDay(day) {
  return new Date(Math.min(CALENDAR[1], Math.max(CALENDAR[0], Math.round(day))) * DAY_MS).toISOString().slice(0, 10);
}

function monthOf(day) {
  const date = new Date(day * DAY_MS);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

/** First day of a month counted from 1970-01. */
function monthStart(month) {
  const date = new Date(0);
  date.setUTCFullYear(1970 + Math.floor(month / 12), ((month % 12) + 12) % 12, 1);
  return Math.round(date.getTime() / DAY_MS);
}

/** The same day some months on; the last of a shorter month where it has no such day. */
function shiftMonths(day, months) {
  const month = monthOf(day);
  const within = day - monthStart(month);
  return Math.min(monthStart(month + months) + within, monthStart(month + months + 1) - 1);
}

/** First and last allowed day of a row (start, length, code) of the block. */
function boundsOf(start, length, code) {
  return [
    code & (MARK.openStart | MARK.unknownStart) ? BEFORE_ALL : start,
    code & (MARK.openEnd | MARK.unknownEnd) ? AFTER_ALL : start + length,
  ];
}

/** Columns of rows by site: which site each row is of, where a site's rows begin, and delta-coded values undone. */
function unpackRows(counts, deltas) {
  const [total, offsets] = [deltas.length, new Int32Array(counts.length + 1)];
  const [site, value] = [new Int32Array(total), new Int32Array(total)];
  let at = 0;
  for (let index = 0; index < counts.length; index += 1) {
    let sum = 0;
    for (const end = at + counts[index]; at < end; at += 1) {
      sum += deltas[at];
      site[at] = index;
      value[at] = sum;
    }
    offsets[index + 1] = at;
  }
  return { offsets, site, value };
}

function unpackTimes(block) {
  const notes = unpackRows(block.notes.counts, block.notes.starts);
  const first = new Int32Array(notes.value.length);
  const last = new Int32Array(notes.value.length);
  for (let k = 0; k < first.length; k += 1) {
    const code = block.notes.codes[k];
    first[k] = code & 20 ? BEFORE_ALL : notes.value[k];
    last[k] = code & 40 ? AFTER_ALL : notes.value[k] + block.notes.lengths[k];
  }
  const found = block.detections;
  const owners = unpackRows(found.counts, found.starts);
  const looks = unpackRows(block.looks.counts, block.looks.months);
  return {
    today: block.today,
    precisions: block.precisions,
    notes: { offsets: notes.offsets, site: notes.site, first, last, code: Uint16Array.from(block.notes.codes) },
    detections: {
      offsets: owners.offsets, site: owners.site, first: Int32Array.from(found.starts),
      last: Int32Array.from(found.starts, (start, k) => start + found.lengths[k]),
      state: found.states.map((position) => block.states[position]), simulated: found.simulated,
    },
    looks: { offsets: looks.offsets, site: looks.site, month: looks.value, code: Uint16Array.from(block.looks.codes), table: block.looks.table, outcomes: block.outcomes },
    range: rangeOf(block.today, first, last, found, looks.value),
  };
}

/** First and last dated day of anything, the day the page was made included. */
function rangeOf(today, first, last, found, months) {
  let [from, to] = [today, today];
  const take = (day) => {
    if (day > BEFORE_ALL && day < from) from = day;
    if (day < AFTER_ALL && day > to) to = day;
  };
  first.forEach(take);
  last.forEach(take);
  found.starts.forEach(take);
  months.forEach((month) => take(monthStart(month)));
  return [from, to];
}

/** Where most of what is dated begins: few old dates should not press all others to the edge. */
function usualStart() {
  const days = [...times.notes.first.filter((day) => day > BEFORE_ALL), ...times.detections.first, ...Array.from(times.looks.month, monthStart)];
  const sorted = Float64Array.from(days).sort();
  const [low, high] = times.range;
  const start = sorted.length ? sorted[Math.floor(sorted.length * EARLY_SHARE)] : low;
  return high - start < (high - low) * 0.7 ? start : low;
}

/** Which sites have anything of these kinds that allows a day of the span: a byte a site, by its index. */
function sitesWithin(span, kinds = DATED_KINDS) {
  const within = new Uint8Array(times.notes.offsets.length - 1);
  const [from, to] = span.map(dayNumber);
  for (const rows of [times.notes, times.detections].filter((_, k) => kinds.includes(TIME_KINDS[k]))) {
    const { site, first, last } = rows;
    for (let k = 0; k < site.length; k += 1) if (first[k] <= to && last[k] >= from) within[site[k]] = 1;
  }
  if (kinds.includes("looks")) {
    const [start, end] = [monthOf(from), monthOf(to)];
    const { site, month } = times.looks;
    for (let k = 0; k < site.length; k += 1) if (month[k] >= start && month[k] <= end) within[site[k]] = 1;
  }
  return within;
}

/** Notes a bin of `[from, to)`, each spread evenly over the days it allows; `mask` holds a byte a site or is null.
 *
 * An end that is open or unknown is taken at the edge of everything that is dated: such a note spreads thinly.
 */
function noteDensity(from, to, bins, mask) {
  const { site, first, last } = times.notes;
  const [low, high] = [times.range[0], times.range[1] + 1];
  const [perDay, partial, whole] = [bins / (to - from), new Float64Array(bins), new Float64Array(bins + 1)];
  const slope = (at, weight) => {
    if (at >= bins) return;
    const bin = Math.max(0, Math.floor(at));
    partial[bin] += at < 0 ? weight : weight * (1 - (at - bin));
    whole[bin + 1] += weight;
  };
  for (let k = 0; k < site.length; k += 1) {
    if (mask && !mask[site[k]]) continue;
    const [start, end] = [Math.max(first[k], low), Math.min(last[k] + 1, high)];
    if (end <= from || start >= to) continue;
    const weight = 1 / (end - start) / perDay;
    slope((start - from) * perDay, weight);
    slope((end - from) * perDay, -weight);
  }
  let running = 0;
  for (let bin = 0; bin < bins; bin += 1) {
    running += whole[bin];
    partial[bin] = Math.max(0, partial[bin] + running);
  }
  return partial;
}

/** How many looks of the masked sites ended how, month by month: `rows.get(month)` is an array by outcome. */
function looksByMonth(mask) {
  const rows = new Map();
  const { site, month, code, table, outcomes } = times.looks;
  for (let k = 0; k < site.length; k += 1) {
    if (mask && !mask[site[k]]) continue;
    let row = rows.get(month[k]);
    if (!row) rows.set(month[k], row = new Array(outcomes.length).fill(0));
    const counts = table[code[k]];
    for (let outcome = 0; outcome < row.length; outcome += 1) row[outcome] += counts[outcome];
  }
  return rows;
}

/** Looks that could judge and looks that could not, of outcomes counted by position. */
function judgedOf(row) {
  const judged = row[times.looks.outcomes.indexOf("Unchanged")] + row[times.looks.outcomes.indexOf("Changed")];
  return [judged, row.reduce((sum, count) => sum + count, 0) - judged];
}
