/*
 * The positions of the columns in most lines, those of TCP and UDP over IPv4: `TCP 0A000001 C350
 * 0A090002 0050 0A090003 0050 ESTABLISHED     899`
 */
const CLIENT = 4;
const ENDS = 17;
const STATE = 46;
const EXPIRES = 58;
const LENGTH = 65;

const CLIENT_FORM = /^[0-9A-F]{8} [0-9A-F]{4}$/;
/** Virtual service and real server, with the spaces around them */
const ENDS_FORM = /^ ([0-9A-F]{8}) ([0-9A-F]{4}) ([0-9A-F]{8}) ([0-9A-F]{4}) $/;
/** The protocol or the state */
const WORD_FORM = /^[^ ]+ +$/;
const EXPIRES_FORM = /^ *[0-9]+$/;

/** The width of an endpoint in the listing, plus a space. The last one has no fixed width */
const END_COLUMNS = 18;

/** The number of texts to cache, per kind */
const KEPT = 65_536;

/**
 * Writes the usual lines of `-Lnc` by operations on strings, for runtimes that interpret code.
 * There, a loop over the bytes of a line takes ten times as long. writeConnection() gives the same
 * result.
 */
export class UsualConnections {
  readonly #ends = new Map<string, string>();
  readonly #words = new Map<string, string>();
  readonly #times = new Map<string, string>();

  /**
   * @param line a line of /proc/net/ip_vs_conn without line feed
   * @returns the line to print, with line feed; undefined if the line has another form
   */
  write(line: string): string | undefined {
    if (line.length !== LENGTH) return undefined;
    const client = line.slice(CLIENT, ENDS);
    if (!CLIENT_FORM.test(client)) return undefined;
    const ends = known(this.#ends, line.slice(ENDS, STATE), endsText);
    const protocol = known(this.#words, line.slice(0, CLIENT), wordText);
    const state = known(this.#words, line.slice(STATE, EXPIRES), wordText);
    const time = known(this.#times, line.slice(EXPIRES), timeText);
    if (!protocol || !ends || !state || !time) return undefined;
    const from = endText(client.slice(0, 8), client.slice(9));
    return `${protocol}${time}${state}${from.padEnd(END_COLUMNS)} ${ends}\n`;
  }
}

/**
 * The text of some columns, from a cache.
 *
 * @returns an empty text if the columns have another form
 */
function known(
  texts: Map<string, string>,
  columns: string,
  make: (columns: string) => string,
): string {
  let text = texts.get(columns);
  if (text === undefined) {
    text = make(columns);
    if (texts.size >= KEPT) texts.clear();
    texts.set(columns, text);
  }
  return text;
}

function endsText(columns: string): string {
  const fields = ENDS_FORM.exec(columns);
  if (!fields) return "";
  const [, virtual = "", virtualPort = "", server = "", serverPort = ""] =
    fields;
  const service = endText(virtual, virtualPort).padEnd(END_COLUMNS);
  return `${service} ${endText(server, serverPort)}`;
}

function wordText(columns: string): string {
  return WORD_FORM.test(columns) ? columns : "";
}

/** The expiry, such as `14:59`, padded with spaces */
function timeText(columns: string): string {
  if (!EXPIRES_FORM.test(columns)) return "";
  const seconds = Number(columns);
  const parts = [Math.floor(seconds / 60), seconds % 60];
  const text = parts.map((part) => String(part).padStart(2, "0")).join(":");
  return `${text.padEnd(6)} `;
}

const BYTES = Array.from({ length: 256 }, (_, byte) => String(byte));

/** Decodes hexadecimal digits to `10.9.0.2:80` */
function endText(address: string, port: string): string {
  const number = Number(`0x${address}`);
  const [a, b] = [BYTES[number >>> 24], BYTES[(number >>> 16) & 0xff]];
  const [c, d] = [BYTES[(number >>> 8) & 0xff], BYTES[number & 0xff]];
  return `${a ?? ""}.${b ?? ""}.${c ?? ""}.${d ?? ""}:${Number(`0x${port}`)}`;
}
