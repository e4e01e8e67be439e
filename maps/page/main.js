// Puts the parts together when the map is there.

function fillHeader(data) {
  document.getElementById("statement").append(words(data.statement));
  document.getElementById("made").textContent = `Made ${data.made}`;
  const sum = (column) => data.columns[column].reduce((total, count) => total + count, 0);
  const looked = data.columns.looked.filter(Boolean).length;
  const rows = [
    [data.sites.length, "sites"],
    [sum("notes"), "notes"],
    [looked, "looked at"],
    [data.sites.length - looked, "never looked at"],
    [sum("looked"), "looks"],
    [data.counts.Unchanged + data.counts.Changed, "looks judged"],
    [sum("changes"), "changes detected"],
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

function fillFiles(data) {
  const files = filesList(data);
  if (files) document.getElementById("reading").append(files);
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

/** The chosen site: its panel, its ground on the map, its row. `pick(site)` chooses, `open(site)` also goes there. */
function startSelection(map, data) {
  const panel = document.getElementById("panel");
  const ground = L.layerGroup().addTo(map);
  let chosen = null;
  let turn = 0;

  const mark = () => {
    for (const row of document.querySelectorAll("tr[data-site]")) {
      row.classList.toggle("chosen", Boolean(chosen) && row.dataset.site === chosen.id);
    }
  };
  const close = () => state.set({ site: "" });
  const actions = (site) => {
    const shut = button("", { class: "close", "aria-label": "Close", title: "Close (Escape)" }, close);
    shut.append(el("span", { "aria-hidden": "true" }, "×"));
    if (!site.point) return [shut];
    const zoom = button("Zoom in", { class: "plain", title: "Zoom to the ground that is watched" }, async () => {
      const outline = groundOf(await data.detailsOf(site));
      map.closePopup();
      if (outline.getLayers().length) map.fitBounds(outline.getBounds(), { padding: [40, 40], maxZoom: 16 });
      else map.setView([site.point[1], site.point[0]], 14);
    });
    return [zoom, shut];
  };
  const read = () => {
    panel.scrollIntoView({ block: "start" });
    panel.focus({ preventScroll: true });
  };
  const goThere = (site) => {
    if (site.point) map.setView([site.point[1], site.point[0]], Math.max(map.getZoom(), CLOSE_ZOOM), { animate: false });
  };
  const fill = async (site) => {
    turn += 1;
    const mine = turn;
    const head = panelHead(data, site, actions(site));
    panel.replaceChildren(...head, el("p", { class: "waiting" }, "Opening its notes and looks ..."));
    panel.setAttribute("aria-busy", "true");
    let parts;
    try {
      const full = await data.detailsOf(site, { pictures: true });
      if (mine !== turn) return; // another site was chosen meanwhile
      if (site.point) ground.addLayer(groundOf(full));
      parts = panelParts(data, full);
    } catch (error) {
      parts = [el("p", { class: "notice", role: "alert" }, `Its notes and looks can't be opened: ${error.message}`)];
    }
    if (mine !== turn) return;
    panel.replaceChildren(...head, ...parts);
    panel.removeAttribute("aria-busy");
    panel.dataset.site = site.id;
  };
  const show = (site) => {
    chosen = site;
    panel.scrollTop = 0;
    delete panel.dataset.site;
    ground.clearLayers();
    fill(site);
    if (site.point) showPopup(map, data, site, read);
    mark();
  };
  const clear = () => {
    chosen = null;
    turn += 1;
    map.closePopup();
    ground.clearLayers();
    panel.replaceChildren(...emptyPanel(data));
    panel.removeAttribute("aria-busy");
    delete panel.dataset.site;
    mark();
  };
  state.on("site", ({ site: id }, changed, cause) => {
    const site = data.siteOf(id);
    if (!site) {
      clear();
      return;
    }
    if (cause !== "page") goThere(site);
    show(site);
    if (cause === "address") read();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && chosen) close();
  });
  panel.replaceChildren(...emptyPanel(data));
  const pick = (site) => {
    if (chosen === site) show(site);
    state.set({ site: site.id });
  };
  const open = (site) => {
    goThere(site);
    pick(site);
    read();
  };
  return { pick, open, mark };
}

async function startPage(map) {
  const data = await openData();
  fillHeader(data);
  fillReading(data);
  fillFiles(data);
  map.getContainer().setAttribute("role", "application");
  map.getContainer().setAttribute("aria-label", "Map; the same sites stand in the list below");
  const regions = regionsOf(data.sites);
  if (regions.length) goTo(map, regions[0][1]);
  fillRegions(map, regions);
  layPanes(map);
  layGraticule(map);
  const selection = startSelection(map, data);
  const showMarkers = layMarkers(map, data, selection.pick);
  startFilters(data);
  state.onSites(showMarkers);
  startTable(data, { onPick: selection.open, mark: selection.mark });
  for (const part of PARTS) await part.prepare?.({ data });
  state.start(data);
  for (const part of PARTS) await part.start({ data, state, map, pick: selection.pick, open: selection.open });
  await layLand(map);
  offerTiles(map, data.tiles);
}

function start(map) {
  startPage(map).then(() => {
    document.documentElement.dataset.ready = "true";
  }, (error) => {
    console.error(error);
    const known = typeof DecompressionStream === "function" ? error.message : "the browser is too old to open compressed data (DecompressionStream)";
    document.querySelector("main").prepend(el("p", { class: "notice", role: "alert" }, `This page could not be drawn: ${known}.`));
  });
}
