// What lies beside the page for other programs; a page that stands alone has nothing.

function filesList(data) {
  if (!data.files.length) return null;
  const rows = data.files.map(([text, path]) => el("li", {}, el("a", { href: path }, text)));
  return el("section", { "aria-labelledby": "files-title" },
    el("h3", { id: "files-title" }, "Everything here as files"), el("ul", {}, ...rows));
}
