// Classes of a choropleth: zero apart, the rest in at most five, each with its bounds.

const CLASS_COLOURS = ["#d0e1f2", "#94c4df", "#4a98c9", "#1764ab", "#08306b"]; // light to dark, also in grey print

/** Colours for so many classes, the darkest always last. */
function classColours(count) {
  const picks = { 1: [3], 2: [1, 4], 3: [0, 2, 4], 4: [0, 1, 3, 4], 5: [0, 1, 2, 3, 4] }[count] || [];
  return picks.map((at) => CLASS_COLOURS[at]);
}

/** Upper bounds of the classes of positive values: as many values in each, or steps of the same height. */
function classBounds(values, method, most = CLASS_COLOURS.length) {
  const sorted = values.filter((value) => value > 0).sort((a, b) => a - b);
  const distinct = [...new Set(sorted)];
  const count = Math.min(most, distinct.length);
  if (!count) return [];
  if (distinct.length === count && method === "quantile") return distinct;
  const high = sorted.at(-1);
  const bounds = Array.from({ length: count }, (_, k) => (method === "equal"
    ? (high * (k + 1)) / count
    : sorted[Math.ceil(((k + 1) * sorted.length) / count) - 1]));
  bounds[count - 1] = high;
  return [...new Set(bounds)];
}

/** Position of the class of a value: -1 for zero, null for no data. */
function classOf(bounds, value) {
  if (value === null || Number.isNaN(value)) return null;
  if (value <= 0) return -1;
  const found = bounds.findIndex((bound) => value <= bound);
  return found === -1 ? bounds.length - 1 : found;
}

/** What stands in the legend: the values that are in a class, so that no number is in two. */
function classWords(bounds, values, write) {
  return bounds.map((bound, k) => {
    const inside = values.filter((value) => value !== null && classOf(bounds, value) === k);
    if (!inside.length) return `none up to ${write(bound)}`;
    const [low, high] = [Math.min(...inside), Math.max(...inside)];
    return low === high ? write(low) : `${write(low)} to ${write(high)}`;
  });
}
