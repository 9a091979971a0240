import {
  selects,
  selectsServer,
  UnknownSelected,
} from "../../grammar/selector.js";
import {
  formatSelector,
  type ServiceSelector,
} from "../../grammar/selector.js";
import type { Endpoint } from "../../grammar/endpoint.js";
import type { ServiceKey } from "../../ipvs/model.js";
import { FORWARDING, PROTOCOL_WORDS } from "../../document/enum-names.js";
import type { AssessedServer, AssessedService } from "../../ipvs/state.js";
import { CommandError } from "../../cli/errors.js";
import { nearest } from "../../text/nearest.js";
import { escapeControls } from "../../cli/escape.js";

/** A word of the command line, and what it was read as. */
export interface Wanted<T> {
  readonly text: string;
  readonly meant: T;
}

/** What of a table is to be shown; an empty list is no wish. */
export interface Selection {
  readonly services: readonly Wanted<ServiceSelector>[];
  readonly servers: readonly Wanted<Endpoint>[];
  /** tcp, udp, sctp or fwm */
  readonly protocols: readonly string[];
  readonly schedulers: readonly string[];
  readonly forwarding: readonly string[];
  /** States of services and of real servers */
  readonly states: readonly string[];
}

/** Whether anything is asked for, so that something may be left out. */
export function isSelective(selection: Selection): boolean {
  return Object.values<readonly unknown[]>({ ...selection }).some(
    (wishes) => wishes.length > 0,
  );
}

/** A service that is shown, and which of its servers are. */
export interface Shown {
  /** With all its servers */
  readonly service: AssessedService;
  readonly servers: readonly AssessedServer[];
}

/**
 * The services that are wanted, with the servers that are. A service is there if it has a server that is, or none and
 * no server was asked for; all servers of a service are there whose own state was asked for.
 *
 * @throws {UnknownSelected} when a service or server that was named is not in the table
 * @throws {CommandError} when no service has a scheduler that was named
 */
export function selectFrom(
  table: readonly AssessedService[],
  selection: Selection,
): Shown[] {
  checkServices(table, selection.services);
  checkServers(table, selection.servers);
  checkSchedulers(table, selection.schedulers);
  return table
    .filter((service) => wantsService(selection, service))
    .flatMap((service) => wantedOf(service, selection) ?? []);
}

function wantsService(
  { services, protocols, schedulers }: Selection,
  { key, settings }: AssessedService,
): boolean {
  return (
    among(services, ({ meant }) => selects(meant, key)) &&
    among(protocols, (protocol) => protocol === protocolOf(key)) &&
    among(schedulers, (scheduler) => scheduler === settings.scheduler)
  );
}

function wantedOf(
  service: AssessedService,
  { servers, forwarding, states }: Selection,
): Shown | undefined {
  const itself = service.state !== "ok" && states.includes(service.state);
  const wanted = service.servers.filter(
    ({ key, settings, state }) =>
      among(servers, ({ meant }) => selectsServer(meant, key)) &&
      among(
        forwarding,
        (word) => word === FORWARDING.word(settings.forwarding),
      ) &&
      (itself || among(states, (one) => one === state)),
  );
  const any = servers.length + forwarding.length === 0;
  return wanted.length > 0 || (any && (itself || states.length === 0))
    ? { service, servers: wanted }
    : undefined;
}

/** Whether one of the wishes holds, or there is none. */
function among<T>(wishes: readonly T[], holds: (wish: T) => boolean): boolean {
  return wishes.length === 0 || wishes.some(holds);
}

function protocolOf(key: ServiceKey): string | undefined {
  return "firewallMark" in key ? "fwm" : PROTOCOL_WORDS.word(key.protocol);
}

/** How many choices an error shows. */
const SHOWN_CHOICES = 4;

function checkServices(
  table: readonly AssessedService[],
  wanted: readonly Wanted<ServiceSelector>[],
): void {
  for (const { text, meant } of wanted) {
    if (table.some(({ key }) => selects(meant, key))) continue;
    throw new UnknownSelected(
      `there is no service ${escapeControls(text)}`,
      choices(
        text,
        table.map(({ key }) => formatSelector(key)),
        "no service at all",
      ),
    );
  }
}

function checkServers(
  table: readonly AssessedService[],
  wanted: readonly Wanted<Endpoint>[],
): void {
  for (const { text, meant } of wanted)
    if (
      !table.some(({ servers }) =>
        servers.some(({ key }) => selectsServer(meant, key)),
      )
    )
      throw new UnknownSelected(
        `no service has the real server ${escapeControls(text)}`,
        "'ipvsadm list' shows those that there are",
      );
}

function checkSchedulers(
  table: readonly AssessedService[],
  wanted: readonly string[],
): void {
  const used = new Set(table.map(({ settings }) => settings.scheduler));
  for (const scheduler of wanted)
    if (!used.has(scheduler))
      throw new CommandError(
        `no service has scheduler ${escapeControls(scheduler)}`,
        choices(scheduler, [...used], "no service at all"),
      );
}

/** What somebody may have meant. */
function choices(text: string, all: readonly string[], none: string): string {
  if (all.length === 0) return `there is ${none}`;
  const near = nearest(text, all) ?? nearest(`tcp/${text}`, all);
  if (near !== undefined) return `did you mean ${near}?`;
  const more = all.length > SHOWN_CHOICES ? ", …" : "";
  return `there are ${all.slice(0, SHOWN_CHOICES).join(", ")}${more}`;
}
