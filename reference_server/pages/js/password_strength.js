// How hard a password is to guess, roughly and without a dictionary to download: length first, variety second,
// and nothing for repeats, runs, and what the person's own name and address give away.

export const PASSWORD_BYTES_MIN = 8;
export const PASSWORD_BYTES_MAX = 72;
const COMMON = ["password", "passwort", "qwerty", "letmein", "welcome", "iloveyou", "admin", "zerostate"];
const KINDS = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u];
const WORDS = [
  "At least 8 characters; a few words in a row are best.",
  "Weak: make it longer.",
  "Fair: a few more characters would help.",
  "Good.",
  "Strong.",
];

/** Judge a password: `score` 0 (too short) to 4 (strong), and words for the person. */
export function judgePassword(password, about = []) {
  const size = new TextEncoder().encode(password).length;
  if (size > PASSWORD_BYTES_MAX) return { score: 1, words: "Too long: at most 72 characters." };
  if (size < PASSWORD_BYTES_MIN) return { score: 0, words: WORDS[0] };
  const known = knownParts(about).filter((part) => password.toLowerCase().includes(part));
  const worth = worthOf(password) - known.length * 5;
  const score = worth < 10 ? 1 : worth < 14 ? 2 : worth < 18 ? 3 : 4;
  return { score, words: known.length > 0 && score < 3 ? "Weak: it contains something easy to guess." : WORDS[score] };
}

// A character counts when it is neither the one before again nor the next in a row, like the 2 in 12.
function worthOf(password) {
  const codes = [...password].map((character) => character.codePointAt(0));
  const fresh = codes.filter((code, index) => ![0, 1, -1].includes(code - (codes[index - 1] ?? -9)));
  const kinds = KINDS.filter((kind) => kind.test(password)).length;
  return fresh.length + (kinds - 1) * 1.5;
}

function knownParts(about) {
  const own = about.flatMap((text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u)).filter((part) => part.length > 2);
  return [...new Set([...COMMON, ...own])];
}
