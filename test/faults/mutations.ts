import type { Random } from "../compat/random.js";

const SPECIAL = [
  "\0",
  "\n",
  "\n\n",
  "\r\n",
  "\x1b[31m",
  "\xff\xfe",
  "\xef\xbb\xbf",
  "\xe2\x80\x8b",
  '"',
  "'",
  "#",
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  "-",
  "&a ",
  "*a",
  "!!binary ",
  "|\n",
  "\t",
  "-1",
  "0",
  "65536",
  "4294967296",
  "99999999999999999999",
  "1e999",
  "null",
  "__proto__",
  "constructor",
  "\\u0000",
  "%n",
  "$(id)",
  "../",
];

/** Changes a text byte by byte: one to four small faults. One character is one byte. */
export function mutated(random: Random, text: string): string {
  let changed = text;
  for (let left = 1 + random.below(4); left > 0; left--)
    changed = mutatedOnce(random, changed);
  return changed;
}

function mutatedOnce(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const length = 1 + random.below(random.chance(0.8) ? 4 : 60);
  const before = text.slice(0, at);
  const piece = text.slice(at, at + length);
  const behind = text.slice(at + length);
  switch (random.below(10)) {
    case 0: {
      const bit = 1 << random.below(8);
      const code = (text.charCodeAt(at) || 0) ^ bit;
      return before + String.fromCharCode(code & 0xff) + text.slice(at + 1);
    }
    case 1:
      return (
        before + String.fromCharCode(random.below(256)) + text.slice(at + 1)
      );
    case 2:
      return before + random.pick(SPECIAL) + text.slice(at);
    case 3:
      return before + random.pick(SPECIAL) + behind;
    case 4:
      return before + behind;
    case 5:
      return before; // cut short
    case 6:
      return (
        before +
        piece.repeat(2 + random.below(random.chance(0.9) ? 3 : 500)) +
        behind
      );
    case 7: {
      const to = random.below(text.length + 1);
      return behind.slice(0, to) + piece + behind.slice(to) + before;
    }
    case 8:
      return before + text.slice(random.below(text.length + 1));
    default: {
      const lines = text.split("\n");
      const first = random.below(lines.length);
      const second = random.below(lines.length);
      const line = lines[first] ?? "";
      lines[first] = lines[second] ?? "";
      lines[second] = line;
      return lines.join("\n");
    }
  }
}
