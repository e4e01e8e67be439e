// Land, borders and a graticule from the page itself; no tiles are asked for.

const STEPS = [30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005];
const PROVINCE_ZOOM = 7;

function textIcon(text, className) {
  return new ElementIcon({ iconSize: [0, 0], className: "label-box", build: () => el("div", {}, el("span", { class: className }, text)) });
}

function textMarker(point, text, className) {
  return L.marker(point, { icon: textIcon(text, className), interactive: false, keyboard: false, pane: "labels" });
}

function layPanes(map) {
  map.createPane("basemap").style.zIndex = 150;
  map.createPane("labels").style.zIndex = 450;
  map.getPane("labels").style.pointerEvents = "none";
}

async function layLand(map) {
  L.control.scale({ imperial: false }).addTo(map);
  const { world, korea, provinces } = await openBlock("sitewatch-basemap");
  const renderer = L.canvas({ pane: "basemap", padding: 0.4 });
  const common = { pane: "basemap", renderer, interactive: false };
  const land = { color: "#a9b0a6", weight: 0.8, fillColor: "#f3f1ea", fillOpacity: 1 };
  L.geoJSON(world, { ...common, style: land }).addTo(map);
  L.geoJSON(korea, { ...common, style: ({ properties }) => ({ ...land, color: "#7d857b", weight: 1.1,
    fillColor: properties.name === "North Korea" ? "#fdfcf8" : "#f3f1ea" }) }).addTo(map);
  L.geoJSON(provinces, { ...common, style: { color: "#a3a89c", weight: 0.8, dashArray: "4 3", fill: false } }).addTo(map);
  layLabels(map, korea, provinces);
}

function layLabels(map, korea, provinces) {
  const countries = L.layerGroup(korea.features.filter((item) => item.properties.label).map(({ properties: { name, label } }) =>
    textMarker([label[1], label[0]], name, "country-label")));
  const units = L.layerGroup(provinces.features.map(({ properties: { name, name_ko: korean, label } }) =>
    textMarker([label[1], label[0]], `${name} ${korean}`, "province-label")));
  const show = () => {
    const near = map.getZoom() >= PROVINCE_ZOOM;
    const far = map.getZoom() >= 4 && !near;
    for (const [group, wanted] of [[units, near], [countries, far]]) {
      if (wanted !== map.hasLayer(group)) (wanted ? map.addLayer(group) : map.removeLayer(group));
    }
  };
  map.on("zoomend", show);
  show();
}

/** Lines of longitude and latitude with their degrees: the only landmarks far from Korea. */
function layGraticule(map) {
  const group = L.layerGroup().addTo(map);
  const renderer = L.canvas({ pane: "basemap", padding: 0.1 });
  const style = { pane: "basemap", renderer, interactive: false, color: "#8fa3ad", weight: 0.5, opacity: 0.7 };
  const draw = () => {
    group.clearLayers();
    const view = map.getBounds();
    const [west, east, south, north] = [view.getWest(), view.getEast(), view.getSouth(), view.getNorth()];
    const step = STEPS.findLast((item) => (east - west) / item <= 7) || STEPS[0];
    const digits = Math.max(0, Math.ceil(-Math.log10(step)));
    const mark = (value, positive, negative) => {
      const rounded = Math.abs(value).toFixed(digits);
      return `${rounded}°${Number(rounded) === 0 ? "" : value > 0 ? positive : negative}`;
    };
    for (let k = Math.ceil(west / step); k * step < east; k += 1) {
      group.addLayer(L.polyline([[south, k * step], [north, k * step]], style));
      group.addLayer(textMarker([south, k * step], mark(wrapped(k * step), "E", "W"), "degree degree-lon"));
    }
    for (let k = Math.ceil(Math.max(south, -85) / step); k * step < Math.min(north, 85); k += 1) {
      group.addLayer(L.polyline([[k * step, west], [k * step, east]], style));
      group.addLayer(textMarker([k * step, east], mark(k * step, "N", "S"), "degree degree-lat"));
    }
  };
  map.on("moveend resize", draw);
  draw();
}

function wrapped(lon) {
  return ((((lon + 180) % 360) + 360) % 360) - 180;
}
