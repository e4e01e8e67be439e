// Search over every name in every script.

const MARKS = /[\u0300-\u036f]/gu;
const QUOTES = /['’‘ʼʻ`´]/gu;
const [FIRST_SYLLABLE, LAST_SYLLABLE, FINALS] = [0xac00, 0xd7a3, 28];
const LEADS = [..."ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"].map((letter) => letter.normalize("NFKC"));
const TAILS = ["", ..."ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"].map((letter) => letter.normalize("NFKC"));
const SYLLABLES_OF_LEAD = 21 * FINALS;

/** One form for all ways of writing: lower case, no marks over Latin letters, no apostrophes (Ch'ŏngjin, chongjin). */
function folded(text) {
  if (/^[\x20-\x26\x28-\x5f\x61-\x7e]*$/u.test(text)) return text.toLowerCase();
  return text.normalize("NFKD").replace(MARKS, "").normalize("NFKC").toLocaleLowerCase("en").replace(QUOTES, "");
}

function syllables(first, count) {
  return `[${String.fromCodePoint(first)}-${String.fromCodePoint(first + count - 1)}]`;
}

/** All syllables that begin with a consonant: ㄱ finds 가, 골, 김. */
function leadPattern(letter) {
  const at = LEADS.indexOf(letter);
  return at < 0 ? null : syllables(FIRST_SYLLABLE + at * SYLLABLES_OF_LEAD, SYLLABLES_OF_LEAD);
}

/** A syllable that is still being typed may go on: 고 to 골; the end of 골 may become the start of 라. */
function unfinishedPattern(letter) {
  const code = letter.codePointAt(0);
  if (code < FIRST_SYLLABLE || code > LAST_SYLLABLE) return leadPattern(letter);
  const tail = (code - FIRST_SYLLABLE) % FINALS;
  if (!tail) return syllables(code, FINALS);
  const moved = leadPattern(TAILS[tail]);
  return moved ? `(?:${letter}|${String.fromCodePoint(code - tail)}${moved})` : letter;
}

/** A test of one folded term; `composing` says that its last syllable is still being typed. */
function termTest(term, composing = false) {
  const letters = [...term];
  let plain = true;
  const pattern = letters.map((letter, at) => {
    const open = composing && at === letters.length - 1 ? unfinishedPattern(letter) : leadPattern(letter);
    if (open) plain = false;
    return open || letter.replace(/[\\^$.*+?()[\]{}|/]/gu, "\\$&");
  });
  if (plain) return (text) => text.includes(term);
  const found = new RegExp(pattern.join(""), "u");
  return (text) => text.includes(term) || found.test(text);
}

const search = { texts: null, composing: false };

/** What a search looks at: id, place, category, all names, and what else the index tells in words. */
function searchTexts(data) {
  const { more } = data.columns;
  return data.sites.map((site) => folded([
    site.id, site.place, data.symbols[site.category].label, ...site.names.map((name) => name.text), more[site.i],
  ].join("\n")));
}

function startSearch(data) {
  FILTERS.push({
    key: "q",
    test({ q }) {
      const terms = folded(q).split(/\s+/u).filter(Boolean);
      if (!terms.length) return null;
      search.texts = search.texts || searchTexts(data);
      const tests = terms.map((term, at) => termTest(term, search.composing && at === terms.length - 1));
      return (site) => tests.every((test) => test(search.texts[site.i]));
    },
  });
  const input = document.getElementById("search");
  let timer = 0;
  const apply = (composing) => {
    search.composing = composing;
    state.set({ q: input.value }, { replace: true });
  };
  input.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(apply, 120, event.isComposing === true);
  });
  input.addEventListener("compositionend", () => {
    clearTimeout(timer);
    apply(false);
    state.refilter();
  });
  state.on("q", ({ q }, changed, cause) => {
    if (cause !== "page" || (q === "" && input.value !== q)) input.value = q;
  });
}
