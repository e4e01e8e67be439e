// Rates with exact intervals: F. Garwood, Biometrika 28, 1936, 437-442.

const TAIL = 0.025; // on each side: 95 %

/** Stirling's series with the recurrence below 12 (Abramowitz and Stegun, 6.1.41). */
function logGamma(x) {
  let [shift, z] = [0, x];
  while (z < 12) {
    shift += Math.log(z);
    z += 1;
  }
  const inverse = 1 / z;
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)));
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

/** P(N <= count) of a Poisson count with this mean: terms downwards from the largest that matters. */
function poissonAtMost(count, mean) {
  if (count < 0) return 0;
  if (mean <= 0) return 1;
  if (mean > count + 1 || count < 2 * mean + 40) {
    const from = Math.min(count, Math.floor(mean));
    let [sum, term] = [0, Math.exp(from * Math.log(mean) - mean - logGamma(from + 1))];
    const peak = term;
    for (let k = from; k >= 0 && term > 0; k -= 1) {
      sum += term;
      if (term < sum * 1e-18) break;
      term *= k / mean;
    }
    term = peak;
    for (let k = from + 1; k <= count; k += 1) {
      term *= mean / k;
      sum += term;
      if (term < sum * 1e-18) break;
    }
    return Math.min(1, sum);
  }
  return 1;
}

function meanWhere(isAbove, events) {
  let [low, high] = [0, events + 10 + 10 * Math.sqrt(events + 1)];
  for (let k = 0; k < 80 && high - low > 1e-12 * high; k += 1) {
    const middle = (low + high) / 2;
    if (isAbove(middle)) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

/** The central 95 % interval of a Poisson mean after `events` events. */
function garwood(events) {
  const low = events ? meanWhere((mean) => 1 - poissonAtMost(events - 1, mean) > TAIL, events) : 0;
  return [low, meanWhere((mean) => poissonAtMost(events, mean) < TAIL, events)];
}

/** Events in an exposure: { estimate, low, high } a unit of it; null without exposure. */
function rateOf(events, exposure) {
  if (!(exposure > 0)) return null;
  const [low, high] = garwood(events);
  return { estimate: events / exposure, low: low / exposure, high: high / exposure };
}
