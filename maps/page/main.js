// Puts the parts together when the map is there.

function fillHeader(data) {
  document.getElementById("statement").append(words(data.statement));
  document.getElementById("made").textContent = `Made ${data.made}`;
  const looked = data.sites.filter((site) => site.looks.length).length;
  const looks = data.sites.reduce((sum, site) => sum + site.looks.length, 0);
  const changes = data.sites.reduce((sum, site) => sum + site.detections.filter(isLive).length, 0);
  const rows = [
    [data.sites.length, "sites"],
    [data.sites.reduce((sum, site) => sum + site.notes.length, 0), "notes"],
    [looked, "looked at"],
    [data.sites.length - looked, "never looked at"],
    [looks, "looks"],
    [data.counts.Unchanged + data.counts.Changed, "looks judged"],
    [changes, "changes detected"],
  ];
  document.getElementById("counts").append(...rows.map(([count, label]) =>
    el("div", {}, el("dt", {}, label), el("dd", {}, count.toLocaleString("en")))));
}

function fillReading(data) {
  const box = document.getElementById("reading");
  box.append(
    el("p", {}, "A look is one day of one sensor over one site. It is judged against the site's own earlier looks. Looks that were obscured, failed, or came before there was history enough say nothing, and are counted apart."),
    el("p", {}, "A detection is a change that two clear looks agree on, or that builds up over several; later looks are asked whether it is still there. Its dates are a bracket: it happened after the last clear look that would have shown it and did not, and no later than the first that did. Notes are by analysts; detections are by machine; the two are never mixed."));
  if (data.thresholds.length) {
    box.append(el("ul", {}, ...data.thresholds.map((text) => el("li", {}, words(text)))));
  }
}

function fillRegions(map, regions) {
  const box = document.getElementById("regions");
  if (regions.length < 2) return;
  box.append(...regions.slice(0, 6).map(([name, points]) => {
    const made = button("", {}, () => goTo(map, points));
    made.append(words(name), el("span", { class: "count" }, points.length.toLocaleString("en")));
    return made;
  }));
  box.append(button("Everything", {}, () => goTo(map, regions.flatMap(([, points]) => points))));
}

/** State of the page: the chosen site, kept in the address so that it can be linked. */
function startSelection(map, data) {
  const panel = document.getElementById("panel");
  const sites = new Map(data.sites.map((site) => [site.id, site]));
  const ground = L.layerGroup().addTo(map);
  let chosen = null;

  const mark = () => {
    for (const row of document.querySelectorAll("tr[data-site]")) {
      row.classList.toggle("chosen", Boolean(chosen) && row.dataset.site === chosen.id);
    }
  };
  const actions = (site) => {
    const close = button("×", { class: "close", "aria-label": "Close", title: "Close (Escape)" }, clear);
    if (!site.point) return [close];
    const zoom = button("Zoom in", { class: "plain", title: "Zoom to the ground that is watched" }, () => {
      const outline = groundOf(site);
      map.closePopup();
      if (outline.getLayers().length) map.fitBounds(outline.getBounds(), { padding: [40, 40], maxZoom: 16 });
      else map.setView([site.point[1], site.point[0]], 14);
    });
    return [zoom, close];
  };
  const read = () => {
    panel.scrollIntoView({ block: "start" });
    panel.focus({ preventScroll: true });
  };
  const show = (site) => {
    chosen = site;
    panel.replaceChildren(...sitePanel(data, site, actions(site)));
    panel.scrollTop = 0;
    panel.dataset.site = site.id;
    ground.clearLayers();
    if (site.point) {
      ground.addLayer(groundOf(site));
      showPopup(map, data, site, read);
    }
    mark();
  };
  function clear() {
    chosen = null;
    map.closePopup();
    ground.clearLayers();
    panel.replaceChildren(...emptyPanel(data));
    delete panel.dataset.site;
    mark();
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  }
  const pick = (site) => {
    show(site);
    const hash = `#${encodeURIComponent(site.id)}`;
    if (location.hash !== hash) history.replaceState(null, "", hash);
  };
  const fromAddress = () => {
    const site = sites.get(decoded(location.hash.slice(1)));
    if (!site) return false;
    if (site.point) map.setView([site.point[1], site.point[0]], Math.max(map.getZoom(), CLOSE_ZOOM), { animate: false });
    show(site);
    return true;
  };
  window.addEventListener("hashchange", () => {
    if (fromAddress()) read();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && chosen) clear();
  });
  panel.replaceChildren(...emptyPanel(data));
  return { pick, mark, fromAddress };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function start(map) {
  const data = readBlock("sitewatch-data");
  fillHeader(data);
  fillReading(data);
  map.getContainer().setAttribute("role", "application");
  map.getContainer().setAttribute("aria-label", "Map; the same sites stand in the list below");
  const regions = regionsOf(data.sites);
  if (regions.length) goTo(map, regions[0][1]);
  layLand(map);
  layGraticule(map);
  fillRegions(map, regions);
  const selection = startSelection(map, data);
  const showMarkers = layMarkers(map, data, selection.pick);
  startFilter(data, (left) => {
    showMarkers(left);
    fillTable(data, left);
    selection.mark();
  });
  selection.fromAddress();
  document.documentElement.dataset.ready = "true";
}
