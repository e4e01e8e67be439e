// Steps along time, and steps that go on by themselves until somebody stops them.

const STEP_MONTHS = { month: 1, "3 months": 3, year: 12 };
const SPEEDS = { slow: 1600, normal: 800, fast: 300 }; // milliseconds a step
const FIRST_WINDOW = 12; // months of the window that plays where nobody chose a span

/** Buttons to step and play; nothing moves before it is asked to, whatever the reader's motion settings. */
function playControls(state) {
  const choice = (label, values, chosen) => {
    const select = el("select", { "aria-label": label }, ...Object.keys(values).map((name) => el("option", { value: name, selected: name === chosen }, name)));
    return { select, value: () => values[select.value] };
  };
  const step = choice("Step by", STEP_MONTHS, "month");
  const speed = choice("Speed", SPEEDS, matchMedia("(prefers-reduced-motion: reduce)").matches ? "slow" : "normal");
  const way = choice("How to play", { "moving window": "move", "growing span": "grow" }, "moving window");
  let timer = 0;

  const stepBy = (months, replace) => {
    const span = state.get("span");
    const days = span ? spanDays(span) : firstWindow();
    const next = span ? clampSpan(shiftSpan(days, months)) : days;
    state.set({ span: boundedSpan(next) }, { replace });
  };
  const advance = () => {
    const days = state.get("span") ? spanDays(state.get("span")) : firstWindow();
    const started = Boolean(state.get("span"));
    const months = started ? step.value() : 0;
    const next = way.value() === "grow" ? [days[0], shiftSpan(days, months)[1]] : shiftSpan(days, months);
    const over = next[1] >= times.range[1];
    if (over && way.value() === "move") next[0] += times.range[1] - next[1];
    state.set({ span: boundedSpan([next[0], Math.min(next[1], times.range[1])]) }, { replace: true });
    if (over) stop();
    else timer = setTimeout(advance, speed.value());
  };
  const play = button("▶ Play", { class: "time-play", "aria-pressed": "false" }, () => (timer ? stop() : begin()));
  function begin() {
    play.setAttribute("aria-pressed", "true");
    play.textContent = "❚❚ Pause";
    const days = spanDays(state.get("span"));
    if (state.get("span") && days[1] >= times.range[1]) state.set({ span: boundedSpan(rewound(days)) }, { replace: true });
    timer = -1;
    advance();
  }
  function stop() {
    if (timer) clearTimeout(timer);
    timer = 0;
    play.setAttribute("aria-pressed", "false");
    play.textContent = "▶ Play";
  }
  const box = el("div", { class: "time-playing", role: "group", "aria-label": "Step and play" },
    button("◀", { "aria-label": "One step back", title: "One step back" }, () => stepBy(-step.value(), false)),
    button("▶", { "aria-label": "One step on", title: "One step on" }, () => stepBy(step.value(), false)),
    el("label", {}, "by ", step.select), play, way.select, speed.select);
  return { box, stop };
}

function firstWindow() {
  const [low, high] = times.range;
  const start = monthStart(monthOf(low));
  return [start, Math.min(high, shiftMonths(start, FIRST_WINDOW) - 1)];
}

/** A window as long as this one, at the start of everything. */
function rewound([from, to]) {
  const low = times.range[0];
  return from <= low ? firstWindow() : [low, low + to - from];
}

function clampSpan([from, to]) {
  const [low, high] = times.range;
  const by = from < low ? low - from : to > high ? high - to : 0;
  return [Math.max(low, from + by), Math.min(high, to + by)];
}

/** A span of exactly these days: while stepping, an end at the edge of everything is still an end. */
function boundedSpan([from, to]) {
  return [isoDay(from), isoDay(to)];
}
