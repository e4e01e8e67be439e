// Around the signs: the popup, the ground of the chosen site, and where the sites are.

const CLOSE_ZOOM = 10;

function popupContent(data, site, onMore) {
  const more = button("Read everything", { class: "plain" }, onMore);
  const judged = site.looked
    ? `${site.judged} of ${plural(site.looked, "look")} could be judged.`
    : "Never looked at: nothing is known about change here.";
  return el("div", { class: "popup" },
    el("p", { class: "popup-name" }, words(site.names[0].text, site.names[0].tag)),
    el("p", {}, data.symbols[site.category].label, site.place ? ", " : "", words(site.place)),
    el("p", {}, judged),
    site.changes ? el("p", { class: "popup-change" }, `${plural(site.changes, "change")} detected`) : null,
    site.noteCount ? el("p", {}, plural(site.noteCount, "note")) : null, more);
}

function showPopup(map, data, site, onMore) {
  const [lon, lat] = site.point;
  return L.popup({ offset: [0, -8], maxWidth: 260, autoPanPaddingTopLeft: [16, 56], autoPanPaddingBottomRight: [16, 16] })
    .setLatLng([lat, lon]).setContent(popupContent(data, site, onMore)).openOn(map);
}

/** What a look judges (blue) and what changed (magenta), for the chosen site. */
function groundOf(site) {
  const parts = [];
  if (site.area.length) parts.push(L.polygon(site.area, { color: "#0b5a6b", weight: 2, fillOpacity: 0.06, interactive: false }));
  for (const detection of site.detections.filter(isLive)) {
    if (detection.rings.length) parts.push(L.polygon(detection.rings, { color: "#c2006f", weight: 2, fillOpacity: 0.25, interactive: false }));
  }
  return L.featureGroup(parts);
}

/** Countries with their sites, most sites first. */
function regionsOf(sites) {
  const groups = new Map();
  for (const site of sites.filter((item) => item.point)) {
    const name = site.country || "Elsewhere";
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push([site.point[1], site.point[0]]);
  }
  return [...groups].sort((a, b) => b[1].length - a[1].length);
}

function goTo(map, points) {
  map.fitBounds(L.latLngBounds(points), { padding: [30, 30], maxZoom: CLOSE_ZOOM, animate: false });
}
