// The way from the map to a site's own page; a map that stands alone has none.

function dossierLink(data, site, text) {
  if (!data.dossiers) return null;
  return el("a", { href: `sites/${encodeURIComponent(site.id)}.html`, class: "dossier-link" }, text);
}

PANEL.push({
  name: "dossier",
  order: 5,
  make: ({ data, site }) => data.dossiers && el("p", { class: "dossier-line" }, dossierLink(data, site, "Dossier"),
    el("span", { class: "fine" }, " Everything about this site on one page, to print or to keep.")),
});
