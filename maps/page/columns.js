// Rows back from columns, sentences back from words: the other side of maps/columns.py.

const [TEXT_END, RARE] = [" ", "!"];
const LETTER_BASE = 91;

/** The place of a character in the order in which they were given out. */
function placeOfLetter(letter) {
  let place = letter.codePointAt(0) - 0x23;
  for (const barred of [0x5c - 0x23, 0x7f - 0x23]) if (place > barred) place -= 1;
  return place >= 0xd800 - 0x25 ? place - 0x800 : place;
}

function textsOf({ w: high, l: low, r: rare }, words) {
  const deep = low === undefined ? null : [...low];
  const texts = [];
  let [said, nextRare, nextLow] = [[], 0, 0];
  for (const letter of high) {
    if (letter === TEXT_END) {
      texts.push(said.join(" "));
      said = [];
    } else if (letter === RARE) {
      said.push(rare[nextRare]);
      nextRare += 1;
    } else {
      let place = placeOfLetter(letter);
      if (deep) {
        place = place * LETTER_BASE + placeOfLetter(deep[nextLow]);
        nextLow += 1;
      }
      said.push(words[place]);
    }
  }
  return texts;
}

function listsOf(counts, items) {
  let next = 0;
  return counts.map((count) => {
    next += count;
    return items.slice(next - count, next);
  });
}

function valuesOf(column, name, vocabulary) {
  if (column.v) return column.v;
  if (column.w !== undefined) return textsOf(column, vocabulary[name]);
  if (column.t) return listsOf(column.n, rowsOf(column.t, vocabulary));
  const [first] = column.u;
  return listsOf(column.n, first.map((_, at) => column.u.map((values) => values[at])));
}

function rowsOf(table, vocabulary) {
  const rows = Array.from({ length: table.rows }, () => ({}));
  for (const [name, column] of Object.entries(table.of)) {
    if (column.s) {
      const values = valuesOf(column.c, name, vocabulary);
      column.s.forEach((at, k) => { rows[at][name] = values[k]; });
    } else {
      valuesOf(column, name, vocabulary).forEach((value, at) => { rows[at][name] = value; });
    }
  }
  return rows;
}
