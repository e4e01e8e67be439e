// Everything about the chosen site.

function nameList(site) {
  const list = el("ul", { class: "names" });
  for (const name of site.names.slice(1)) {
    list.append(el("li", {}, words(name.text, name.tag), name.about ? el("span", { class: "about" }, words(name.about)) : null));
  }
  return list.children.length ? list : null;
}

function factList(site) {
  const list = el("dl", { class: "facts" });
  for (const [label, text] of site.facts) list.append(el("dt", {}, words(label)), el("dd", {}, words(text)));
  list.append(el("dt", {}, "Watch plan"), el("dd", {}, words(sentence(site.watch))));
  return list;
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function sourceItem(source) {
  const item = el("li", {});
  const title = source.title || source.outlet;
  item.append(source.url ? link(source.url, title) : words(title));
  const rest = [source.title ? source.outlet : "", source.author, source.published].filter(Boolean);
  for (const part of rest) item.append(", ", words(part));
  if (source.archive) item.append(", ", link(source.archive, "archived copy"));
  if (source.grade) {
    item.append(" ", el("span", { class: "badge grade", title: `Source ${source.grade[0]} (A to F), information ${source.grade[1]} (1 to 6), Admiralty scale` }, source.grade));
  }
  return item;
}

function noteItem(note) {
  const head = el("p", { class: "note-head" }, el("strong", { class: "edtf" }, words(note.date)),
    el("span", { class: "badge kind" }, note.kind));
  const item = el("li", { class: "note" }, head, el("p", { class: "note-text" }, words(note.text)));
  if (note.size) item.append(el("p", { class: "fine" }, "Measured: ", words(note.size)));
  if (note.looks) item.append(el("p", { class: "fine marks observable" }, words(sentence(note.looks))));
  if (note.marks) item.append(el("p", { class: "fine marks" }, words(sentence(note.marks.join("; ")))));
  if (note.author) item.append(el("p", { class: "fine" }, "Noted by ", words(note.author)));
  item.append(note.sources
    ? el("ul", { class: "sources", "aria-label": "Sources" }, ...note.sources.map(sourceItem))
    : el("p", { class: "fine no-source" }, "No source is given."));
  return item;
}

function notesSection(site) {
  const section = el("section", { class: "notes" }, el("h3", {}, `Notes by analysts (${site.notes.length})`));
  section.append(site.notes.length
    ? el("ol", { class: "note-list" }, ...site.notes.map(noteItem))
    : el("p", { class: "fine" }, "None yet."));
  return section;
}

const STATE_WORDS = {
  candidate: "clear looks agree on it; no later one was asked yet",
  probable: "a later look shows it too",
  confirmed: "two later looks show it too",
  retracted: "retracted: no longer held to be a change",
};

function areaWords(area) {
  if (area === null) return "not known";
  if (area >= 1e5) return `${(area / 1e4).toLocaleString("en", { maximumFractionDigits: 1 })} ha (${Math.round(area).toLocaleString("en")} m²)`;
  return `${Math.round(area).toLocaleString("en")} m²`;
}

function detectionCard(site, detection) {
  const card = el("article", { class: `detection state-${detection.state}` });
  card.append(el("p", { class: "detection-head" },
    el("span", { class: `badge state ${detection.state}`, title: STATE_WORDS[detection.state] }, detection.state),
    detection.simulated ? el("span", { class: "badge simulated" }, "simulated") : null));
  card.append(el("h4", {}, "Changed between ", el("time", { datetime: detection.without }, detection.without),
    " and ", el("time", { datetime: detection.with }, detection.with)));
  card.append(el("p", { class: "fine" }, "Last clear look without it, first clear look with it. As EDTF: ",
    el("span", { class: "edtf" }, words(detection.bracket)), "."));
  if (detection.days) {
    card.append(el("p", { class: "fine" }, "It happened, with 90 %, between ", el("time", { datetime: detection.days[0] }, detection.days[0]),
      " and ", el("time", { datetime: detection.days[1] }, detection.days[1]), "."));
  }
  const facts = [
    ...(detection.kind ? [["Looks like", detection.kind.replace(/^other\b/, "no kind that has a name here")]] : []),
    ["Area", areaWords(detection.area_m2)],
    ...(detection.area_interval ? [["Area, with 90 %", detection.area_interval.map(areaWords).join(" to ")]] : []),
    ["Strength", detection.magnitude === null ? "not known" : `${detection.magnitude.toPrecision(2)} times the threshold`],
    ["Seen in", `${plural(detection.looks, "look")} (${detection.series})`],
    ["Chance of a quiet look as high", detection.p_value === null ? "no null for this sensor" : `p = ${detection.p_value}${detection.sure && detection.sure[1] ? ` among ${detection.sure[1]}` : ""}`],
    ...(detection.sure ? [["Among all detections", detection.sure[0]]] : []),
    ...(detection.flags || []).map((flag) => ["But note", flag]),
  ];
  const list = el("dl", { class: "facts" });
  for (const [label, text] of facts) list.append(el("dt", {}, label), el("dd", {}, words(text)));
  card.append(list);
  card.append(el("p", { class: "fine said" }, "Analysts: ", words(detection.said || "nobody has said anything yet"), "."));
  const { album } = site;
  if (album && album.pairs[detection.id]) card.append(pairSection(album, detection.id, comparePairButton(site, detection.id)));
  else card.append(el("p", { class: "fine" }, detection.picture ? "Its pictures are left out of this page." : "No pictures are kept of it."));
  return card;
}

function detectionsSection(site) {
  if (!site.detections.length) return null;
  return el("section", { class: "detections" }, el("h3", {}, `Detections by machine (${site.detections.length})`),
    ...site.detections.map((detection) => detectionCard(site, detection)));
}

function latestSection(site) {
  const picture = site.album && site.album.latest !== null ? site.album.pictures[site.album.latest] : null;
  if (!picture) return null;
  return el("section", { class: "latest" }, el("h3", {}, "Latest clear look"), pictureFigure(picture, "Seen"),
    el("p", { class: "fine" }, words(site.album.place), `. ${picture.reading} Stretch: ${picture.stretch}. ${VEIL_WORDS}`));
}

/** What the panel of a site shows, in this order; `make({ data, site })` gives an element or null.
 * Here `site` has its details: facts, notes, looks, gaps, detections, summary, area, latest. */
const PANEL = [
  { name: "facts", order: 10, make: ({ site }) => el("section", {}, factList(site)) },
  { name: "looks", order: 20, make: ({ data, site }) => looksSection(data, site) },
  { name: "detections", order: 30, make: ({ site }) => detectionsSection(site) },
  { name: "latest", order: 40, make: ({ site }) => latestSection(site) },
  { name: "notes", order: 50, make: ({ site }) => notesSection(site) },
];

/** Name, kind, place and all names of a site; `actions` are the buttons beside its name. */
function panelHead(data, site, actions) {
  const [first] = site.names;
  const head = el("header", { class: "panel-head" },
    symbol(data, site.category, { pale: !site.looked, size: 30 }),
    el("div", {},
      el("h2", { id: "panel-title" }, words(first.text, first.tag)),
      el("p", { class: "kicker" }, data.symbols[site.category].label, site.place ? ", " : "", words(site.place))),
    el("div", { class: "actions" }, ...actions));
  return [head, nameList(site)].filter(Boolean);
}

function panelParts(data, site) {
  return [...PANEL].sort((a, b) => a.order - b.order).map(({ make }) => make({ data, site })).filter(Boolean);
}

function emptyPanel(data) {
  const key = el("ul", { class: "outcome-key" });
  for (const name of OUTCOME_ORDER) {
    key.append(el("li", {}, outcomeCell(name, ""), el("strong", {}, name === "NoScene" ? " No scene" : ` ${name}`), `: ${OUTCOME_WORDS[name]}`));
  }
  return [
    el("h2", {}, "Choose a site"),
    el("p", {}, "Pick a sign on the map or a row of the list. Its names, notes with their sources, looks and detections appear here."),
    el("h3", {}, "What a look can end as"),
    key,
    el("p", { class: "fine" }, "Only judged looks say anything about change. A place nobody could see is not a place where nothing happened."),
  ];
}
