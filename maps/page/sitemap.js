// The map: clustered signs of sites, a popup, and the ground of the chosen one.

const CLOSE_ZOOM = 10;

function layMarkers(map, data, onPick) {
  const cluster = L.markerClusterGroup({
    iconCreateFunction: clusterIcon, maxClusterRadius: 36, showCoverageOnHover: false,
    spiderLegPolylineOptions: { weight: 1.2, color: "#4b5a60", opacity: 0.7 }, zoomToBoundsOnClick: false,
  });
  // the cluster's own zoom would put signs under the buttons at the edge of the map
  cluster.on("clusterclick clusterkeypress", ({ layer, originalEvent }) => {
    if (originalEvent.type === "keypress" && originalEvent.key !== "Enter") return;
    const bounds = layer.getBounds();
    if (!bounds.getNorthEast().equals(bounds.getSouthWest())) map.fitBounds(bounds, { padding: [64, 64], maxZoom: 16 });
  });
  const markers = new Map();
  for (const site of data.sites) {
    if (!site.point) continue;
    const [lon, lat] = site.point;
    const marker = L.marker([lat, lon], { icon: siteIcon(data, site) });
    marker.site = site;
    marker.on("click", () => onPick(site));
    marker.on("keypress", ({ originalEvent }) => {
      if (originalEvent.key === "Enter") onPick(site);
    });
    markers.set(site.id, marker);
  }
  map.addLayer(cluster);
  return (sites) => {
    cluster.clearLayers();
    cluster.addLayers(sites.map((site) => markers.get(site.id)).filter(Boolean));
  };
}

function popupContent(data, site, onMore) {
  const changes = site.detections.filter(isLive).length;
  const more = button("Read everything", { class: "plain" }, onMore);
  return el("div", { class: "popup" },
    el("p", { class: "popup-name" }, words(site.names[0].text, site.names[0].tag)),
    el("p", {}, data.symbols[site.category].label, site.place ? ", " : "", words(site.place)),
    el("p", {}, site.summary[0]),
    changes ? el("p", { class: "popup-change" }, `${plural(changes, "change")} detected`) : null,
    site.notes.length ? el("p", {}, plural(site.notes.length, "note")) : null, more);
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
    const name = (site.facts.find(([label]) => label === "Country") || ["", "Elsewhere"])[1];
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push([site.point[1], site.point[0]]);
  }
  return [...groups].sort((a, b) => b[1].length - a[1].length);
}

function goTo(map, points) {
  map.fitBounds(L.latLngBounds(points), { padding: [30, 30], maxZoom: CLOSE_ZOOM, animate: false });
}
