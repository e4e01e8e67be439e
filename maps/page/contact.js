// All pictures of a site by date, with what lies between them: looks that nobody could see anything on, and looks without a picture.

function contactFigure(picture, onPick) {
  const alt = `${picture.day}, ${picture.platform}${picture.simulated ? ", simulated" : ""}`;
  const frame = el("div", { class: "chip" }, pixelImage(picture, alt), picture.veil ? veilCanvas(picture) : null,
    picture.simulated ? el("span", { class: "badge simulated on-chip" }, "simulated") : null);
  const caption = el("figcaption", {}, el("time", { datetime: picture.day }, picture.day), el("br"),
    `${picture.outcome ? `${picture.outcome}, ` : ""}${clearWords(picture.clear, picture.masked)}`, el("br"), words(picture.platform));
  const figure = el("figure", { class: "contact-picture" }, frame, caption);
  if (onPick) figure.append(button("Compare", { "aria-label": `Compare the look of ${picture.day}` }, () => onPick(picture)));
  return figure;
}

/** What was looked at between two pictures and has none, by outcome. */
function gapWords(looks, outcomes) {
  const counts = new Map();
  for (const [, outcome] of looks) counts.set(outcomes[outcome], (counts.get(outcomes[outcome]) || 0) + 1);
  const names = OUTCOME_ORDER.filter((name) => counts.has(name));
  return names.map((name) => `${counts.get(name)} ${name === "Obscured" || name === "Failed" ? name.toLowerCase() : `${name} without a picture`}`).join(", ");
}

function contactGap(looks, outcomes) {
  if (!looks.length) return null;
  const span = looks.length === 1 ? looks[0][0] : `${looks[0][0]} to ${looks.at(-1)[0]}`;
  const days = looks.filter((look) => outcomes[look[1]] === "Obscured").map((look) => look[0]);
  return el("li", { class: "contact-gap" }, el("span", {}, span, ": ", gapWords(looks, outcomes)),
    days.length ? el("details", {}, el("summary", {}, "obscured days"), el("span", {}, days.join(", "))) : null);
}

/**
 * Small pictures of an album by date, and the gaps between them.
 * @param looks [[day, outcome index, platform, ...], ...] of the site, as `detailsOf` gives them
 * @param outcomes names of the outcomes, by index; onPick(picture), where a picture may be chosen
 */
function contactSheet(album, { looks = [], outcomes = [], onPick = null } = {}) {
  const shown = new Set(album.pictures.map((picture) => picture.day));
  const rest = looks.filter(([day]) => !shown.has(day)).sort((a, b) => (a[0] < b[0] ? -1 : 1));
  const list = el("ol", { class: "contact" });
  let from = 0;
  for (const picture of album.pictures) {
    let to = from;
    while (to < rest.length && rest[to][0] < picture.day) to += 1;
    const gap = contactGap(rest.slice(from, to), outcomes);
    if (gap) list.append(gap);
    from = to;
    list.append(el("li", {}, contactFigure(picture, onPick)));
  }
  const gap = contactGap(rest.slice(from), outcomes);
  if (gap) list.append(gap);
  const obscured = rest.filter((look) => outcomes[look[1]] === "Obscured").length;
  return el("div", { class: "contact-box" },
    el("p", { class: "fine" }, `${plural(album.pictures.length, "picture")} of ${plural(album.clear, "clear look")}`,
      looks.length ? `; ${plural(looks.length, "look")} in all, ${obscured} obscured. ` : ". ",
      words(album.place), ". ", `Pictures of one series share one stretch where their values can be compared. ${VEIL_WORDS}`), list);
}
