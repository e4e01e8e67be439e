// Tiles of other hosts, when the page's maker named them and its reader asks for them.

function offerTiles(map, offers) {
  if (!offers.length) return;
  const hosts = [...new Set(offers.map(({ host }) => host))].join(", ");
  document.getElementById("asks").textContent = `This file asks ${hosts} for tiles of the map when you switch them on, and for nothing else`;
  let layer = null;
  const choose = (offer) => {
    if (layer) layer.remove();
    layer = offer && L.tileLayer(offer.template, { maxZoom: map.getMaxZoom(), referrerPolicy: "no-referrer" }).addTo(map);
  };
  const choice = (offer, chosen, ...label) => {
    const input = el("input", { type: "radio", name: "tiles", checked: chosen });
    input.addEventListener("change", () => choose(offer));
    return el("label", {}, input, el("span", {}, ...label));
  };
  const box = el("fieldset", {}, el("legend", {}, "Ground"), choice(null, true, "outlines, from this file"),
    ...offers.map((offer) => choice(offer, false, words(offer.credit), `, asked of ${offer.host}, who learns where you look`)));
  document.getElementById("tiles").append(box);
}
