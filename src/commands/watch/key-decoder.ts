import { fromBytes } from "../../cli/escape.js";

/** A key that writes no character. */
export type NamedKey =
  | "up"
  | "down"
  | "pageup"
  | "pagedown"
  | "home"
  | "end"
  | "enter"
  | "escape"
  | "backspace"
  | "ctrl-c"
  | "ctrl-l"
  | "ctrl-u"
  | "ctrl-z"
  | "ctrl-\\";

export type Key =
  | { readonly name: NamedKey }
  /** One character */
  | { readonly text: string };

const CONTROLS: Readonly<Record<string, NamedKey>> = {
  "\x03": "ctrl-c",
  "\x08": "backspace",
  "\x7f": "backspace",
  "\x0a": "enter",
  "\x0c": "ctrl-l",
  "\x0d": "enter",
  "\x15": "ctrl-u",
  "\x1a": "ctrl-z",
  "\x1c": "ctrl-\\",
};

/** The last character of an escape sequence, as xterm, rxvt and the Linux console send it. */
const FINALS: Readonly<Record<string, NamedKey>> = {
  A: "up",
  B: "down",
  F: "end",
  H: "home",
};
/** The number before the `~` of an escape sequence. */
const NUMBERED: Readonly<Record<string, NamedKey>> = {
  "1": "home",
  "4": "end",
  "5": "pageup",
  "6": "pagedown",
  "7": "home",
  "8": "end",
};

const ESCAPE = "\x1b";
/** No key sends a longer sequence. A longer one is ignored. */
const LONGEST_SEQUENCE = 32;

/* eslint-disable no-control-regex */
/** A complete sequence: ESC [ parameters letter, ESC O letter, the console's ESC [ [ letter, or ESC and one character. */
const SEQUENCE =
  /^\x1b(?:\[\[[\x20-\x7e]|\[([\x30-\x3f]*)[\x20-\x2f]*([\x40-\x5a\x5c-\x7e])|O([\x20-\x7e])|[^[O\x1b])/;
/** The beginning of a sequence */
const BEGINNING = /^\x1b(?:\[\[?|\[[\x30-\x3f]*[\x20-\x2f]*|O)?$/;
/** The beginning of a UTF-8 character */
const PART_OF_CHARACTER =
  /^(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})$/;
const CHARACTER =
  /^(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})/;
const PRINTABLE = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]$/u;
/* eslint-enable no-control-regex */

/**
 * Decodes the bytes that a terminal sends into keys. The bytes may be split anywhere, even within a sequence or a character.
 * Unknown keys are ignored.
 */
export class KeyDecoder {
  #rest = "";

  /** Whether the bytes so far end in an incomplete key. If no more bytes arrive soon, call `end`. */
  get waits(): boolean {
    return this.#rest !== "";
  }

  /** @param bytes one character per byte */
  feed(bytes: string): Key[] {
    this.#rest += bytes;
    const keys: Key[] = [];
    while (this.#rest !== "" && !this.#isPart()) {
      const [key, length] = nextKey(this.#rest);
      if (key) keys.push(key);
      this.#rest = this.#rest.slice(length);
    }
    return keys;
  }

  /** No more bytes arrived. A single ESC was the key Escape. */
  end(): Key[] {
    const keys: Key[] = this.#rest === ESCAPE ? [{ name: "escape" }] : [];
    this.#rest = "";
    return keys;
  }

  #isPart(): boolean {
    return (
      PART_OF_CHARACTER.test(this.#rest) ||
      (BEGINNING.test(this.#rest) && this.#rest.length < LONGEST_SEQUENCE)
    );
  }
}

/** Decodes the first key. @returns the key, and how many bytes it has */
function nextKey(bytes: string): readonly [Key | undefined, number] {
  if (bytes.startsWith(ESCAPE)) {
    const found = SEQUENCE.exec(bytes);
    if (!found) return [undefined, bytes.startsWith("\x1b\x1b") ? 1 : 2];
    const [sequence, parameters = "", letter = found[3] ?? ""] = found;
    const [first = ""] = parameters.split(";");
    const name = letter === "~" ? NUMBERED[first] : FINALS[letter];
    return [name && { name }, sequence.length];
  }
  const [character] = CHARACTER.exec(bytes) ?? [];
  if (character === undefined) return [undefined, 1];
  const name = CONTROLS[character];
  if (name) return [{ name }, 1];
  const text = fromBytes(character);
  return [PRINTABLE.test(text) ? { text } : undefined, character.length];
}
