import { selects, type ServiceSelector } from "../../grammar/selector.js";
import type { ServiceKey } from "../../ipvs/model.js";
import type { Names } from "../../system/names.js";
import type { Arguments } from "../../cli/parser.js";
import { protocolWord, readServices, type Named } from "../../cli/selectors.js";

/** Which part of the table the metrics describe. */
export interface Selection {
  /** Empty: all services */
  readonly services: readonly Named<ServiceSelector>[];
  /** tcp, udp, sctp or fwm. Empty: all protocols */
  readonly protocols: readonly string[];
  /** Whether real servers have no series of their own */
  readonly servicesOnly: boolean;
}

/** The whole table. */
export const WHOLE_TABLE: Selection = {
  services: [],
  protocols: [],
  servicesOnly: false,
};

/**
 * Reads `--service`, `--protocol` and `--services-only`. Whether the services exist is not checked: one may be added while
 * the exporter runs.
 *
 * @throws {SelectorFault}
 */
export async function readSelection(
  given: Arguments,
  names: Names,
): Promise<Selection> {
  return {
    services: await readServices(given.list("service"), names),
    protocols: given.list("protocol"),
    servicesOnly: given.flag("services-only"),
  };
}

/** Whether all services are selected. */
export function isWhole({ services, protocols }: Selection): boolean {
  return services.length + protocols.length === 0;
}

/** Whether a service is selected. */
export function isSelected(
  { services, protocols }: Selection,
  key: ServiceKey,
): boolean {
  return (
    (services.length === 0 ||
      services.some(({ selector }) => selects(selector, key))) &&
    (protocols.length === 0 ||
      protocols.some((protocol) => protocol === protocolWord(key)))
  );
}
