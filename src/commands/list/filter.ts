import { formatSelector, UnknownSelected } from "../../grammar/selector.js";
import { FORWARDING } from "../../document/enum-names.js";
import type { AssessedService } from "../../ipvs/state.js";
import type { Names } from "../../system/names.js";
import { CommandError } from "../../cli/errors.js";
import { escapeControls } from "../../cli/escape.js";
import {
  readServerFilter,
  readServiceFilter,
  selectsFiltered,
  selectsFilteredServer,
  type ServerFilter,
  type ServiceFilter,
} from "../../cli/network-filters.js";
import type { Arguments } from "../../cli/parser.js";
import { protocolWord, suggestion, type Named } from "../../cli/selectors.js";
import type { ListedService } from "./rows.js";

/** What a listing shows. Values of one filter are ORed; different filters are ANDed. An empty filter selects everything. */
export interface Filters {
  readonly services: readonly Named<ServiceFilter>[];
  readonly servers: readonly Named<ServerFilter>[];
  /** tcp, udp, sctp or fwm */
  readonly protocols: readonly string[];
  readonly schedulers: readonly string[];
  readonly forwarding: readonly string[];
  /** States of services and of real servers */
  readonly states: readonly string[];
}

/** Filters that select everything. */
export const NO_FILTERS: Filters = {
  services: [],
  servers: [],
  protocols: [],
  schedulers: [],
  forwarding: [],
  states: [],
};

/** Reads the filters of the command line. @param subcommand for errors @throws {SelectorFault} @throws {UsageError} */
export async function readFilters(
  given: Arguments,
  names: Names,
  subcommand: string,
): Promise<Filters> {
  return {
    services: await Promise.all(
      given.positionals.map(async (text) => ({
        text: escapeControls(text),
        selector: await readServiceFilter(text, names),
      })),
    ),
    servers: await Promise.all(
      given.list("server").map(async (text) => ({
        text: escapeControls(text),
        selector: await readServerFilter(text, names, subcommand),
      })),
    ),
    protocols: given.list("protocol"),
    schedulers: given.list("scheduler"),
    forwarding: given.list("forwarding"),
    states: given.list("state"),
  };
}

/** Whether any filter is set, so that the listing may be a part of the table. */
export function isFiltered(filters: Filters): boolean {
  return Object.values<readonly unknown[]>({ ...filters }).some(
    (filter) => filter.length > 0,
  );
}

/**
 * Selects services and their servers.
 *
 * A service is listed if one of its servers is selected. If neither servers nor forwarding methods are filtered, it is
 * also listed if its own state is selected, and then with all its servers.
 *
 * @throws {UnknownSelected} a named service or server is not in the table
 * @throws {CommandError} no service has a named scheduler
 */
export function applyFilters(
  table: readonly AssessedService[],
  filters: Filters,
): ListedService[] {
  checkServices(filters.services, table);
  checkServers(filters.servers, table);
  checkSchedulers(filters.schedulers, table);
  return selectListed(table, filters);
}

/** The same, but what is named need not exist. */
export function selectListed(
  table: readonly AssessedService[],
  filters: Filters,
): ListedService[] {
  return table
    .filter((service) => selectsService(filters, service))
    .flatMap((service) => selectServers(service, filters) ?? []);
}

function selectsService(
  { services, protocols, schedulers }: Filters,
  { key, settings }: AssessedService,
): boolean {
  return (
    matches(services, ({ selector }) => selectsFiltered(selector, key)) &&
    matches(protocols, (protocol) => protocol === protocolWord(key)) &&
    matches(schedulers, (scheduler) => scheduler === settings.scheduler)
  );
}

/** The service with its selected servers. Undefined if it is not listed. */
function selectServers(
  service: AssessedService,
  { servers, forwarding, states }: Filters,
): ListedService | undefined {
  const ownState = service.state !== "ok" && states.includes(service.state);
  const selected = service.servers.filter(
    ({ key, settings, state }) =>
      matches(servers, ({ selector }) =>
        selectsFilteredServer(selector, key),
      ) &&
      matches(
        forwarding,
        (method) => method === FORWARDING.word(settings.forwarding),
      ) &&
      (ownState || matches(states, (one) => one === state)),
  );
  const anyServer = servers.length + forwarding.length === 0;
  return selected.length > 0 || (anyServer && (ownState || states.length === 0))
    ? { service, servers: selected }
    : undefined;
}

/** Whether one of the values of a filter matches, or the filter is not set. */
function matches<T>(
  filter: readonly T[],
  test: (value: T) => boolean,
): boolean {
  return filter.length === 0 || filter.some(test);
}

function checkServices(
  named: readonly Named<ServiceFilter>[],
  table: readonly AssessedService[],
): void {
  for (const { text, selector } of named)
    if (!table.some(({ key }) => selectsFiltered(selector, key))) {
      const known = table.map(({ key }) => formatSelector(key));
      const where = "network" in selector ? `in ${text}` : text;
      throw new UnknownSelected(
        `there is no service ${where}`,
        suggestion(text, known, "services"),
      );
    }
}

function checkServers(
  named: readonly Named<ServerFilter>[],
  table: readonly AssessedService[],
): void {
  for (const { text, selector } of named)
    if (
      !table.some(({ servers }) =>
        servers.some(({ key }) => selectsFilteredServer(selector, key)),
      )
    )
      throw new UnknownSelected(
        text.includes("/")
          ? `no service has a real server in ${text}`
          : `no service has the real server ${text}`,
        "'ipvsadm list' shows all real servers",
      );
}

function checkSchedulers(
  named: readonly string[],
  table: readonly AssessedService[],
): void {
  const used = new Set(table.map(({ settings }) => settings.scheduler));
  for (const scheduler of named)
    if (!used.has(scheduler))
      throw new CommandError(
        `no service has scheduler ${escapeControls(scheduler)}`,
        suggestion(scheduler, [...used], "schedulers"),
      );
}
