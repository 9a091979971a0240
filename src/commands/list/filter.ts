import {
  selects,
  selectsServer,
  UnknownSelected,
  type ServiceSelector,
} from "../../grammar/selector.js";
import type { Endpoint } from "../../grammar/endpoint.js";
import { FORWARDING } from "../../document/enum-names.js";
import type { AssessedService } from "../../ipvs/state.js";
import { CommandError } from "../../cli/errors.js";
import { escapeControls } from "../../cli/escape.js";
import {
  checkServices,
  protocolWord,
  suggestion,
  type Named,
} from "../../cli/selectors.js";
import type { ListedService } from "./rows.js";

/** What a listing shows. Values of one filter are ORed; different filters are ANDed. An empty filter selects everything. */
export interface Filters {
  readonly services: readonly Named<ServiceSelector>[];
  readonly servers: readonly Named<Endpoint>[];
  /** tcp, udp, sctp or fwm */
  readonly protocols: readonly string[];
  readonly schedulers: readonly string[];
  readonly forwarding: readonly string[];
  /** States of services and of real servers */
  readonly states: readonly string[];
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
  return table
    .filter((service) => selectsService(filters, service))
    .flatMap((service) => selectServers(service, filters) ?? []);
}

function selectsService(
  { services, protocols, schedulers }: Filters,
  { key, settings }: AssessedService,
): boolean {
  return (
    matches(services, ({ selector }) => selects(selector, key)) &&
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
      matches(servers, ({ selector }) => selectsServer(selector, key)) &&
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

function checkServers(
  named: readonly Named<Endpoint>[],
  table: readonly AssessedService[],
): void {
  for (const { text, selector } of named)
    if (
      !table.some(({ servers }) =>
        servers.some(({ key }) => selectsServer(selector, key)),
      )
    )
      throw new UnknownSelected(
        `no service has the real server ${text}`,
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
