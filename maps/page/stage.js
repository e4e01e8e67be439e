// The ground under two pictures: one view for both, in metres, so that they always show the same place at the same zoom.

const PIXEL_LEVEL = 32; // a pixel of the finest picture is never drawn larger than this, in pixels of the screen
const GROUND_STEP = 1.5;

function frameOf(picture) {
  const [left, top] = picture.corner;
  return { left, top, width: picture.width * picture.scale, height: picture.height * picture.scale };
}

/** One picture in a pane: pixels, hatched cloud, outlines; `place(view, size)` puts it where it belongs. */
function groundLayer(picture, anchor, rings, alt) {
  const image = pixelImage(picture, alt);
  const veil = picture.veil ? el("canvas", { class: "veil", "aria-hidden": "true" }) : null;
  const group = svg("g", {});
  for (const ring of rings) {
    const points = ring.map(([x, y]) => `${(x - anchor.x).toFixed(2)},${(anchor.y - y).toFixed(2)}`).join(" ");
    group.append(svg("polygon", { points, class: "halo" }), svg("polygon", { points, class: "line" }));
  }
  const lines = svg("svg", { class: "outlines", "aria-hidden": "true" }, group);
  const frame = frameOf(picture);
  const element = el("div", { class: "ground-layer" }, image, veil, lines);
  function place(view, { width, height }) {
    const at = (x, y) => [width / 2 + (x - anchor.x - view.x) * view.scale, height / 2 + (anchor.y - y - view.y) * view.scale];
    const [x, y] = at(frame.left, frame.top);
    const [wide, high] = [frame.width * view.scale, frame.height * view.scale];
    Object.assign(image.style, { left: `${x}px`, top: `${y}px`, width: `${wide}px`, height: `${high}px` });
    group.setAttribute("transform", `translate(${width / 2 - view.x * view.scale} ${height / 2 - view.y * view.scale}) scale(${view.scale})`);
    if (!veil) return;
    const dense = Math.min(window.devicePixelRatio || 1, 2);
    [veil.width, veil.height] = [Math.round(width * dense), Math.round(height * dense)];
    drawVeil(veil, picture, [x * dense, y * dense, wide * dense, high * dense]);
  }
  return { element, place };
}

/** North arrow and scale bar of a pane, in pixels of the screen. */
function groundMarks() {
  const bar = el("div", { class: "ground-bar" });
  const label = el("span", { class: "ground-length" });
  const north = svg("svg", { class: "ground-north", viewBox: "0 0 20 34", "aria-hidden": "true" },
    svg("path", { d: "M10 1l7 18-7-5-7 5z" }), svg("text", { x: 10, y: 32, "text-anchor": "middle" }, "N"));
  const element = el("div", { class: "ground-marks" }, north, el("div", { class: "ground-scale" }, label, bar));
  function place(view, { width }) {
    const length = scaleLength(width / view.scale);
    bar.style.width = `${length * view.scale}px`;
    label.textContent = length >= 1000 ? `${length / 1000} km` : `${length} m`;
  }
  return { element, place };
}

/** Zoom and pan of any number of panes; `onMove(view)` follows. Every pane gets the pointer and the keyboard. */
function groundView(frame, finest, redraw) {
  const view = { x: 0, y: 0, scale: 0 };
  let size = { width: 1, height: 1 };
  const fit = () => Math.min(size.width / frame.width, size.height / frame.height);
  const isFitted = () => view.scale <= fit() * 1.001;
  const most = () => Math.max(PIXEL_LEVEL / finest, fit());

  function settle() {
    view.scale = Math.min(Math.max(view.scale, fit()), most());
    for (const [axis, side] of [["x", "width"], ["y", "height"]]) {
      const room = Math.max(0, (frame[side] - size[side] / view.scale) / 2);
      view[axis] = Math.min(Math.max(view[axis], -room), room);
    }
    redraw(view, size);
  }
  /** Zoom so that what lies under a point of the pane, from its middle, stays there. */
  function zoom(factor, [px, py] = [0, 0]) {
    const before = view.scale;
    view.scale = Math.min(Math.max(before * factor, fit()), most());
    view.x += px / before - px / view.scale;
    view.y += py / before - py / view.scale;
    settle();
  }
  /** Zoom to a part of the ground, metres from the anchor with y down, with three times as much around it. */
  function goTo([left, top, right, bottom]) {
    Object.assign(view, { x: (left + right) / 2, y: (top + bottom) / 2 });
    view.scale = Math.min(size.width / (4 * (right - left)), size.height / (4 * (bottom - top)), 8 / finest);
    settle();
  }
  function pan(dx, dy) {
    view.x -= dx / view.scale;
    view.y -= dy / view.scale;
    settle();
  }
  function reset() {
    Object.assign(view, { x: 0, y: 0, scale: 0 });
    settle();
  }
  function resize(given) {
    const was = isFitted();
    size = given;
    if (was) view.scale = 0;
    settle();
  }
  const hold = () => ({ ...view, fitted: isFitted() });
  function take({ fitted, ...was }) {
    if (fitted) return;
    Object.assign(view, was);
    settle();
  }
  return { zoom, pan, goTo, hold, take, reset, resize, settle, isFitted, pixelLevel: () => zoom(most() / view.scale), most: () => view.scale >= most() * 0.999 };
}

/** Let pointers and keys move a view; `onDrag(event)` may take a drag that starts while everything is in view. */
function followPointers(pane, view, { onDrag = null } = {}) {
  const held = new Map();
  let dragging = false;
  const middle = (points) => [points.reduce((sum, p) => sum + p[0], 0) / points.length, points.reduce((sum, p) => sum + p[1], 0) / points.length];
  const spread = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]);
  const fromMiddle = ([x, y]) => {
    const box = pane.getBoundingClientRect();
    return [x - box.left - box.width / 2, y - box.top - box.height / 2];
  };
  pane.addEventListener("pointerdown", (event) => {
    if (event.button > 0 || event.target.closest(".swipe-handle")) return;
    held.set(event.pointerId, [event.clientX, event.clientY]);
    pane.setPointerCapture(event.pointerId);
    dragging = held.size === 1 && Boolean(onDrag) && view.isFitted();
    if (dragging) onDrag(event);
  });
  pane.addEventListener("pointermove", (event) => {
    if (!held.has(event.pointerId)) return;
    if (dragging) {
      onDrag(event);
      return;
    }
    const before = [...held.values()];
    held.set(event.pointerId, [event.clientX, event.clientY]);
    const after = [...held.values()];
    const [from, to] = [middle(before), middle(after)];
    if (before.length === 2 && spread(before) > 0) view.zoom(spread(after) / spread(before), fromMiddle(to));
    view.pan(to[0] - from[0], to[1] - from[1]);
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    pane.addEventListener(kind, (event) => {
      held.delete(event.pointerId);
      dragging = false;
    });
  }
  pane.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== pane) return; // else the page could not be scrolled past it
    event.preventDefault();
    view.zoom(event.deltaY < 0 ? GROUND_STEP : 1 / GROUND_STEP, fromMiddle([event.clientX, event.clientY]));
  }, { passive: false });
  pane.addEventListener("dblclick", (event) => view.zoom(GROUND_STEP * GROUND_STEP, fromMiddle([event.clientX, event.clientY])));
  const moves = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };
  pane.addEventListener("keydown", (event) => {
    if (event.target !== pane || event.altKey || event.ctrlKey || event.metaKey) return;
    if (moves[event.key]) view.pan(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") view.zoom(GROUND_STEP);
    else if (event.key === "-") view.zoom(1 / GROUND_STEP);
    else if (event.key === "0") view.reset();
    else return;
    event.preventDefault();
  });
}
