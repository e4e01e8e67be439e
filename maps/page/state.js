// The one state of the page: what is searched, filtered and chosen. It stands in the address, so that every
// view is a link and "back" goes back.

/** { key, test(state) -> null | (site) => boolean }; `key` may be a list of keys. */
const FILTERS = [];

/** { name, start({ data, state, map }) }: started in order, each may be async. */
const PARTS = [];

const ADDRESS_PAUSE = 200; // milliseconds

const state = (() => {
  const fields = new Map();
  const values = {};
  const listeners = [];
  const followers = [];
  let data = null;
  let left = [];
  let [written, pending] = [-Infinity, 0]; // when the address was written last; a write that is to come
  let failing = new Int8Array(0); // by site: -1 passes, -2 fails twice or more, else the one filter it fails

  const text = { initial: "", read: (params, key) => params.get(key) || "", write: (value) => (value ? [value] : []) };
  const list = { initial: [], read: (params, key) => params.getAll(key), write: (value) => value };

  /** Add a key. `read(params, name)` gives its value, `write(value)` the texts that stand for it in the address. */
  function define(key, { name = key, ...kind }) {
    fields.set(key, { name, ...kind });
    values[key] = kind.initial;
  }

  const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  function get(key) {
    return key === undefined ? { ...values } : values[key];
  }

  /** Change values; `replace` writes no new step of the history, for what changes with every letter or frame. */
  function set(changes, { replace = false, cause = "page" } = {}) {
    const changed = Object.keys(changes).filter((key) => fields.has(key) && !equal(values[key], changes[key]));
    if (!changed.length) return;
    for (const key of changed) values[key] = changes[key];
    if (cause === "page") writeAddress(replace);
    tell(changed, cause);
  }

  /** `fn(values, changed, cause)` when one of `keys` changes; `cause` is "page", "address" or "load". */
  function on(keys, fn) {
    listeners.push({ keys: new Set([keys].flat()), fn });
  }

  /** `fn(sites)` with the sites that are left, now and after every change of a filter. */
  function onSites(fn) {
    followers.push(fn);
    if (data) fn(left);
  }

  function tell(changed, cause) {
    if (FILTERS.some(({ key }) => [key].flat().some((each) => changed.includes(each)))) filter();
    for (const { keys, fn } of listeners) {
      if (changed.some((key) => keys.has(key))) fn(get(), changed, cause);
    }
  }

  function filter() {
    const tests = FILTERS.map((each) => each.test(values));
    const active = tests.map((test, at) => [test, at]).filter(([test]) => test);
    left = [];
    for (const site of data.sites) {
      let fails = -1;
      for (const [test, at] of active) {
        if (test(site)) continue;
        fails = fails === -1 ? at : -2;
        if (fails === -2) break;
      }
      failing[site.i] = fails;
      if (fails === -1) left.push(site);
    }
    for (const fn of followers) fn(left);
  }

  /** Whether a site passes every filter, or every one but `but` (an item of FILTERS). */
  function passes(site, but = null) {
    const fails = failing[site.i];
    return fails === -1 || (fails >= 0 && FILTERS[fails] === but);
  }

  function address() {
    const params = new URLSearchParams();
    for (const [key, { name, initial, write }] of fields) {
      if (equal(values[key], initial)) continue;
      const given = write(values[key]);
      if (Array.isArray(given)) given.forEach((each) => params.append(name, each));
      else Object.entries(given).forEach(([part, each]) => params.append(part, each));
    }
    const query = params.toString();
    return query ? `#${query}` : "";
  }

  /** Browsers allow few writes a second: what is dragged or played writes at once, then the latest after a while. */
  function writeAddress(replace) {
    const now = performance.now();
    clearTimeout(pending);
    if (replace && now - written < ADDRESS_PAUSE) {
      pending = setTimeout(() => writeAddress(true), ADDRESS_PAUSE);
      return;
    }
    const wanted = address();
    if (location.hash === wanted) return;
    written = now;
    history[replace ? "replaceState" : "pushState"](null, "", wanted || location.pathname + location.search);
  }

  function readAddress(cause) {
    const hash = location.hash.slice(1);
    const old = data.siteOf(decoded(hash)); // links were once the id of a site and nothing else
    const params = new URLSearchParams(old ? "" : hash);
    const read = {};
    for (const [key, { name, initial, read: readOne }] of fields) read[key] = readOne(params, name) ?? initial;
    if (old) read.site = old.id;
    if (read.site && !data.siteOf(read.site)) read.site = "";
    set(read, { cause });
  }

  /** Read the address, and follow it from now on. */
  function start(given) {
    data = given;
    failing = new Int8Array(data.sites.length);
    for (const event of ["popstate", "hashchange"]) window.addEventListener(event, () => readAddress("address"));
    filter();
    readAddress("load");
  }

  function sites() {
    return left;
  }

  /** Give up every filter; what else is chosen stays. */
  function clearFilters() {
    const keys = FILTERS.flatMap(({ key }) => key);
    set(Object.fromEntries(keys.map((key) => [key, fields.get(key).initial])));
  }

  /** Whether any filter says something. */
  function isFiltered() {
    return FILTERS.some(({ test }) => test(values));
  }

  return { define, get, set, on, onSites, sites, passes, start, refilter: filter, clearFilters, isFiltered, address, text, list };
})();

state.define("site", state.text);
state.define("q", state.text);

const DAY_PATTERN = /^\d{4}-\d{2}-\d{2}$/;
const [FIRST_DAY, LAST_DAY] = ["0001-01-01", "9999-12-31"];

/** [from, to] as ISO days, both included, or null; an end that nobody gave is the first or last day there is. */
state.define("span", {
  initial: null,
  read(params) {
    const [from, to] = ["from", "to"].map((name) => (DAY_PATTERN.test(params.get(name)) ? params.get(name) : null));
    return from || to ? [from || FIRST_DAY, to || LAST_DAY] : null;
  },
  write([from, to]) {
    return { ...(from === FIRST_DAY ? {} : { from }), ...(to === LAST_DAY ? {} : { to }) };
  },
});

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
