// Days on a line of pixels, and the marks along it.

const MONTH_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH_STEPS = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000];
const DAY_STEPS = [1, 2, 5, 10];
const MIN_DAYS = 14; // the closest zoom

/** Days from `from` until before `to` on `width` pixels. */
function timeScale(from, to, width) {
  const perDay = width / (to - from);
  return { from, to, width, perDay, x: (day) => (day - from) * perDay, day: (x) => from + x / perDay };
}

/** Marks `[{ day, label, strong }]`, at least `room` pixels apart. */
function timeTicks(scale, room = 64) {
  const days = DAY_STEPS.find((step) => step * scale.perDay >= room);
  return days && 30 * scale.perDay > 4 * room ? dayTicks(scale, days) : monthTicks(scale, room);
}

function monthTicks(scale, room) {
  const step = MONTH_STEPS.find((months) => months * 30.4 * scale.perDay >= room) || MONTH_STEPS.at(-1);
  const ticks = [];
  for (let month = Math.ceil(monthOf(scale.from) / step) * step; monthStart(month) <= scale.to; month += step) {
    const [year, of] = [1970 + Math.floor(month / 12), ((month % 12) + 12) % 12];
    if (monthStart(month) < scale.from) continue;
    ticks.push({ day: monthStart(month), label: of === 0 ? String(year) : MONTH_NAMES[of], strong: of === 0 });
  }
  return ticks;
}

function dayTicks(scale, step) {
  const ticks = [];
  for (let day = Math.ceil(scale.from); day <= scale.to; day += 1) {
    const date = new Date(day * DAY_MS);
    const of = date.getUTCDate();
    if (of !== 1 && (of % step !== 0 || of > 31 - step / 2)) continue;
    const strong = of === 1;
    ticks.push({ day, strong, label: strong ? `${MONTH_NAMES[date.getUTCMonth()]} ${date.getUTCFullYear()}` : String(of) });
  }
  return ticks;
}

/** The window `factor` times as long around a day that stays where it is, inside `[low, high)`. */
function zoomed([from, to], factor, day, [low, high]) {
  const length = Math.min(high - low, Math.max(MIN_DAYS, (to - from) * factor));
  const share = (day - from) / (to - from);
  return moved([day - share * length, day + (1 - share) * length], 0, [low, high]);
}

/** The window some days on, as far as it stays inside `[low, high)`. */
function moved([from, to], days, [low, high]) {
  const length = Math.min(to - from, high - low);
  const start = Math.min(Math.max(from + days, low), high - length);
  return [start, start + length];
}

/** A canvas's context in CSS pixels, sharp on any screen, and empty. */
function freshCanvas(canvas, width, height) {
  const ratio = Math.max(1, window.devicePixelRatio || 1);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
