// Sites as rows over the columns of the index; details of a site from its chunk, when they are wanted.

const KEPT_CHUNKS = 24;
const GRADE_WORDS = {
  A: "completely reliable", B: "usually reliable", C: "fairly reliable", D: "not usually reliable", E: "unreliable", F: "cannot be judged",
};

/** One site: its members are read from the columns, so that 50,000 of them cost little. */
class SiteRow {
  #columns;

  constructor(columns, i) {
    this.#columns = columns;
    this.i = i;
  }

  get id() { return this.#columns.id[this.i]; }
  get names() {
    const { nameStart, name, nameAbout, abouts } = this.#columns;
    const names = [];
    for (let k = nameStart[this.i]; k < nameStart[this.i + 1]; k += 1) {
      const [tag, about] = abouts[nameAbout[k]];
      names.push({ text: name[k], tag, about });
    }
    return names;
  }
  get title() { return this.#columns.name[this.#columns.nameStart[this.i]]; }
  get category() { return this.#columns.categories[this.#columns.category[this.i]]; }
  get province() { return this.#columns.places[this.#columns.place[this.i]][0]; }
  get country() { return this.#columns.places[this.#columns.place[this.i]][1]; }
  get place() { return this.#columns.places[this.#columns.place[this.i]][2]; }
  /** lon, lat in degrees; null where it is not placed. */
  get point() {
    const { lon, lat } = this.#columns;
    return lon[this.i] === null ? null : [lon[this.i] / 1e6, lat[this.i] / 1e6];
  }
  get watched() { return this.#columns.watched[this.i] === 1; }
  get standing() { return this.#columns.standings[this.#columns.standing[this.i]]; }
  /** How many looks, how many of them could be judged, how many changes are not retracted. */
  get looked() { return this.#columns.looked[this.i]; }
  get judged() { return this.#columns.judged[this.i]; }
  get changes() { return this.#columns.changes[this.i]; }
  get noteCount() { return this.#columns.notes[this.i]; }
  get latestNote() { return this.#columns.latestNote[this.i]; }
  /** The best grade of a source, A to F; "-" where nobody gave one. */
  get grade() { return this.#columns.grade[this.i]; }
}

function running(counts) {
  const starts = new Uint32Array(counts.length + 1);
  for (let k = 0; k < counts.length; k += 1) starts[k + 1] = starts[k] + counts[k];
  return starts;
}

async function openData() {
  const data = await openBlock("sitewatch-data");
  data.columns = data.sites;
  data.columns.nameStart = running(data.columns.names);
  data.sites = Array.from({ length: data.columns.count }, (_, i) => new SiteRow(data.columns, i));
  const places = new Map(data.sites.map((site) => [site.id, site.i]));
  data.siteOf = (id) => (places.has(id) ? data.sites[places.get(id)] : null);
  data.detailsOf = detailsFrom(data);
  return data;
}

/** Rings as the page keeps them, steps from point to point, back as lat, lon in degrees. */
function ringsOf(rings, point) {
  const start = point ? [Math.round(point[1] * 1e6), Math.round(point[0] * 1e6)] : [0, 0];
  return rings.map((steps) => {
    let [lat, lon] = start;
    const ring = [];
    for (let k = 0; k < steps.length; k += 2) {
      lat += steps[k];
      lon += steps[k + 1];
      ring.push([lat / 1e6, lon / 1e6]);
    }
    return ring;
  });
}

/** The page writes the coordinates itself: the index has them. */
function placeWords(point, accuracy) {
  return point ? `${point[1].toFixed(5)}, ${point[0].toFixed(5)} (${accuracy})` : "Not placed yet";
}

/** facts, watch, area, summary, notes, looks, gaps, detections, latest; the members of its row shine through. */
function fullSite(site, details) {
  const full = { notes: [], looks: [], gaps: [], detections: [], latest: false, ...details };
  full.facts = [["Coordinates", placeWords(site.point, details.accuracy)], ...details.facts];
  full.area = ringsOf(details.area, site.point);
  full.detections = full.detections.map((item) => ({ ...item, rings: ringsOf(item.rings, site.point) }));
  full.site = site;
  for (const name of ["i", "id", "names", "category", "place", "province", "point", "looked", "judged", "changes", "noteCount"]) full[name] = site[name];
  return full;
}

function detailsFrom(data) {
  const chunks = new Map();
  let vocabulary = null;
  const openChunk = async (number) => {
    vocabulary = vocabulary || openBlock("sitewatch-words");
    const [table, known] = await Promise.all([openBlock(`sitewatch-details-${number}`), vocabulary]);
    return rowsOf(table, known);
  };
  const open = (number) => {
    const known = chunks.get(number) || openChunk(number);
    chunks.delete(number); // the one that was asked for last stands last
    chunks.set(number, known);
    if (chunks.size > KEPT_CHUNKS) chunks.delete(chunks.keys().next().value);
    return known;
  };
  return async (site, { pictures = false } = {}) => {
    const number = data.chunks.findLastIndex((first) => first <= site.i);
    const details = (await open(number))[site.i - data.chunks[number]];
    const full = fullSite(site, details);
    full.album = pictures ? await albumOf(site) : null;
    return full;
  };
}
