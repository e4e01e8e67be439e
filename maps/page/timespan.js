// The free span of time: two handles, two dates, and what one can do with them by hand and by keys.

const HANDLE_STEPS = { ArrowLeft: ["month", -1], ArrowDown: ["month", -1], ArrowRight: ["month", 1], ArrowUp: ["month", 1], PageUp: ["year", 1], PageDown: ["year", -1] };
const KNOB = 22; // pixels
const DRAG_START = 4; // pixels before a press becomes a drag

/** Span in day numbers, both ends included: an end without limit is the edge of everything dated. */
function spanDays(span) {
  const [low, high] = times.range;
  if (!span) return [low, high];
  const [from, to] = span.map(dayNumber);
  return [from <= CALENDAR[0] ? low : from, to >= CALENDAR[1] ? high : to];
}

/** The value of the state for two days in any order; at the edges of everything there is no limit. */
function spanOf(one, other) {
  const [low, high] = times.range;
  const [from, to] = [Math.round(Math.min(one, other)), Math.round(Math.max(one, other))];
  if (from <= low && to >= high) return null;
  return [from <= low ? isoDay(CALENDAR[0]) : isoDay(from), to >= high ? isoDay(CALENDAR[1]) : isoDay(to)];
}

/** The same stretch some months on; an end of a month stays an end of a month. */
function shiftSpan([from, to], months) {
  return [shiftMonths(from, months), shiftMonths(to + 1, months) - 1];
}

function spanWords(span) {
  if (!span) return "All time";
  const [from, to] = span;
  if (dayNumber(from) <= CALENDAR[0]) return `Until ${to}`;
  return dayNumber(to) >= CALENDAR[1] ? `Since ${from}` : `${from} to ${to}`;
}

/** A handle: which end it is, how it is told, and how keys move it. */
function spanHandle(end, state) {
  const handle = el("div", { class: `time-handle time-handle-${end ? "to" : "from"}`, role: "slider", tabindex: 0, "aria-orientation": "horizontal",
    "aria-label": end ? "Last day of the span" : "First day of the span" }, el("span", { class: "time-knob" }));
  handle.end = end;
  handle.addEventListener("keydown", (event) => {
    const days = spanDays(state.get("span"));
    const wanted = keyedDay(event, days[end]);
    if (wanted === null) return;
    event.preventDefault();
    event.stopPropagation();
    days[end] = Math.min(times.range[1], Math.max(times.range[0], wanted));
    if (days[0] > days[1]) days[1 - end] = days[end];
    state.set({ span: spanOf(...days) }, { replace: true });
  });
  return handle;
}

function keyedDay(event, day) {
  if (event.key === "Home") return times.range[0];
  if (event.key === "End") return times.range[1];
  const step = HANDLE_STEPS[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return null;
  const [unit, way] = step;
  if (event.shiftKey) return day + way;
  return shiftMonths(day, way * (unit === "year" ? 12 : 1));
}

/** Put handles, shades and the grip where the span is. */
function placeSpan(parts, scale, span) {
  const days = spanDays(span);
  const at = (day) => Math.min(scale.width, Math.max(0, scale.x(day)));
  const [left, right] = [at(days[0]), at(days[1] + 1)];
  parts.handles.forEach((handle, end) => {
    handle.style.left = `${[left, right][end]}px`;
    handle.classList.toggle("at-edge", end ? right > scale.width - KNOB : left < KNOB);
    handle.setAttribute("aria-valuemin", times.range[0]);
    handle.setAttribute("aria-valuemax", times.range[1]);
    handle.setAttribute("aria-valuenow", days[end]);
    const open = !span || (end ? dayNumber(span[1]) >= CALENDAR[1] : dayNumber(span[0]) <= CALENDAR[0]);
    handle.setAttribute("aria-valuetext", open ? `no limit (${isoDay(days[end])})` : isoDay(days[end]));
  });
  parts.shades[0].style.width = `${left}px`;
  parts.shades[1].style.width = `${scale.width - right}px`;
  parts.grip.style.left = `${left}px`;
  parts.grip.style.width = `${Math.max(0, right - left)}px`;
}

/** Drag handles, the whole span, a new span, or the stretch that is shown; `time` gives scale and window. */
function startDrags(plot, parts, time, state) {
  let drag = null;
  const dayAt = (event) => time.scale.day(event.clientX - plot.getBoundingClientRect().left);
  const kinds = {
    handle: (day) => {
      drag.days[drag.end] = day - drag.end;
      return drag.days;
    },
    grip: (day) => drag.days.map((each) => each + Math.min(Math.max(day - drag.day, times.range[0] - drag.days[0]), times.range[1] - drag.days[1])),
    brush: (day) => [drag.day, day],
  };
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("button, a, input")) return;
    const handle = event.target.closest(".time-handle");
    const kind = handle ? "handle" : event.target.closest(".time-grip") ? "grip" : event.target.closest(".time-axis") ? "pan" : "brush";
    drag = { kind, end: handle?.end, day: dayAt(event), days: spanDays(state.get("span")), x: event.clientX, window: time.window, moved: false };
  });
  plot.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.moved && Math.abs(event.clientX - drag.x) < DRAG_START) return;
    if (!drag.moved) plot.setPointerCapture(event.pointerId);
    const first = !drag.moved;
    drag.moved = true;
    if (drag.kind === "pan") time.show(moved(drag.window, (drag.x - event.clientX) / time.scale.perDay, time.limits));
    else state.set({ span: spanOf(...kinds[drag.kind](dayAt(event)).map(Math.floor)) }, { replace: !first });
  });
  const stop = () => {
    plot.classList.toggle("dragged", Boolean(drag?.moved));
    drag = null;
  };
  plot.addEventListener("pointerup", stop);
  plot.addEventListener("pointercancel", stop);
  plot.addEventListener("click", (event) => {
    if (!plot.classList.contains("dragged")) return;
    plot.classList.remove("dragged");
    event.stopPropagation(); // a drag that ends over a sign is no click on it
    event.preventDefault();
  }, true);
}

/** Two dates and the presets. */
function spanFields(state) {
  const field = (label) => el("input", { type: "date", "aria-label": label, min: isoDay(CALENDAR[0]), max: isoDay(CALENDAR[1]) });
  const inputs = [field("From day"), field("To day")];
  const take = () => {
    if (!inputs.every((input) => input.validity.valid)) return;
    const [from, to] = inputs.map(({ value }) => dayNumber(value));
    const [low, high] = times.range;
    state.set({ span: spanOf(Number.isNaN(from) ? low : from, Number.isNaN(to) ? high : to) });
  };
  inputs.forEach((input) => input.addEventListener("change", take));
  const preset = (label, span) => button(label, {}, () => state.set({ span: span() }));
  const back = (months) => () => [isoDay(shiftMonths(times.today, -months) + 1), isoDay(times.today)];
  const box = el("div", { class: "time-fields", role: "group", "aria-label": "Span of time" },
    el("label", {}, "From ", inputs[0]), el("label", {}, "to ", inputs[1]),
    preset("Last year", back(12)), preset("Last 5 years", back(60)), preset("All time", () => null));
  const show = (span) => inputs.forEach((input, end) => {
    const day = span && dayNumber(span[end]);
    const value = span && day > CALENDAR[0] && day < CALENDAR[1] ? span[end] : "";
    if (input.value !== value && document.activeElement !== input) input.value = value;
  });
  return { box, show };
}
