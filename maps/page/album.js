// The pictures of a site on this page, and the box that compares them in its panel.

const KEPT_ALBUMS = 6;
const albums = new Map();
let shownBox = null;

state.define("pair", state.text);
state.define("mode", { ...state.text, initial: "" });

/** The pictures of a site, opened when they are wanted; null where the page has none. */
async function albumOf(site) {
  const id = `sitewatch-pictures-${site.i}`;
  if (!hasBlock(id)) return null;
  const known = albums.get(id) || openBlock(id);
  albums.delete(id);
  albums.set(id, known);
  if (albums.size > KEPT_ALBUMS) albums.delete(albums.keys().next().value);
  const album = await known;
  if (album.site !== site.id) throw new Error(`its pictures are of ${album.site}`);
  return album;
}

function pairWords(detection) {
  return `${detection.state} change, ${detection.without} to ${detection.with}`;
}

/** What the address asks for: { first, second, mode }, each null where it does not say or the page has no such look. */
function askedFor(album, { pair, mode }) {
  const tokens = pair.split(",");
  const [first, second] = tokens.length === 2 ? tokens.map((token) => pictureOfToken(album.pictures, token)) : [null, null];
  return { first, second, mode: MODES.some(([name]) => name === mode) ? mode : "swipe" };
}

function compareSection(data, site) {
  const { album } = site;
  if (!album || album.pictures.length < 2) return null;
  const asked = askedFor(album, state.get());
  const box = compareBox(album, {
    ...asked,
    detections: site.detections.map((each) => ({ id: each.id, words: pairWords(each) })),
    onChange({ first, second, mode }) {
      state.set({ pair: [first, second].map((each) => lookToken(album.pictures, each)).join(","), mode }, { replace: true });
    },
  });
  shownBox = { site: site.id, album, box };
  return el("section", { class: "compare-section", id: "looks-compared", tabindex: -1, "aria-labelledby": "looks-compared-title" },
    el("h3", { id: "looks-compared-title" }, "Before and after: any two looks"), box,
    data.leftOut ? el("p", { class: "fine left-out" }, data.leftOut) : null);
}

/** Shows the two looks around a detection in the site's box. */
function comparePairButton({ album }, id) {
  return button("Swipe, fade or blink them", { class: "compare-pair" }, () => {
    const section = document.getElementById("looks-compared");
    const [first, second] = album.pairs[id].map((position) => album.pictures[position]);
    section.querySelector(".compare").compare.choose({ first, second, outline: id });
    section.scrollIntoView({ block: "start" });
    section.focus({ preventScroll: true });
  });
}

function contactSection(data, site) {
  if (!site.album || site.album.pictures.length < 3) return null;
  const fold = el("details", { class: "contact-fold" }, el("summary", {}, `All ${plural(site.album.pictures.length, "picture")} by date`));
  fold.addEventListener("toggle", () => {
    if (fold.open && !fold.querySelector(".contact")) fold.append(contactSheet(site.album, { looks: site.looks, outcomes: data.outcomes }));
  });
  return fold;
}

PANEL.push({ name: "compare", order: 35, make: ({ data, site }) => compareSection(data, site) });
PANEL.push({ name: "contact", order: 36, make: ({ data, site }) => contactSection(data, site) });

// "back" and links within one site
state.on(["pair", "mode"], (values, changed, cause) => {
  if (cause === "page" || !shownBox || shownBox.site !== values.site || changed.includes("site")) return;
  const { first, second, mode } = askedFor(shownBox.album, values);
  if (first && second) shownBox.box.compare.show({ first, second, mode });
});

// another site has other looks
state.on("site", (values, changed, cause) => {
  if (cause === "page") state.set({ pair: "", mode: "" }, { replace: true });
});
