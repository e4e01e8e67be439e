// Signs of categories: in full colour when the place was looked at, pale when never; a dot marks a change.

function symbol(data, category, { pale = false, size = 24 } = {}) {
  const { colour, path } = data.symbols[category] || data.symbols.other;
  const sign = svg("svg", { viewBox: "-1 -1 26 26", width: size, height: size, "aria-hidden": "true" });
  sign.append(
    svg("path", { d: path, fill: "#fff", stroke: "#fff", "stroke-width": 4.5, "stroke-linejoin": "round" }),
    svg("path", {
      d: path, fill: colour, "fill-opacity": pale ? 0.22 : 1, stroke: pale ? "#4b585e" : "#1d2528",
      "stroke-width": 1.3, "stroke-linejoin": "round",
    }));
  return sign;
}

function isLive(detection) {
  return detection.state !== "retracted";
}

function markerLabel(data, site) {
  const seen = site.looked ? plural(site.looked, "look") : "never looked at";
  const changed = site.changes ? `, ${plural(site.changes, "change")} detected` : "";
  return `${site.title}, ${data.symbols[site.category].label}, ${seen}${changed}`;
}

/** A Leaflet icon built from elements: no string of markup is ever parsed. */
const ElementIcon = L.Icon.extend({
  createIcon() {
    const element = this.options.build();
    this._setIconStyles(element, "icon");
    return element;
  },
  createShadow() {
    return null;
  },
});

function siteIcon(data, site) {
  return new ElementIcon({
    iconSize: [26, 26],
    iconAnchor: [13, 13],
    className: "site-icon",
    build() {
      const label = markerLabel(data, site);
      const box = el("div", { "aria-label": label, title: label, "data-site": site.id });
      box.append(symbol(data, site.category, site.looked ? {} : { pale: true, size: 20 }));
      if (site.changes) box.append(el("span", { class: "change-dot", "aria-hidden": "true" }));
      return box;
    },
  });
}

function clusterIcon(count, changed) {
  const size = count < 10 ? 32 : count < 100 ? 38 : count < 10000 ? 46 : 54;
  return new ElementIcon({
    iconSize: [size, size],
    className: "cluster-icon",
    build() {
      const label = `${plural(count, "site")} here${changed ? `, ${changed.toLocaleString("en")} with changes` : ""}; open to spread them`;
      const box = el("div", { "aria-label": label, title: label }, el("span", {}, count.toLocaleString("en")));
      if (changed) box.append(el("span", { class: "change-dot", "aria-hidden": "true" }));
      return box;
    },
  });
}
