// Chips: pixels from the data block, with outline, scale bar and north drawn over them.

const VEIL_WORDS = "Hatched: cloud, shadow or snow. Dark: no data.";

let pictureStore = null;

/** The pixels are parsed when the first picture is wanted, not when the page opens. */
function pictureOf(key) {
  pictureStore = pictureStore || readBlock("sitewatch-pictures");
  return Object.hasOwn(pictureStore, key) ? pictureStore[key] : null;
}

function scaleLength(widthM) {
  const limit = Math.max(widthM / 3, 1);
  const power = 10 ** Math.floor(Math.log10(limit));
  return Math.max(...[1, 2, 5].map((step) => step * power).filter((length) => length <= limit));
}

function overlay(picture) {
  const { width, height, scale } = picture;
  const unit = width / 100;
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const outlines = svg("g", { class: "outlines" });
  for (const ring of picture.outlines) {
    const points = ring.map(([x, y]) => `${x},${y}`).join(" ");
    outlines.append(svg("polygon", { points, class: "halo" }), svg("polygon", { points, class: "line" }));
  }
  const length = scaleLength(width * scale);
  const [x, y, right] = [4 * unit, height - 4 * unit, 4 * unit + length / scale];
  const label = length >= 1000 ? `${length / 1000} km` : `${length} m`;
  const bar = svg("g", { class: "scale" },
    svg("path", { d: `M${x} ${y - 2 * unit}V${y}H${right}V${y - 2 * unit}`, class: "halo" }),
    svg("path", { d: `M${x} ${y - 2 * unit}V${y}H${right}V${y - 2 * unit}`, class: "line" }),
    svg("text", { x: x + unit, y: y - 3.2 * unit, "font-size": 5.5 * unit }, label));
  const [nx, ny] = [width - 7 * unit, 4 * unit];
  const north = svg("g", { class: "scale" },
    svg("path", { d: `M${nx} ${ny}l${3 * unit} ${8 * unit}l${-3 * unit} ${-2 * unit}l${-3 * unit} ${2 * unit}z`, class: "arrow" }),
    svg("text", { x: nx, y: ny + 13.5 * unit, "font-size": 5.5 * unit, "text-anchor": "middle" }, "N"));
  drawing.append(outlines, bar, north);
  return drawing;
}

function pictureFigure(picture, title) {
  const told = `${title}: ${picture.day}, ${picture.platform}, ${picture.bands}`;
  const image = el("img", {
    src: `data:image/png;base64,${picture.png}`, alt: `${told}${picture.simulated ? ", simulated" : ""}`,
    width: picture.width, height: picture.height, decoding: "async",
  });
  const frame = el("div", { class: "chip" }, image, overlay(picture));
  if (picture.simulated) frame.append(el("span", { class: "badge simulated on-chip" }, "simulated"));
  return el("figure", { class: "picture" }, frame, el("figcaption", {},
    el("strong", {}, `${title} `), el("time", { datetime: picture.day }, picture.day), el("br"),
    words(picture.platform), `, ${picture.resolution} m pixels, ${clearWords(picture.clear, picture.masked)}`, el("br"),
    words(picture.bands),
    picture.credit ? el("span", { class: "credit" }, words(picture.credit)) : null));
}

function pairSection(pair) {
  const frame = el("div", { class: "pair" }, pictureFigure(pair.before, "Before"), pictureFigure(pair.after, "After"));
  const box = el("input", { type: "checkbox", checked: true });
  box.addEventListener("change", () => frame.classList.toggle("bare", !box.checked));
  const stretch = pair.same
    ? `Same stretch on both: ${pair.before.stretch}.`
    : `Each with its own stretch, because their values can't be compared: ${pair.before.stretch}; ${pair.after.stretch}.`;
  return el("div", { class: "pair-box" }, frame,
    el("label", { class: "toggle" }, box, " Outline of the change"),
    el("p", { class: "fine" }, `${pair.after.reading} ${stretch} ${VEIL_WORDS}`));
}
