import { CommandError, UsageError } from "../../cli/errors.js";
import { escapeControls } from "../../cli/escape.js";
import type { Output } from "../../cli/output.js";
import type { Arguments } from "../../cli/parser.js";
import { readValidRules } from "../../cli/rule-file.js";
import { readService } from "../../cli/selectors.js";
import { changeLine } from "../../grammar/format-rule.js";
import {
  formatAddress,
  parseAddress,
  type Address,
} from "../../ipvs/address.js";
import type { Table } from "../../ipvs/table.js";
import { readCurrentState } from "../../plan/current-state.js";
import type { Io } from "../../runtime/io.js";
import { IpvsAccess } from "../../runtime/ipvs-access.js";
import {
  directorsAreServers,
  withFirewallMarks,
} from "../../setup/peer-marks.js";
import { serverAddresses } from "../../setup/real-server.js";
import type { Site } from "../../setup/site.js";
import { oldestFirst } from "../../ipvs/server-order.js";
import { tableAsRules } from "../save/table-as-rules.js";

const NAME = "setup";

/** Reads the table and the options that describe the machines around it. */
export async function readSite(
  given: Arguments,
  io: Io,
  output: Output,
): Promise<Site> {
  const [file] = given.positionals;
  const table =
    file === undefined
      ? await kernelTable(io)
      : (await readValidRules(file, io, output)).table;
  if (table.services.length === 0)
    throw new CommandError(
      "the table has no service",
      "add one, or give a file that has one",
    );
  const device = interfaceName(given, "interface") ?? "eth0";
  const directors = addresses(given, "director");
  const backups = addresses(given, "backup");
  const activeActive = given.flag("active-active");
  if (activeActive && (directors.length === 0 || backups.length === 0))
    throw new UsageError(
      "--active-active needs the address of each director: --director and --backup",
      NAME,
    );
  const wanted = await readMarks(given, io);
  const { services, marks } =
    activeActive &&
    directorsAreServers({ services: table.services, directors, backups })
      ? withFirewallMarks(table.services, wanted)
      : { services: table.services, marks: wanted };
  const described: Table = { ...table, services };
  return {
    table: described,
    rules: rulesOf(described, !activeActive),
    interface: device,
    serverInterface: interfaceName(given, "server-interface") ?? device,
    directors,
    backups,
    activeActive,
    macs: macAddresses(given),
    fullNat: given.flag("full-nat"),
    marks,
  };
}

/** The command lines that make a table, and those that remove it. */
function rulesOf(
  { daemons, ...rest }: Table,
  withDaemons: boolean,
): Site["rules"] {
  const running = withDaemons ? (daemons ?? []) : [];
  return {
    lines: Array.from(tableAsRules({ ...rest, daemons: running }), ({ text }) =>
      text.trimEnd(),
    ),
    undo: [
      ...running.map((daemon) =>
        changeLine({ command: "stop-daemon", daemon }),
      ),
      ...rest.services.map(({ key }) =>
        changeLine({ command: "delete-service", service: key }),
      ),
    ],
  };
}

async function kernelTable(io: Io): Promise<Table> {
  using access = new IpvsAccess(io);
  const client = await access.openWithoutLoading();
  const { services, daemons } = await readCurrentState(
    client,
    { timeouts: false, daemons: true },
    "steady",
  );
  return {
    services: services.map((service) => ({
      ...service,
      servers: oldestFirst(service.servers),
    })),
    ...(daemons && daemons.length > 0 && { daemons }),
  };
}

/** The names of the machines that are asked for; all of them if none is named. */
export function wantedMachines(given: Arguments, site: Site): string[] {
  const all = [
    "director",
    ...(site.backups.length > 0 ? ["backup"] : []),
    ...serverAddresses(site).map(formatAddress),
  ];
  const wanted = given.list("for");
  for (const name of wanted)
    if (!all.includes(canonical(name)))
      throw new UsageError(
        `--for ${escapeControls(name)}: no such machine; there are ${all.join(", ")}`,
        NAME,
      );
  return wanted.length === 0 ? all : [...new Set(wanted.map(canonical))];
}

function canonical(name: string): string {
  const address = parseAddress(name);
  return address ? formatAddress(address) : name;
}

/** The kernel's limits, and nothing that a shell or a file would take for something else. */
function interfaceName(given: Arguments, option: string): string | undefined {
  const name = given.text(option);
  if (name === undefined || /^[\w.@:-]{1,15}$/.test(name)) return name;
  throw new UsageError(
    `--${option} ${escapeControls(name)}: not the name of an interface`,
    NAME,
  );
}

function addresses(given: Arguments, option: string): Address[] {
  return given.list(option).map((text) => {
    const address = parseAddress(text);
    if (address) return address;
    throw new UsageError(
      `--${option} ${escapeControls(text)}: not an address`,
      NAME,
    );
  });
}

function macAddresses(given: Arguments): Site["macs"] {
  return given.list("mac").map((text) => {
    const [name = "", mac = "", ...rest] = text.split("=");
    const address = parseAddress(name);
    if (
      address &&
      rest.length === 0 &&
      /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)
    )
      return { address, mac: mac.toLowerCase() };
    throw new UsageError(
      `--mac ${escapeControls(text)}: write ADDRESS=MAC, such as 203.0.113.2=02:00:00:00:00:02`,
      NAME,
    );
  });
}

async function readMarks(given: Arguments, io: Io): Promise<Site["marks"]> {
  return Promise.all(
    given.list("mark").map(async (text) => {
      const wrong = (what: string) =>
        new UsageError(
          `--mark ${escapeControls(text)}: ${what}; write MARK=SERVICE, such as 7=tcp/192.0.2.1:80`,
          NAME,
        );
      const [, digits = "", name = ""] = /^([0-9]+)=(.+)$/.exec(text) ?? [];
      const mark = Number(digits);
      if (mark < 1 || mark > 0xffffffff) throw wrong("no firewall mark");
      const service = await readService(name, io.names);
      if ("firewallMark" in service || service.protocol === undefined)
        throw wrong("no service with a protocol");
      const { protocol, address, port } = service;
      return { mark, service: { protocol, address, port: port ?? 0 } };
    }),
  );
}
