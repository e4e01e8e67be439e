// The data of the page: JSON, gzip, base64, in elements that hold nothing else.

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k += 1) bytes[k] = letters.charCodeAt(k);
  return bytes;
}

/** What a block says. It is opened anew at each call: keep what comes again. */
async function openBlock(id) {
  const holder = document.getElementById(id);
  if (!holder) throw new Error(`this page has no block ${id}`);
  const opened = new Blob([bytesOf(holder.textContent.trim())]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(opened).json();
}

function hasBlock(id) {
  return document.getElementById(id) !== null;
}
