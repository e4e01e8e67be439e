// Any two looks at one site: swiped, faded, blinked or side by side.

const MODES = [
  ["swipe", "Swipe"],
  ["fade", "Fade"],
  ["blink", "Blink"],
  ["side", "Side by side"],
];
const BLINK_RATES = [[0.5, "slow: once in 2 seconds"], [1, "once a second"], [2, "2 times a second"], [3, "3 times a second"]];
const FASTEST_HZ = 3; // WCAG 2.2, 2.3.1: no more than three flashes in a second

/** A picture's name in the address: its day, and more where the site has several of that day. */
function lookToken(pictures, picture) {
  const sameDay = pictures.filter((each) => each.day === picture.day);
  return sameDay.length === 1 ? picture.day : `${picture.day}.${picture.series}.${picture.grid}`;
}

function pictureOfToken(pictures, token) {
  return pictures.find((each) => lookToken(pictures, each) === token) || pictures.find((each) => each.day === token) || null;
}

function lookWords(picture) {
  const parts = [picture.day, picture.outcome, clearWords(picture.clear, picture.masked), picture.platform, picture.simulated ? "simulated" : ""];
  return parts.filter(Boolean).join(", ");
}

function isOneStretch(a, b) {
  return a.stretch === b.stretch && a.bands === b.bands && a.series === b.series && a.grid === b.grid && a.shared && b.shared;
}

/** Whether and how two looks may be compared, in words: { same, text }. */
function stretchWords(pictures, a, b) {
  if (a === b) return { same: true, text: `Both are the same look. Stretch: ${a.stretch}.` };
  if (isOneStretch(a, b)) {
    const count = pictures.filter((each) => isOneStretch(a, each)).length;
    return { same: true, text: `The same stretch on both, and on all ${plural(count, "picture")} of this series: black to full is ${a.stretch}.` };
  }
  const own = `${a.day}: ${a.stretch}; ${b.day}: ${b.stretch}`;
  if (a.series !== b.series) {
    return { same: false, text: `These looks are of two series (${a.series}, ${b.series}), each with a stretch of its own: a difference in colour or brightness may come from the sensor. ${own}.` };
  }
  if (a.grid !== b.grid) {
    return { same: false, text: `The site was moved or redrawn between these looks; each has a stretch of its own: a difference in brightness says nothing. ${own}.` };
  }
  return { same: false, text: `Each has its own stretch, because counts without a scale can't be compared: a difference in brightness says nothing. ${own}.` };
}

function lookCaption(picture, title) {
  return el("div", { class: "look-caption" },
    el("p", {}, el("strong", {}, `${title}: `), el("time", { datetime: picture.day }, picture.day),
      picture.outcome ? ` ${picture.outcome}` : "", `, ${clearWords(picture.clear, picture.masked)}`,
      picture.simulated ? el("span", { class: "badge simulated" }, "simulated") : null),
    el("p", { class: "fine" }, words(picture.platform), `, ${picture.resolution} m pixels`,
      picture.scale === picture.resolution ? "" : ` (one in ${Math.round(picture.scale / picture.resolution)} shown)`,
      ", ", words(picture.bands)),
    picture.credit ? el("p", { class: "fine credit" }, words(picture.credit)) : null);
}

function lookTag(picture, side) {
  return el("span", { class: `look-tag look-tag-${side}` }, el("time", { datetime: picture.day }, picture.day),
    picture.simulated ? el("span", { class: "badge simulated" }, "simulated") : null);
}

function lookPicker(pictures, label, onPick) {
  const options = pictures.map((picture, position) => el("option", { value: position }, lookWords(picture)));
  const list = el("select", {}, ...options);
  list.addEventListener("change", () => onPick(pictures[Number(list.value)]));
  return { element: el("label", { class: "look-picker" }, el("span", {}, label), list), show: (picture) => { list.value = String(pictures.indexOf(picture)); } };
}

/** The line between two pictures, as a slider: mouse, touch and keyboard move it. */
function swipeHandle(onMove) {
  const handle = el("div", { class: "swipe-handle", role: "slider", tabindex: 0, "aria-orientation": "horizontal",
    "aria-label": "Line between the two looks", "aria-valuemin": 0, "aria-valuemax": 100 }, el("span", { class: "swipe-grip", "aria-hidden": "true" }, "⇔"));
  let share = 50;
  let spoken = ["", ""];
  function set(value) {
    share = Math.min(100, Math.max(0, value));
    handle.style.left = `${share}%`;
    handle.setAttribute("aria-valuenow", String(Math.round(share)));
    handle.setAttribute("aria-valuetext", `${spoken[0]} on the left ${Math.round(share)} %, ${spoken[1]} on the rest`);
    onMove(share);
  }
  function follow(event) {
    const box = handle.parentElement.getBoundingClientRect();
    set(((event.clientX - box.left) / box.width) * 100);
  }
  handle.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus({ preventScroll: true });
  });
  handle.addEventListener("pointermove", (event) => {
    if (handle.hasPointerCapture(event.pointerId)) follow(event);
  });
  const steps = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 };
  handle.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    set(share + steps[event.key] * (event.shiftKey ? 5 : 1));
    event.preventDefault();
    event.stopPropagation();
  });
  return { element: handle, set, follow, name: (left, right) => { spoken = [left, right]; set(share); } };
}

/** Shows one of two pictures in turn; never by itself where the reader asked for less motion. */
function blinker(onShow) {
  let [timer, second, rate] = [0, false, 1];
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const show = (value) => {
    second = value;
    onShow(second);
  };
  const isRunning = () => timer !== 0;
  function stop() {
    clearInterval(timer);
    timer = 0;
    run.setAttribute("aria-pressed", "false");
    run.textContent = "Start blinking";
  }
  function startIt() {
    if (still.matches) return;
    clearInterval(timer);
    timer = setInterval(() => (run.isConnected ? show(!second) : stop()), 1000 / Math.min(rate, FASTEST_HZ));
    run.setAttribute("aria-pressed", "true");
    run.textContent = "Stop blinking";
  }
  const run = button("Start blinking", { class: "blink-run", "aria-pressed": "false" }, () => (isRunning() ? stop() : startIt()));
  const flip = button("Show the other", { class: "blink-flip" }, () => {
    stop();
    show(!second);
  });
  const pace = el("select", { "aria-label": "How fast to blink" }, ...BLINK_RATES.map(([hz, text]) => el("option", { value: hz, selected: hz === rate }, text)));
  pace.addEventListener("change", () => {
    rate = Number(pace.value);
    if (isRunning()) startIt();
  });
  const quiet = el("span", { class: "fine" }, "Blinking is off, because your settings ask for less motion.");
  const obey = () => {
    if (still.matches) stop();
    for (const part of [run, pace]) part.hidden = still.matches;
    quiet.hidden = !still.matches;
  };
  still.addEventListener("change", obey);
  const element = el("div", { class: "compare-row blink-row" }, run, pace, flip, quiet);
  obey();
  return { element, stop, show, isRunning };
}

/**
 * The box that compares any two pictures of an album.
 * @param album What `albumOf(site)` gives: { site, place, pictures, pairs, outlines, ... }
 * @param detections [{ id, words }] of the site; those with outlines in the album can be outlined
 * @param first, second pictures to begin with; else the pair of the latest detection, else the first and the last look
 * @param mode one of MODES; onChange({ first, second, mode }) with every choice of the reader
 */
function compareBox(album, { detections = [], first = null, second = null, mode = "swipe", outline = "all", onChange = () => {} } = {}) {
  const { pictures } = album;
  for (const picture of pictures) {
    if (picture.site !== album.site) throw new Error(`a picture of ${picture.site} was given to ${album.site}`);
  }
  if (pictures.length < 2) return null;
  const chosen = { first, second, mode, outline };
  if (!chosen.first || !chosen.second) [chosen.first, chosen.second] = firstPair(album, detections);

  const box = el("div", { class: "compare" });
  const stage = el("div", { class: "compare-stage" });
  const captions = el("div", { class: "compare-captions" });
  const stretch = el("p", { class: "compare-stretch" });
  const reading = el("p", { class: "fine" });
  const said = el("p", { class: "unseen", role: "status" });
  let panes = [];
  let view = null;

  const pickFirst = lookPicker(pictures, "First look", (picture) => choose({ first: picture }));
  const pickSecond = lookPicker(pictures, "Second look", (picture) => choose({ second: picture }));
  const modes = MODES.map(([name, label]) => button(label, { "aria-pressed": "false", "data-mode": name }, () => choose({ mode: name })));
  const fade = el("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": "How much of the second look is shown" });
  const fadeRow = el("label", { class: "compare-row fade-row" }, el("span", {}), fade, el("span", {}));
  const handle = swipeHandle((share) => {
    if (chosen.mode === "swipe" && panes.length === 1) panes[0].layers[0].element.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
  });
  const blink = blinker((isSecond) => {
    if (chosen.mode !== "blink") return;
    panes[0].layers[0].element.hidden = isSecond;
    panes[0].layers[1].element.hidden = !isSecond;
    panes[0].tags.forEach((tag, position) => tag.classList.toggle("away", (position === 1) !== isSecond));
    if (!blink.isRunning()) said.textContent = `Shown: ${(isSecond ? chosen.second : chosen.first).day}`;
  });
  const zoomIn = button("+", { "aria-label": "Zoom in", title: "Zoom in (+)" }, () => view.zoom(GROUND_STEP));
  const zoomOut = button("−", { "aria-label": "Zoom out", title: "Zoom out (-)" }, () => view.zoom(1 / GROUND_STEP));
  const zoomFit = button("Fit", { title: "Show everything (0)" }, () => view.reset());
  const zoomPixels = button("Pixels", { title: "Zoom in until each pixel is a square to be seen" }, () => view.pixelLevel());
  const zoomChange = button("Change", { title: "Zoom to what is outlined" }, () => {
    const points = shownRings(chosen.first).flat();
    const { x, y } = panes[0].anchor;
    const [east, south] = [points.map((point) => point[0] - x), points.map((point) => y - point[1])];
    view.goTo([Math.min(...east), Math.min(...south), Math.max(...east), Math.max(...south)]);
  });
  const swap = button("Swap", { title: "First and second change places" }, () => choose({ first: chosen.second, second: chosen.first }));
  const outlines = outlineControl(album, detections, chosen.outline, (value) => {
    chosen.outline = value;
    lay();
  });

  function shownRings(picture) {
    return Object.keys(album.outlines).filter((id) => chosen.outline === "all" || chosen.outline === id)
      .filter((id) => pictures[album.pairs[id][0]].crs === picture.crs).flatMap((id) => album.outlines[id]);
  }

  function layer(picture, title, anchor) {
    const kind = picture.simulated ? ", simulated" : "";
    return groundLayer(picture, anchor, shownRings(picture), `${title}: ${album.place}, ${picture.day}, ${picture.platform}, ${picture.bands}${kind}`);
  }

  function pane(parts, label) {
    const marks = groundMarks();
    const element = el("div", { class: "ground-pane", tabindex: 0, role: "group", "aria-label": label });
    const layers = parts.map(([picture, title, anchor]) => layer(picture, title, anchor));
    const tags = parts.map(([picture, title]) => lookTag(picture, title === "First" ? "first" : "second"));
    // the first lies on top: swiping cuts it away
    element.append(...layers.map((each) => each.element).reverse(), ...tags, marks.element);
    return { element, layers, tags, marks, anchor: parts[0][2] };
  }

  /** Build the stage for what is chosen. */
  function lay() {
    const { first: a, second: b } = chosen;
    const isSameGround = a.crs === b.crs;
    const effective = isSameGround ? chosen.mode : "side";
    const middle = (frame) => ({ x: frame.left + frame.width / 2, y: frame.top - frame.height / 2 });
    const frame = frameOf(a);
    const anchorA = middle(frame);
    const anchorB = isSameGround ? anchorA : middle(frameOf(b));
    const keys = "Arrow keys move both, plus and minus zoom, 0 shows everything.";
    blink.stop();
    panes = effective === "side"
      ? [pane([[a, "First", anchorA]], `First look, ${a.day}. ${keys}`), pane([[b, "Second", anchorB]], `Second look, ${b.day}. ${keys}`)]
      : [pane([[a, "First", anchorA], [b, "Second", anchorB]], `Looks of ${a.day} and ${b.day}. ${keys}`)];
    const held = view ? view.hold() : null;
    view = groundView(frame, Math.min(a.scale, b.scale), (at, size) => {
      for (const each of panes) {
        each.layers.forEach((item) => item.place(at, size));
        each.marks.place(at, size);
      }
      const fitted = view === null || view.isFitted();
      stage.classList.toggle("zoomed", !fitted);
      zoomOut.disabled = fitted;
      zoomIn.disabled = view !== null && view.most();
    });
    for (const each of panes) {
      each.element.style.aspectRatio = `${a.width} / ${a.height}`;
      followPointers(each.element, view, { onDrag: effective === "swipe" ? handle.follow : null });
    }
    stage.dataset.mode = effective;
    stage.replaceChildren(...panes.map((each) => each.element));
    if (effective === "swipe") panes[0].element.append(handle.element);
    measure();
    if (held) view.take(held);
    dress(effective);
  }

  function dress(effective) {
    const { first: a, second: b } = chosen;
    for (const each of modes) each.setAttribute("aria-pressed", String(each.dataset.mode === effective));
    for (const each of modes) each.disabled = a.crs !== b.crs && each.dataset.mode !== "side";
    zoomChange.hidden = !shownRings(a).length;
    fadeRow.hidden = effective !== "fade";
    blink.element.hidden = effective !== "blink";
    [fadeRow.firstChild.textContent, fadeRow.lastChild.textContent] = [a.day, b.day];
    pickFirst.show(a);
    pickSecond.show(b);
    captions.replaceChildren(lookCaption(a, "First"), lookCaption(b, "Second"));
    const told = stretchWords(pictures, a, b);
    const apart = a.crs === b.crs ? "" : " They lie on maps of two zones, so they are only shown side by side.";
    stretch.textContent = told.text + apart;
    stretch.classList.toggle("warned", !told.same || Boolean(apart));
    reading.textContent = [...new Set([a.reading, b.reading])].filter(Boolean).concat(VEIL_WORDS).join(" ");
    if (effective === "swipe") handle.name(a.day, b.day);
    if (effective === "fade") applyFade();
    if (effective === "blink") blink.show(false);
  }

  function applyFade() {
    if (chosen.mode !== "fade" || panes.length !== 1) return;
    panes[0].layers[0].element.style.opacity = String(1 - Number(fade.value) / 100);
    fade.setAttribute("aria-valuetext", `${100 - Number(fade.value)} % of ${chosen.first.day}, ${fade.value} % of ${chosen.second.day}`);
  }
  fade.addEventListener("input", applyFade);

  function show(change) {
    Object.assign(chosen, change);
    lay();
  }
  function choose(change) {
    show(change);
    onChange({ first: chosen.first, second: chosen.second, mode: chosen.mode });
  }

  function measure() {
    const { width, height } = panes[0].element.getBoundingClientRect();
    if (width > 0 && height > 0) view.resize({ width, height });
  }
  new ResizeObserver(measure).observe(stage);

  const kinds = new Set(pictures.map((picture) => picture.simulated));
  const truth = kinds.size > 1 ? "Some of these pictures are simulated, and marked so." : kinds.has(true) ? "All pictures are simulated: no satellite took them." : "Real images.";
  box.append(
    el("p", { class: "compare-place" }, words(album.place), ". ", el("span", { class: "fine" }, truth)),
    el("div", { class: "compare-row" }, pickFirst.element, swap, pickSecond.element),
    el("div", { class: "compare-row", role: "group", "aria-label": "How to compare" }, ...modes),
    fadeRow, blink.element, stage,
    el("div", { class: "compare-row" }, el("div", { class: "zoom-row", role: "group", "aria-label": "Zoom" }, zoomIn, zoomOut, zoomFit, zoomChange, zoomPixels), outlines),
    captions, stretch, reading,
    el("p", { class: "fine" }, `${plural(pictures.length, "picture")} here of ${plural(album.clear, "clear look")}.`), said);
  lay();
  return Object.assign(box, { compare: { choose, show, chosen, stop: blink.stop } });
}

const SAME_SEASON_DAYS = 45;

function seasonDistance(a, b) {
  const days = Math.abs((Date.parse(`2000${a.day.slice(4)}`) - Date.parse(`2000${b.day.slice(4)}`)) / 86_400_000);
  return Math.min(days, 366 - days);
}

/** The pair of the latest detection that has one, else the latest look and the first of its series and season. */
function firstPair(album, detections) {
  const known = detections.filter(({ id }) => album.pairs[id]);
  const pair = known.length ? album.pairs[known.at(-1).id] : null;
  if (pair) return pair.map((position) => album.pictures[position]);
  const last = album.pictures[album.latest ?? album.pictures.length - 1];
  const alike = album.pictures.filter((each) => each !== last && isOneStretch(each, last));
  const seasonal = alike.filter((each) => seasonDistance(each, last) <= SAME_SEASON_DAYS);
  return [seasonal[0] || alike[0] || album.pictures.find((each) => each !== last), last];
}

function outlineControl(album, detections, value, onChange) {
  const named = Object.keys(album.outlines).filter((id) => album.outlines[id].length);
  if (!named.length) return el("span", { class: "fine" }, "No detection is outlined here.");
  const about = new Map(detections.map(({ id, words: text }) => [id, text]));
  const tick = el("input", { type: "checkbox", checked: value !== "none" });
  const which = el("select", { "aria-label": "Which change is outlined" }, el("option", { value: "all" }, `all ${plural(named.length, "change")}`),
    ...named.map((id) => el("option", { value: id, selected: id === value }, about.get(id) || id)));
  which.hidden = named.length < 2;
  const tell = () => {
    which.disabled = !tick.checked;
    onChange(tick.checked ? which.value : "none");
  };
  tick.addEventListener("change", tell);
  which.addEventListener("change", tell);
  return el("div", { class: "outline-row" }, el("label", { class: "toggle" }, tick, " Outlines on the pictures"), which);
}
