import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { suite, test } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { DIRECTOR } from "../../lab/network.js";
import { without } from "../../traffic/needs.js";
import { spread } from "../../traffic/spread.js";
import {
  bareSite,
  BEHIND_ROUTER,
  BETWEEN,
  ONE_NETWORK,
  printed,
  runOn,
  stateOf,
  tableFile,
  type BareSite,
} from "./bare-machines.js";
import { printedFiles, type PrintedFile } from "./printed-files.js";

/*
 * The files that setup prints are applied as their programs apply them: sysctl -p, iptables-restore, systemd-networkd. What
 * is not in these files comes from the commands.
 */

const NETWORKD = "/usr/lib/systemd/systemd-networkd";
const withoutNetworkd = existsSync(NETWORKD)
  ? false
  : "there is no systemd-networkd (on Debian: apt-get install systemd)";

interface Case {
  readonly rules: string;
  readonly options: readonly string[];
  /** Addresses of real1 and real2 */
  readonly servers: readonly [string, string];
  readonly url: string;
}

/** A machine with its name for setup, and how its files are applied. */
interface Applied {
  readonly name: string;
  readonly host: string;
  /** Applies the files that setup prints with more options. @returns what takes that back */
  readonly apply: (
    print: (...options: readonly string[]) => Promise<string>,
  ) => Promise<() => Promise<void>>;
  /** The commands that files replace */
  readonly replaces: RegExp;
}

/** Everything is applied, requests are answered, everything is taken back. */
async function proves(
  { site }: BareSite,
  { rules, options, url }: Case,
  machines: readonly Applied[],
): Promise<void> {
  const { network } = site;
  const file = tableFile(rules);
  const states = () => machines.map(({ host }) => stateOf(network, host));
  const before = states();
  const undo: (() => Promise<void>)[] = [];
  try {
    for (const { name, host, apply, replaces } of machines) {
      const commands = await printed(file, name, options);
      undo.push(
        await apply((...more) => printed(file, name, [...options, ...more])),
      );
      runOn(network, host, linesWithout(commands, replaces));
      undo.push(async () => {
        const text = await printed(file, name, [...options, "--undo"]);
        runOn(network, host, linesWithout(text, replaces));
      });
    }
    const replies = await site.client.get(url, { count: 6 });
    assert.deepEqual(spread(replies), { real1: 3, real2: 3 });
  } finally {
    for (const step of undo.toReversed()) await step();
  }
  assert.deepEqual(states(), before);
}

function linesWithout(text: string, words: RegExp): string {
  return text
    .split("\n")
    .filter((line) => !words.test(line))
    .join("\n");
}

const NOTHING = /^(?!)/;

/** A machine that is set up by commands alone. */
function byCommands(name: string, host: string): Applied {
  return {
    name,
    host,
    replaces: NOTHING,
    apply: () => Promise.resolve(() => Promise.resolve()),
  };
}

/** Writes files into a folder. @returns their paths there */
function written(files: readonly PrintedFile[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "files."));
  return files.map(({ path, text }) => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  });
}

suite("setup -o sysctl", () => {
  const machines = bareSite(BETWEEN, ["real1", "real2"]);
  test("setup -o sysctl: sysctl -p applies the settings, and modprobe loads the modules", () =>
    proves(
      machines,
      {
        rules: `-A -t 192.0.2.100:80 -s rr
-a -t 192.0.2.100:80 -r 198.51.100.11:80 -m
-a -t 192.0.2.100:80 -r 198.51.100.12:80 -m`,
        options: [
          "--interface=front",
          "--server-interface=lan",
          "--director=198.51.100.1",
        ],
        servers: ["198.51.100.11", "198.51.100.12"],
        url: "http://192.0.2.100/",
      },
      [
        {
          ...byCommands("director", DIRECTOR),
          replaces: /^(sysctl|modprobe) /,
          async apply(print) {
            const { network } = machines.site;
            const files = printedFiles(await print("-o=sysctl"));
            const [modules = "", settings = ""] = written(files);
            runOn(
              network,
              DIRECTOR,
              `modprobe -a $(grep -v '^#' ${modules}); sysctl -p ${settings}`,
            );
            return async () => {
              const undo = await print("-o=sysctl", "--undo");
              // The files are not in /etc.
              runOn(network, DIRECTOR, linesWithout(undo, /^rm /));
            };
          },
        },
        byCommands("198.51.100.11", "real1"),
        byCommands("198.51.100.12", "real2"),
      ],
    ));
});

suite(
  "setup -o iptables",
  { skip: without("iptables-legacy", "iptables") },
  () => {
    const machines = bareSite(ONE_NETWORK, ["real1", "real2"]);
    const byIptables: Applied = {
      name: "director",
      host: DIRECTOR,
      replaces: /^ip6?tables /,
      async apply(print) {
        const { network } = machines.site;
        for (const { path, text } of printedFiles(await print("-o=iptables"))) {
          const program = path.endsWith("v6") ? "ip6tables" : "iptables";
          const [file = ""] = written([{ path, text }]);
          runOn(network, DIRECTOR, `${program}-restore --noflush <${file}`);
        }
        return async () => {
          runOn(network, DIRECTOR, await print("-o=iptables", "--undo"));
        };
      },
    };
    const directRouting = (
      name: string,
      vip: string,
      servers: readonly [string, string],
    ): Case & { name: string } => ({
      name,
      rules: `-A ${vip} -s rr
-a ${vip} -r ${servers[0]} -g
-a ${vip} -r ${servers[1]} -g`,
      options: [],
      servers,
      url: "",
    });
    const cases: readonly (Case & { readonly name: string })[] = [
      {
        name: "full NAT",
        rules: `-A -t 203.0.113.101:80 -s rr
-a -t 203.0.113.101:80 -r 203.0.113.11:8080 -m
-a -t 203.0.113.101:80 -r 203.0.113.12:8080 -m`,
        options: ["--interface=lan", "--full-nat", "--director=203.0.113.1"],
        servers: ["203.0.113.11", "203.0.113.12"],
        url: "http://203.0.113.101/",
      },
      {
        ...directRouting("a firewall mark", "-f 7", [
          "203.0.113.11",
          "203.0.113.12",
        ]),
        options: ["--interface=lan", "--mark=7=tcp/203.0.113.102:80"],
        url: "http://203.0.113.102/",
      },
      {
        ...directRouting("a firewall mark, IPv6", "-f 7 -6", [
          "[2001:db8:3::11]:0",
          "[2001:db8:3::12]:0",
        ]),
        options: ["--interface=lan", "--mark=7=tcp/[2001:db8:3::102]:80"],
        servers: ["2001:db8:3::11", "2001:db8:3::12"],
        url: "http://[2001:db8:3::102]/",
      },
    ];
    for (const one of cases)
      test(`setup -o iptables: iptables-restore loads the rules: ${one.name}`, () =>
        proves(machines, one, [
          byIptables,
          byCommands(one.servers[0], "real1"),
          byCommands(one.servers[1], "real2"),
        ]));
  },
);

/** What the systemd-networkd of a host writes. Lines that say that it does not understand something are faults. */
const FAULT =
  /unknown (key|section)|invalid|ignoring assignment|could not be created|failed to configure|rejecting/i;

/** Runs systemd-networkd on a host with files in /etc/systemd/network, until it is stopped. */
class Networkd {
  readonly #child: ChildProcess;
  readonly #log: string;

  constructor(host: string, files: readonly PrintedFile[]) {
    const folder = mkdtempSync(join(tmpdir(), "networkd."));
    for (const { path, text } of files) {
      const file = join(folder, path.replace("/etc/systemd/network/", ""));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    this.#log = join(folder, "log");
    // Where /sys cannot be written, it does not wait for udev.
    const script = `mount -t tmpfs tmpfs /run
      mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
      chown -R systemd-network: /run/systemd/netif
      chmod 755 ${folder}; mount --bind ${folder} /etc/systemd/network
      mount -o remount,ro /sys || mount -o remount,ro,bind /sys
      SYSTEMD_LOG_LEVEL=info SYSTEMD_LOG_TARGET=console exec ${NETWORKD} >${this.#log} 2>&1`;
    this.#child = spawn("ip", ["netns", "exec", host, "sh", "-ec", script], {
      stdio: "ignore",
    });
  }

  /** The lines that report a fault. */
  faults(): string[] {
    return readFileSync(this.#log, "latin1")
      .split("\n")
      .filter((line) => FAULT.test(line));
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.kill();
    await exit;
  }
}

suite("setup -o networkd", { skip: withoutNetworkd }, () => {
  const machines = bareSite(BEHIND_ROUTER, ["real1", "real2"]);
  const network = () => machines.site.network;

  /** A real server whose files come from setup. `address` is its own; its other interface is configured as before. */
  function byNetworkd(name: string, host: string, vip: string): Applied {
    return {
      name,
      host,
      // The settings of a tunnel come after the tunnel, as udev does it.
      replaces: /^(ip (address|link|fou|route) |modprobe )/,
      async apply(print) {
        const all = printedFiles(await print("-o=networkd"));
        const own = all.filter(({ path }) => path.includes("/network/"));
        const service = all.find(({ path }) => path.endsWith(".service"));
        if (service) {
          assert.deepEqual(verified(service), "");
          network().sh(host, commandsOf(service, "ExecStart").join("\n"));
        }
        const networkd = new Networkd(host, own);
        await eventually(
          () => Promise.resolve(network().sh(host, "ip -o address show")),
          (text) => text.includes(` ${vip}/`),
        );
        assert.deepEqual(networkd.faults(), []);
        return async () => {
          await networkd.stop();
          const undo = await print("-o=networkd", "--undo");
          // Here are no D-Bus and no systemd, and the files are elsewhere.
          network().sh(host, linesWithout(undo, /^(rm|networkctl|systemctl) /));
          if (service)
            network().sh(host, commandsOf(service, "ExecStop").join("\n"));
        };
      },
    };
  }

  const IPV4 = {
    vip: "192.0.2.101",
    servers: ["198.51.100.11", "198.51.100.12"],
  } as const;
  const IPV6 = {
    vip: "2001:db8:1::101",
    servers: ["2001:db8:2::11", "2001:db8:2::12"],
  } as const;
  const GUE = "--tun-type gue --tun-port 6080";
  const cases: readonly (readonly [
    string,
    string,
    typeof IPV4 | typeof IPV6,
    typeof IPV4 | typeof IPV6,
  ])[] = [
    ["ipip", "", IPV4, IPV4],
    ["ipip over IPv6", "", IPV6, IPV6],
    ["sit", "", IPV6, IPV4],
    ["gre", "--tun-type gre", IPV4, IPV4],
    ["gre over IPv6", "--tun-type gre", IPV4, IPV6],
    ["gre with checksums", "--tun-type gre --tun-csum", IPV4, IPV4],
    ["gue", GUE, IPV4, IPV4],
    ["gue over IPv6", GUE, IPV6, IPV6],
  ];
  for (const [name, tunnel, { vip }, { servers }] of cases)
    test(`setup -o networkd: systemd-networkd makes the tunnel: ${name}`, () => {
      const service = `-t ${endpoint(vip)}:80`;
      const rules = `-A ${service} -s rr
${servers.map((server) => `-a ${service} -r ${endpoint(server)}:80 -i ${tunnel}`).join("\n")}`;
      const options = ["--interface=front"];
      return proves(
        machines,
        { rules, options, servers, url: `http://${endpoint(vip)}/` },
        [
          byCommands("director", DIRECTOR),
          byNetworkd(servers[0], "real1", vip),
          byNetworkd(servers[1], "real2", vip),
        ],
      );
    });

  test("setup -o networkd: the address of lo, and the drop-ins for other interfaces", async () => {
    const rules = tableFile(`-A -t 192.0.2.102:80
-a -t 192.0.2.102:80 -r 198.51.100.11 -g
-A -t 192.0.2.103:80
-a -t 192.0.2.103:80 -r 198.51.100.11:80 -m`);
    const options = [
      "--interface=lan",
      "--director=198.51.100.9",
      "-o=networkd",
    ];
    const files = await Promise.all(
      ["director", "198.51.100.11"].map((name) =>
        printed(rules, name, options),
      ),
    );
    const state = stateOf(network(), "real1");
    network().sh("real1", "ip address flush dev lan");
    const networkd = new Networkd("real1", [
      {
        path: "lan.network",
        text: "[Match]\nName=lan\n\n[Network]\nAddress=198.51.100.11/24\nAddress=2001:db8:2::11/64\nIPv6AcceptRA=no\n",
      },
      // One machine for both: what counts is that each file has an effect.
      ...files.flatMap(printedFiles).map(({ path, text }) => ({
        path: path
          .replace("INTERFACE", "lan")
          .replace(
            /ipvs\.conf$/,
            `${text.includes("Gateway") ? "route" : "address"}.conf`,
          ),
        text,
      })),
    ]);
    const shown = await eventually(
      () =>
        Promise.resolve(
          network().sh("real1", "ip -o address show; ip route show"),
        ),
      (text) =>
        text.includes("default via 198.51.100.9 dev lan") &&
        /lo +inet 192\.0\.2\.102\/32/.test(text) &&
        /lan +inet 192\.0\.2\.103\/32/.test(text),
    );
    assert.match(shown, /default via 198\.51\.100\.9 dev lan/);
    assert.match(shown, /lo +inet 192\.0\.2\.102\/32/);
    assert.match(shown, /lan +inet 192\.0\.2\.103\/32/);
    assert.deepEqual(networkd.faults(), []);
    await networkd.stop();
    network().sh(
      "real1",
      `ip address flush dev lan; ip address del 192.0.2.102/32 dev lo
       ip address add 198.51.100.11/24 dev lan; ip address add 2001:db8:2::11/64 dev lan nodad
       ip route replace default via 198.51.100.1; ip route replace default via 2001:db8:2::1`,
    );
    assert.equal(stateOf(network(), "real1"), state);
  });
});

function endpoint(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** What systemd says about a service. It is silent if it understands all of it. */
function verified({ path, text }: PrintedFile): string {
  const [file = ""] = written([{ path: basename(path), text }]);
  const { stdout, stderr } = spawnSync("systemd-analyze", ["verify", file], {
    encoding: "latin1",
  });
  return stdout + stderr;
}

/** The commands of a service, as lines for a shell. */
function commandsOf({ text }: PrintedFile, key: string): string[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));
}
