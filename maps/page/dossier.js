// What paper can't do: any two looks swiped, faded or blinked. Everything else stands in the page without script.

/** Pixels of a picture, from where the page itself shows them. */
function pixelsOf(selector) {
  const image = document.querySelector(selector);
  return image ? image.getAttribute("href").split(",")[1] : "";
}

function startCompare(album) {
  album.pictures.forEach((picture, number) => {
    picture.png = pixelsOf(`#px${number}`);
    picture.veil = pixelsOf(`#clouds${number} image`);
  });
  const section = document.getElementById("compare");
  section.hidden = false; // before the box is made, which measures the room it has
  const box = compareBox(album, { detections: album.detections });
  if (!box) {
    section.hidden = true;
    return;
  }
  section.append(box);
  for (const pair of document.querySelectorAll("[data-pair]")) {
    const id = pair.dataset.pair;
    if (!Object.hasOwn(album.pairs, id)) continue;
    const [first, second] = album.pairs[id].map((position) => album.pictures[position]);
    const tick = el("input", { type: "checkbox", checked: true });
    tick.addEventListener("change", () => pair.classList.toggle("bare", !tick.checked));
    const show = button("Swipe, fade or blink them", {}, () => {
      box.compare.choose({ first, second, outline: id });
      section.scrollIntoView({ block: "start" });
      section.focus({ preventScroll: true });
    });
    pair.append(el("p", { class: "pair-actions" }, el("label", { class: "toggle" }, tick, " Outline of the change"), show));
  }
}

async function start() {
  try {
    startCompare(await openBlock("sitewatch-album"));
  } catch (error) {
    document.getElementById("page").prepend(el("p", { class: "notice", role: "alert" }, `Looks can't be compared here: ${error.message}`));
  }
  document.documentElement.dataset.ready = "true";
}

start();
