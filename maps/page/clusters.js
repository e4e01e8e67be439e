// Signs on the map: sites near one another stand as one sign. Only signs in view are elements of the page.

const CLUSTER_RADIUS = 36;
const VIEW_MARGIN = 0.2;
const LIST_MOST = 200;
const WORLD = 256;

/** Web Mercator (EPSG:3857) of the sites as pixels of zoom 0; unplaced sites have none. */
function mercator(sites) {
  const [x, y] = [new Float64Array(sites.length), new Float64Array(sites.length)];
  for (const site of sites) {
    const point = site.point;
    if (!point) {
      x[site.i] = NaN;
      continue;
    }
    const sine = Math.sin((Math.max(-85.0511287798, Math.min(85.0511287798, point[1])) * Math.PI) / 180);
    x[site.i] = WORLD * (point[0] / 360 + 0.5);
    y[site.i] = WORLD * (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI));
  }
  return { x, y };
}

/** Points by cell of a grid: `order` holds them cell by cell, `start` where the run of each cell begins. */
function gridOf(points, { x, y }, cell) {
  const keys = new Map();
  const cells = new Int32Array(points.length);
  const counts = [];
  for (let k = 0; k < points.length; k += 1) {
    const key = Math.floor(x[points[k]] / cell) * 67108864 + Math.floor(y[points[k]] / cell);
    let at = keys.get(key);
    if (at === undefined) {
      at = counts.length;
      keys.set(key, at);
      counts.push(0);
    }
    cells[k] = at;
    counts[at] += 1;
  }
  const start = running(counts);
  const next = start.slice();
  const order = new Int32Array(points.length);
  for (let k = 0; k < points.length; k += 1) {
    order[next[cells[k]]] = points[k];
    next[cells[k]] += 1;
  }
  return { keys, start, end: next, order };
}

/**
 * Greedy clusters: in the order of the sites, each that is still free takes all free ones within `radius`.
 * The same sites give the same clusters wherever the map stands. Returns arrays by cluster: x and y (mean of
 * the members), `start` into `members`.
 */
function clustersOf(points, at, radius) {
  const { x, y } = at;
  const { keys, start, end, order } = gridOf(points, at, radius);
  const taken = new Uint8Array(x.length);
  const members = new Int32Array(points.length);
  const [meanX, meanY, starts] = [[], [], []];
  const limit = radius * radius;
  let filled = 0;
  for (const seed of points) {
    if (taken[seed]) continue;
    const [seedX, seedY, first] = [x[seed], y[seed], filled];
    let [sumX, sumY] = [0, 0];
    const [column, row] = [Math.floor(seedX / radius), Math.floor(seedY / radius)];
    for (let c = column - 1; c <= column + 1; c += 1) {
      for (let r = row - 1; r <= row + 1; r += 1) {
        const cell = keys.get(c * 67108864 + r);
        if (cell === undefined) continue;
        let kept = start[cell];
        for (let k = start[cell]; k < end[cell]; k += 1) {
          const point = order[k];
          const [dx, dy] = [x[point] - seedX, y[point] - seedY];
          if (dx * dx + dy * dy > limit) {
            order[kept] = point; // free ones move to the front, so that nobody looks at the taken again
            kept += 1;
            continue;
          }
          taken[point] = 1;
          members[filled] = point;
          filled += 1;
          sumX += x[point];
          sumY += y[point];
        }
        end[cell] = kept;
      }
    }
    starts.push(first);
    meanX.push(sumX / (filled - first));
    meanY.push(sumY / (filled - first));
  }
  starts.push(filled);
  return { x: Float64Array.from(meanX), y: Float64Array.from(meanY), start: Int32Array.from(starts), members };
}

/** The signs of the sites that are left; `onPick(site)` when one is chosen. */
function layMarkers(map, data, onPick) {
  const at = mercator(data.sites);
  let placed = new Int32Array(0);
  let byZoom = new Map();
  let shown = new Map();
  let focusNext = false;

  const clusters = () => {
    const zoom = map.getZoom();
    if (!byZoom.has(zoom)) byZoom.set(zoom, clustersOf(placed, at, CLUSTER_RADIUS / 2 ** zoom));
    return byZoom.get(zoom);
  };
  const place = (x, y) => map.options.crs.pointToLatLng(L.point(x, y), 0);

  function siteSign(site) {
    const marker = L.marker([site.point[1], site.point[0]], { icon: siteIcon(data, site) });
    marker.on("click", () => onPick(site));
    marker.on("keypress", ({ originalEvent }) => {
      if (originalEvent.key === "Enter") onPick(site);
    });
    return marker;
  }

  function clusterSign(found, k) {
    const members = found.members.subarray(found.start[k], found.start[k + 1]);
    let changed = 0;
    for (const i of members) changed += data.columns.changes[i] > 0;
    const marker = L.marker(place(found.x[k], found.y[k]), { icon: clusterIcon(members.length, changed) });
    marker.on("click", () => openCluster(members, marker.getLatLng(), false));
    marker.on("keypress", ({ originalEvent }) => {
      if (originalEvent.key === "Enter") openCluster(members, marker.getLatLng(), true);
    });
    return marker;
  }

  /** Go nearer where that parts them; else list them. */
  function openCluster(members, latlng, byKey) {
    const bounds = L.latLngBounds([...members].map((i) => [data.sites[i].point[1], data.sites[i].point[0]]));
    const same = bounds.getNorthEast().equals(bounds.getSouthWest(), 1e-7);
    if (same || map.getZoom() >= map.getMaxZoom()) {
      listSites(members, latlng);
      return;
    }
    focusNext = byKey;
    // the plain zoom to the bounds would put signs under the buttons at the edge of the map
    const fit = map.getBoundsZoom(bounds, false, L.point(128, 128));
    if (fit > map.getZoom()) map.fitBounds(bounds, { padding: [64, 64], maxZoom: map.getMaxZoom() });
    else map.setView(bounds.getCenter(), Math.min(map.getZoom() + 1, map.getMaxZoom()));
  }

  function listSites(members, latlng) {
    const sites = [...members].slice(0, LIST_MOST).map((i) => data.sites[i]);
    const more = members.length - sites.length;
    const list = el("ul", { class: "same-place" }, ...sites.map((site) => {
      const choose = button("", { class: "plain" }, () => onPick(site));
      choose.append(symbol(data, site.category, { pale: !site.looked, size: 16 }), words(site.title, site.names[0].tag));
      return el("li", {}, choose);
    }));
    const box = el("div", { class: "popup" }, el("p", { class: "popup-name" }, `${plural(members.length, "site")} at this place`), list,
      more ? el("p", { class: "fine" }, `and ${more.toLocaleString("en")} more: see the list below the map`) : null);
    L.popup({ offset: [0, -8], maxWidth: 280 }).setLatLng(latlng).setContent(box).openOn(map);
    box.querySelector("button").focus();
  }

  function draw() {
    const found = clusters();
    const scale = 2 ** map.getZoom();
    const view = map.getPixelBounds();
    const [padX, padY] = [VIEW_MARGIN * (view.max.x - view.min.x), VIEW_MARGIN * (view.max.y - view.min.y)];
    const [west, east, north, south] = [(view.min.x - padX) / scale, (view.max.x + padX) / scale, (view.min.y - padY) / scale, (view.max.y + padY) / scale];
    const next = new Map();
    for (let k = 0; k < found.x.length; k += 1) {
      if (found.x[k] < west || found.x[k] > east || found.y[k] < north || found.y[k] > south) continue;
      const [first, count] = [found.members[found.start[k]], found.start[k + 1] - found.start[k]];
      const key = count === 1 ? `${first}` : `${first}/${count}/${found.x[k]}/${found.y[k]}`;
      const marker = shown.get(key) || (count === 1 ? siteSign(data.sites[first]) : clusterSign(found, k));
      next.set(key, marker);
    }
    for (const [key, marker] of shown) if (!next.has(key)) marker.remove();
    for (const [key, marker] of next) if (!shown.has(key)) marker.addTo(map);
    shown = next;
    if (focusNext) focusMiddle();
    focusNext = false;
  }

  /** After a cluster was opened by key, the nearest of what came out of it has the focus. */
  function focusMiddle() {
    const middle = map.getCenter();
    const nearest = [...shown.values()].sort((a, b) => middle.distanceTo(a.getLatLng()) - middle.distanceTo(b.getLatLng()))[0];
    if (nearest) nearest.getElement().focus();
  }

  map.on("moveend", draw);
  return (sites) => {
    placed = Int32Array.from(sites.filter((site) => !Number.isNaN(at.x[site.i])), (site) => site.i);
    byZoom = new Map();
    draw();
  };
}
