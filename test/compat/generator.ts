import { COMMANDS, OPTIONS } from "../../src/grammar/options.js";
import type { Step } from "./duel.js";
import type { Random } from "./random.js";

/** Values of an option: first valid ones, then invalid ones and limits. */
type Pool = readonly [good: readonly string[], odd: readonly string[]];

const V4 = [
  "10.0.0.1",
  "10.0.0.2",
  "200.0.0.1",
  "100.0.0.1",
  "10.1",
  "0xa000003",
];
const V6 = [
  "2001:db8::1",
  "::1",
  "fe80::1",
  "::ffff:10.0.0.1",
  "2001:db8::1:0:0:1",
];
const PORTS = ["80", "443", "8080", "255", "256", "65535", "http", "domain"];
const NUMBERS = ["", "0", "-1", "+7", " 7", "7x", "0x7", "65535", "65536"];
const LARGE = [
  "2147483647",
  "2147483648",
  "4294967295",
  "4294967296",
  "99999999999999999999",
];

const SERVICES: Pool = [
  [
    ...V4.flatMap((address) =>
      PORTS.slice(0, 4).map((port) => `${address}:${port}`),
    ),
    ...V6.map((address) => `[${address}]:80`),
    "[2001:db8::1]:http",
    "10.0.0.1:http",
    "10.0.0.1",
    "2001:db8::1",
    "localhost:80",
  ],
  [
    "",
    "80",
    ":80",
    "10.0.0.1:",
    "10.0.0.1:65536",
    "10.0.0.1:-1",
    "10.0.0.1:nope",
    "10.0.0.256:80",
    "[2001:db8::1]",
    "[2001:db8::1]:",
    "[::1",
    "1::2::3",
    "[10.0.0.1]:80",
    "[10.0.0.1]:80:80",
    "10.0.0.1:80:80",
    "12:60",
    "08.1:80",
    "10.0.0.1 x:80",
    " 10.0.0.1:80",
    "::1%lo",
    "224.0.0.1:80",
    "ff02::1",
    "0.0.0.0:80",
    "10.0.0.1:tftp",
    "10.0.0.1:0",
  ],
];

const SERVERS: Pool = [
  [
    "10.1.1.1",
    "10.1.1.2:80",
    "10.1.1.2:8080",
    "10.1.1.3:http",
    "200.1.1.1:80",
    "100.1.1.1:256",
    "127.0.0.1:80",
    "[2001:db8::9]:80",
    "2001:db8::8",
    "::1",
  ],
  SERVICES[1],
];

/** The values to write after each option, by its long name. */
const VALUES: Readonly<Record<string, Pool>> = {
  "tcp-service": SERVICES,
  "udp-service": SERVICES,
  "sctp-service": SERVICES,
  "fwmark-service": [
    ["1", "2", "3", "2147483648"],
    [...NUMBERS, ...LARGE],
  ],
  "real-server": SERVERS,
  scheduler: [
    [
      "rr",
      "wrr",
      "lc",
      "wlc",
      "sh",
      "mh",
      "dh",
      "sed",
      "nq",
      "fo",
      "ovf",
      "lblc",
      "lblcr",
    ],
    ["", "nope", "rrrrrrrrrrrrrrrrrrrrrrr", "RR", "-s"],
  ],
  persistent: [
    ["1", "60", "360"],
    [...NUMBERS, "2678400", "2678401"],
  ],
  netmask: [
    ["255.255.255.0", "255.255.0.0", "64", "48", "128"],
    [...NUMBERS, "129", "foo", "255.255.255.255", "12x", "4294967297"],
  ],
  weight: [
    ["0", "1", "5", "100"],
    [...NUMBERS, ...LARGE],
  ],
  "u-threshold": [
    ["0", "10", "100"],
    [...NUMBERS, ...LARGE],
  ],
  "l-threshold": [
    ["0", "5", "50"],
    [...NUMBERS, ...LARGE],
  ],
  "mcast-interface": [["lo"], ["", "nope", "lolololololololololo"]],
  syncid: [
    ["0", "7", "255"],
    [...NUMBERS, "256"],
  ],
  pe: [["sip"], ["", "nope", "sipsipsipsipsipsip"]],
  "sched-flags": [
    [
      "sh-port",
      "sh-fallback",
      "mh-port",
      "mh-fallback",
      "flag-1",
      "flag-2,flag-3",
      "sh-fallback,sh-port",
    ],
    [
      "",
      "foo",
      "flag-1,foo",
      "flag-1,",
      ",flag-1",
      "FLAG-1",
      "mh-port,sh-port",
    ],
  ],
  "mcast-group": [
    ["224.0.0.81", "239.1.2.3"],
    ["10.0.0.1", "224.1", "ff02::zz", "2001:db8::1", ""],
  ],
  "mcast-port": [["8848", "1"], NUMBERS],
  "mcast-ttl": [
    ["1", "255"],
    [...NUMBERS, "256"],
  ],
  "sync-maxlen": [
    ["1472", "65507"],
    [...NUMBERS, "65508"],
  ],
  "tun-type": [
    ["ipip", "gue", "gre"],
    ["", "GUE", "foo"],
  ],
  "tun-port": [["5555", "1"], [...NUMBERS]],
  "start-daemon": [
    ["master", "backup"],
    ["", "foo", "Master"],
  ],
  "stop-daemon": [
    ["master", "backup"],
    ["", "foo", "Master"],
  ],
};

/** Commands that do something, with their frequencies. */
const TEMPLATES: readonly (readonly string[])[] = [
  [
    "add-service",
    "service",
    "scheduler?",
    "persistent?",
    "netmask?",
    "ops?",
    "pe?",
    "sched-flags?",
  ],
  ["add-service", "service", "scheduler?", "persistent?"],
  ["add-service", "service"],
  [
    "edit-service",
    "service",
    "scheduler?",
    "persistent?",
    "netmask?",
    "sched-flags?",
  ],
  ["delete-service", "service"],
  [
    "add-server",
    "service",
    "real-server",
    "method?",
    "weight?",
    "u-threshold?",
    "l-threshold?",
  ],
  ["add-server", "service", "real-server", "method?", "weight?"],
  ["add-server", "service", "real-server", "tunnel"],
  ["edit-server", "service", "real-server", "method?", "weight?"],
  ["delete-server", "service", "real-server"],
  ["list", "numeric", "format?"],
  ["list", "numeric?", "format?", "exact?", "nosort?"],
  ["list", "numeric", "service", "format?"],
  ["list", "what"],
  ["save", "numeric?"],
  ["zero"],
  ["zero", "service"],
  ["set"],
  [
    "start-daemon",
    "mcast-interface",
    "syncid?",
    "mcast-group?",
    "mcast-port?",
    "mcast-ttl?",
    "sync-maxlen?",
  ],
  ["stop-daemon"],
  ["clear"],
];

/** Names of groups of options. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  service: [
    "tcp-service",
    "tcp-service",
    "tcp-service",
    "udp-service",
    "sctp-service",
    "fwmark-service",
    "fwmark6",
  ],
  method: ["gatewaying", "ipip", "masquerading", "masquerading"],
  format: ["stats", "rate", "thresholds", "persistent-conn", "tun-info"],
  what: ["connection", "timeout", "daemon"],
  tunnel: ["ipip", "gue", "gre"],
};

const OPTION_TABLE = new Map(
  [...COMMANDS, ...OPTIONS].map((row) => [row.long, row]),
);
const LONG_NAMES = [...OPTION_TABLE.keys()].filter(
  // -h and -v print long texts and end the sequence; -R reads the rest.
  (name) => !["help", "version", "restore"].includes(name),
);

/** How often a value is odd, an option unsuitable, a word random. */
const ODD = 0.06;

/** A random sequence of commands. Most of them are meaningful. */
export function randomSteps(random: Random, length: number): Step[] {
  return Array.from({ length }, () =>
    random.chance(0.12) ? restoreStep(random) : { words: commandLine(random) },
  );
}

/**
 * Whether a line may be given to -R. Not listings, because two tables may have a different order;
 * not comments, where our program differs on purpose; and not the stop of a daemon, because the
 * original hangs if the daemon's thread has not run yet.
 */
const NOT_RESTORED = /^\s*(ipvsadm\s+)?(-[LSl]|--list|--save|--stop-daemon|#)/;

function restoreStep(random: Random): Step {
  const lines = Array.from({ length: 1 + random.below(6) }, () => {
    const words = commandLine(random).filter(
      (word) => word !== "" && !/[ \t\r]/.test(word),
    );
    const name = random.chance(0.2) ? "ipvsadm " : "";
    return `${name}${words.join(random.pick([" ", " ", "  ", "\t"]))}${random.pick(["", "", " ", "\r"])}`;
  }).filter((line) => !NOT_RESTORED.test(line));
  return { words: ["-R"], stdin: lines.map((line) => `${line}\n`).join("") };
}

function commandLine(random: Random): string[] {
  const [command = "", ...parts] = random.pick(TEMPLATES);
  const options = parts.flatMap((part) => optionWords(part, random));
  if (random.chance(ODD)) options.push(spell(random.pick(LONG_NAMES), random));
  if (command === "set") options.push(timeoutValues(random));
  const words = [...spell(command, random), ...random.shuffle(options).flat()];
  if (random.chance(ODD / 3))
    words.splice(random.below(words.length + 1), 0, wildWord(random));
  if (random.chance(ODD / 3)) words.splice(random.below(words.length), 1);
  return words;
}

function optionWords(part: string, random: Random): string[][] {
  if (part.endsWith("?"))
    return random.chance(0.5) ? optionWords(part.slice(0, -1), random) : [];
  const name = part in CHOICES ? random.pick(CHOICES[part] ?? []) : part;
  if (part === "tunnel") return [tunnelWords(name, random)];
  if (name === "fwmark6") return [[...spell("fwmark-service", random), "-6"]];
  return [spell(name, random)];
}

function tunnelWords(type: string, random: Random): string[] {
  const words = ["-i", "--tun-type", type];
  if (type === "gue" || random.chance(ODD))
    words.push(...spell("tun-port", random));
  if (random.chance(0.5))
    words.push(random.pick(["--tun-nocsum", "--tun-csum", "--tun-remcsum"]));
  return words;
}

function timeoutValues(random: Random): string[] {
  const count = random.chance(ODD) ? random.below(5) : 3;
  return Array.from({ length: count }, () =>
    random.pick(
      random.chance(ODD)
        ? [...NUMBERS.filter((n) => n !== "-1"), "2678401"]
        : ["0", "1", "900"],
    ),
  );
}

/** An option with its value, in one of its forms. */
function spell(long: string, random: Random): string[] {
  const row = OPTION_TABLE.get(long);
  if (!row) throw new Error(`no option ${long}`);
  const short =
    row.short && random.chance(0.7)
      ? `-${random.pick(row.short.split(""))}`
      : undefined;
  const option = short ?? `--${long}`;
  const [good, odd] = VALUES[long] ?? [[], []];
  if (!row.value || (row.value === "optional" && random.chance(0.4)))
    return [option];
  const value = random.pick(random.chance(ODD) ? odd : good);
  const attached = short ? `${option}${value}` : `${option}=${value}`;
  return random.pick([
    [option, value],
    [option, value],
    [`${option}=${value}`],
    [value === "" ? `${option}=` : attached],
  ]);
}

function wildWord(random: Random): string {
  return random.pick([
    "",
    "-",
    "--",
    "foo",
    "-Q",
    "--foo",
    "--list",
    "-L",
    "-n",
    "-nc",
    "--numeric=1",
    "-6",
    "-o",
    "--sort",
    "#",
    "-wx",
    "--tcp-service",
    "-p",
    "ipvsadm",
    "\xff",
  ]);
}
