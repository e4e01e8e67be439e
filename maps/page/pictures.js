// Chips: pixels from the data block, with outline, scale bar and north drawn over them.

const VEIL_WORDS = "Hatched: cloud, shadow or snow. Dark: no data.";

function scaleLength(widthM) {
  const limit = Math.max(widthM / 3, 1);
  const power = 10 ** Math.floor(Math.log10(limit));
  return Math.max(...[1, 2, 5].map((step) => step * power).filter((length) => length <= limit));
}

function overlay(picture, rings) {
  const { width, height, scale } = picture;
  const unit = width / 100;
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const outlines = svg("g", { class: "outlines" });
  const [left, top] = picture.corner;
  for (const ring of rings) {
    const points = ring.map(([x, y]) => `${((x - left) / scale).toFixed(2)},${((top - y) / scale).toFixed(2)}`).join(" ");
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

function pixelImage(picture, alt) {
  return el("img", {
    src: `data:image/png;base64,${picture.png}`, alt, width: picture.width, height: picture.height, decoding: "async", draggable: "false",
  });
}

const HATCH_PX = 8;

/** Diagonals over cloud, at the screen's scale, so that they never look like ground. */
async function drawVeil(canvas, picture, [x, y, width, height]) {
  const brush = canvas.getContext("2d");
  brush.clearRect(0, 0, canvas.width, canvas.height);
  if (!picture.veil) return;
  picture.veilImage = picture.veilImage || el("img", { src: `data:image/png;base64,${picture.veil}`, alt: "" });
  await picture.veilImage.decode();
  brush.globalCompositeOperation = "source-over";
  brush.clearRect(0, 0, canvas.width, canvas.height);
  brush.imageSmoothingEnabled = false;
  brush.drawImage(picture.veilImage, x, y, width, height);
  brush.globalCompositeOperation = "source-in";
  brush.fillStyle = brush.createPattern(hatching(), "repeat");
  brush.fillRect(0, 0, canvas.width, canvas.height);
}

function hatching() {
  const tile = el("canvas", { width: HATCH_PX, height: HATCH_PX });
  const brush = tile.getContext("2d");
  brush.strokeStyle = "rgb(0 0 0 / 62%)";
  brush.lineWidth = 1.6;
  for (const shift of [-HATCH_PX, 0, HATCH_PX]) {
    brush.beginPath();
    brush.moveTo(shift - 1, HATCH_PX + 1);
    brush.lineTo(shift + HATCH_PX + 1, -1);
    brush.stroke();
  }
  return tile;
}

function veilCanvas(picture) {
  const factor = Math.max(1, Math.round(400 / Math.max(picture.width, picture.height)));
  const canvas = el("canvas", { class: "veil", width: picture.width * factor, height: picture.height * factor, "aria-hidden": "true" });
  drawVeil(canvas, picture, [0, 0, canvas.width, canvas.height]);
  return canvas;
}

function pictureFigure(picture, title, rings = []) {
  const told = `${title}: ${picture.day}, ${picture.platform}, ${picture.bands}`;
  const image = pixelImage(picture, `${told}${picture.simulated ? ", simulated" : ""}`);
  const frame = el("div", { class: "chip" }, image, picture.veil ? veilCanvas(picture) : null, overlay(picture, rings));
  if (picture.simulated) frame.append(el("span", { class: "badge simulated on-chip" }, "simulated"));
  return el("figure", { class: "picture" }, frame, el("figcaption", {},
    el("strong", {}, `${title} `), el("time", { datetime: picture.day }, picture.day), el("br"),
    words(picture.platform), `, ${picture.resolution} m pixels, ${clearWords(picture.clear, picture.masked)}`, el("br"),
    words(picture.bands),
    picture.credit ? el("span", { class: "credit" }, words(picture.credit)) : null));
}

/** Before and after of one detection; `actions` stand below them. */
function pairSection(album, id, ...actions) {
  const [before, after] = album.pairs[id].map((position) => album.pictures[position]);
  const rings = album.outlines[id] || [];
  const frame = el("div", { class: "pair" }, pictureFigure(before, "Before", rings), pictureFigure(after, "After", rings));
  const box = el("input", { type: "checkbox", checked: true });
  box.addEventListener("change", () => frame.classList.toggle("bare", !box.checked));
  return el("div", { class: "pair-box" }, frame,
    el("div", { class: "compare-row" }, el("label", { class: "toggle" }, box, " Outline of the change"), ...actions),
    el("p", { class: "fine" }, words(album.place), `. ${after.reading} ${stretchWords(album.pictures, before, after).text} ${VEIL_WORDS}`));
}
