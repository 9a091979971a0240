import {
  formatEndpoint,
  formatService,
  type ServerKey,
  type ServiceKey,
} from "../ipvs/model.js";

/** A text that identifies a real server of a service, for use as a key of a map. */
export function serverId(
  service: ServiceKey,
  { address, port }: ServerKey,
): string {
  return `${formatService(service)} ${formatEndpoint(address, port)}`;
}
