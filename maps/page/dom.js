// The only door from data to document: texts become text nodes, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element; `attributes` are set as attributes, children are elements or strings. */
function el(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** Words from a catalogue, kept apart from the text around them whatever way they run. */
function words(text, lang = "") {
  return el("bdi", lang ? { lang } : {}, text);
}

/** A link that a reader may follow; anything but http(s) stays text. */
function link(address, text) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return words(text);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return words(text);
  return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, words(text));
}

function button(text, attributes, act) {
  const made = el("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

function plural(count, one) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : `${one}s`}`;
}
