// The chosen site along time, one thing at a time: its notes by their precision, its detections, its looks.

const ROW = 20;
const LETTER = 6.4; // pixels of a letter of a label, roughly
const NOTE_EXCERPT = 220; // letters
const NOTE_ROWS = 16;
const TITLE_LETTERS = 120; // of a lane; all of it stands in the panel, the list of series or a tooltip

/** Put extents, each with and without its label (pixels), into at most `most` rows.
 *
 * A label that finds no room stays away (it is told on hover and focus); the last row has none.
 * Returns `{ row, labelled }` each.
 */
function packRows(extents, most = Infinity, gap = 6) {
  const rows = []; // of each row what is taken
  const free = (row, [from, to]) => (rows[row] || []).every(([left, right]) => to + gap <= left || right + gap <= from);
  const find = (extent, limit) => {
    for (let row = 0; row < Math.min(rows.length + 1, limit); row += 1) if (free(row, extent)) return row;
    return -1;
  };
  return extents.map(({ bare, full }) => {
    let [row, labelled] = [find(full, most - 1), true];
    if (row < 0) [row, labelled] = [find(bare, most), false];
    if (row < 0) row = most - 1;
    (rows[row] ||= []).push(labelled ? full : bare);
    return { row, labelled };
  });
}

function rowsHeight(packed) {
  return ROW * (Math.max(-1, ...packed.map(({ row }) => row)) + 1) + 2;
}

/** Let the arrow keys move inside a group that is one stop of the Tab key. */
function roveThrough(group) {
  const items = () => [...group.querySelectorAll("[data-item]")];
  items().forEach((item, k) => item.setAttribute("tabindex", k === 0 ? "0" : "-1"));
  group.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(event.target);
    const next = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const wanted = all[Math.min(all.length - 1, Math.max(0, next))];
    all.forEach((item) => item.setAttribute("tabindex", item === wanted ? "0" : "-1"));
    wanted.focus();
  });
}

/** A thing that can be focused, hovered and opened; `words` is its label, `tip` what its tooltip shows. */
function timeItem(key, label, tip, ...glyphs) {
  const item = svg("g", { class: "time-item", role: "button", "data-item": key, "aria-label": label }, ...glyphs);
  item.tip = tip;
  return item;
}

function inView(from, to, scale) {
  return to >= 0 && from <= scale.width;
}

function noteItems(site, scale) {
  const from = times.notes.offsets[site.i];
  return site.notes.map((note, k) => {
    const [first, last, code] = [times.notes.first[from + k], times.notes.last[from + k], times.notes.code[from + k]];
    const range = drawnRange(first, last, code, scale);
    return { note, k, first, last, code, range, shown: inView(range[0], range[1], scale) };
  });
}

function noteRow(item, scale, { row, labelled }) {
  const y = row * ROW + ROW / 2 + 1;
  const { note, k, first, last, code, range } = item;
  const label = `Note, ${dateWords(note.date, code)}: ${excerpt(note.text)}`;
  const tip = () => [el("strong", {}, words(dateWords(note.date, code))), el("p", {}, words(excerpt(note.text)))];
  const glyph = dateGlyph(first, last, code, scale, y);
  const { x, anchor } = labelPlace(range, note.date.length * LETTER, scale);
  const written = labelled ? svg("text", { class: "date-label", x, y: y + 4, "text-anchor": anchor }, note.date) : null;
  const made = timeItem(`note:${k}`, label, tip, hitArea(range, y), glyph, written);
  made.setAttribute("data-first", first);
  made.setAttribute("data-last", last);
  return made;
}

/** Where a label stands: after its bar where there is room, else before it, else over its end. */
function labelPlace([from, to], width, scale) {
  const [left, right] = [Math.max(from, 0), Math.min(Math.max(to, 0), scale.width)];
  const bare = [left, right];
  if (right + width + 8 <= scale.width) return { x: right + 7, anchor: "start", bare, full: [left, right + 7 + width] };
  if (left - width - 8 >= 0) return { x: left - 7, anchor: "end", bare, full: [left - 7 - width, right] };
  return { x: right - 6, anchor: "end", bare, full: bare };
}

function hitArea([from, to], y) {
  const [left, right] = [Math.max(from - 4, -BEYOND), Math.min(to + 4, 6000)];
  return svg("rect", { class: "hit", x: left, y: y - ROW / 2 + 1, width: Math.max(12, right - left), height: ROW - 2 });
}

function excerpt(text, most = NOTE_EXCERPT) {
  const letters = [...text.slice(0, most * 2)];
  return letters.length > most ? `${letters.slice(0, most).join("")}…` : text;
}

function rowsGroup(name, label, items, height) {
  const group = svg("svg", { class: `time-rows time-rows-${name}`, height, width: "100%", role: "group", "aria-label": label }, ...items);
  roveThrough(group);
  return group;
}

function laneHead(title, ...more) {
  return el("p", { class: "time-lane-head" }, el("strong", {}, title), ...more);
}

function outOfView(count) {
  return count ? ` (${count} outside the stretch shown)` : "";
}

function notesLane(site, scale) {
  const all = noteItems(site, scale);
  const shown = all.filter((item) => item.shown);
  const packed = packRows(shown.map(({ range, note }) => labelPlace(range, note.date.length * LETTER, scale)), NOTE_ROWS);
  const items = shown.map((item, k) => noteRow(item, scale, packed[k]));
  return el("div", { class: "time-lane" }, laneHead("Its notes", ` ${all.length}${outOfView(all.length - shown.length)}`),
    items.length ? rowsGroup("notes", `Notes of the chosen site in time: ${items.length}`, items, rowsHeight(packed)) : null);
}

function detectionWords(found) {
  const likely = found.days ? `; with 90 % between ${found.days[0]} and ${found.days[1]}` : "";
  return `Detection by machine, ${found.state}${found.simulated ? ", simulated imagery" : ""}: changed between ${found.without} and ${found.with}${likely}`;
}

function detectionsLane(site, scale) {
  if (!site.detections.length) return null;
  const range = (found) => [scale.x(dayNumber(found.without)), scale.x(dayNumber(found.with) + 1) + 8];
  const shown = site.detections.map((found, k) => ({ found, k })).filter(({ found }) => inView(...range(found), scale));
  const packed = packRows(shown.map(({ found }) => ({ bare: range(found), full: range(found) })), NOTE_ROWS, 10);
  const items = shown.map(({ found, k }, at) => {
    const y = packed[at].row * ROW + ROW / 2 + 1;
    const tip = () => [el("strong", {}, detectionWords(found)), el("p", {}, `${areaWords(found.area_m2)}. Bracket ${found.bracket}: last clear look without it, first with it.`)];
    return timeItem(`detection:${k}`, `${detectionWords(found)}; ${areaWords(found.area_m2)}`, tip, hitArea(range(found), y), detectionGlyph(found, scale, y));
  });
  return el("div", { class: "time-lane" }, laneHead("Its detections", ` ${site.detections.length}${outOfView(site.detections.length - shown.length)}: bracket, and inside it the days that hold the change with 90 %`),
    items.length ? rowsGroup("detections", `Detections at the chosen site in time: ${items.length}`, items, rowsHeight(packed)) : null);
}

/** Looks and empty windows in order: [first day, outcome, words]. */
function looksOf(data, site) {
  const looks = site.looks.map((look, k) => ({ key: `look:${k}`, day: dayNumber(look[0]), outcome: data.outcomes[look[1]], words: lookTitle(data, look) }));
  const gaps = site.gaps.map(([start, end], k) => ({ key: `gap:${k}`, day: dayNumber(start), end: dayNumber(end), outcome: "NoScene", words: `${start} to ${end}: due, but no image was taken` }));
  return [...looks, ...gaps].sort((a, b) => a.day - b.day);
}

/** Judged looks above, looks that say nothing below, windows without an image last. */
function lookLine(outcome) {
  if (outcome === "NoScene") return 44;
  return outcome === "Unchanged" || outcome === "Changed" ? 10 : 27;
}

function looksLane(data, site, scale) {
  const all = looksOf(data, site);
  if (!all.length) return null;
  const shown = all.filter(({ day, end = day }) => inView(scale.x(day) - 5, scale.x(end) + 5, scale));
  const judged = all.filter(({ outcome }) => outcome === "Unchanged" || outcome === "Changed").length;
  const items = shown.map(({ key, day, end, outcome, words: said }) => {
    const [x, y] = [scale.x(day + 0.5), lookLine(outcome)];
    const window = end ? svg("path", { class: "empty-window", d: `M${x} ${y + 6}H${Math.max(x + 2, scale.x(end))}` }) : null;
    return timeItem(key, `Look, ${said}`, () => [words(said)], lookGlyph(outcome, x, y), window);
  });
  return el("div", { class: "time-lane" },
    laneHead("Its looks", ` ${judged} of ${all.length} could be judged (upper row); the others say nothing about change (below)${outOfView(all.length - shown.length)}`),
    items.length ? rowsGroup("looks", `Looks at the chosen site in time: ${items.length}`, items, 54) : null);
}

/** Everything that one site has along time; `site` is the full one, with its details. */
function siteLanes(data, site, scale) {
  return [notesLane(site, scale), detectionsLane(site, scale), looksLane(data, site, scale)].filter(Boolean);
}
