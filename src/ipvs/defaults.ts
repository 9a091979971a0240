import {
  DIRECT_ROUTING,
  IPIP,
  wholeNetmask,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
} from "./model.js";

/**
 * Fills in the settings of a new virtual service with ipvsadm's defaults: scheduler `wlc`, no
 * persistence, no flags.
 *
 * To edit an existing service, start with its own settings, from {@link IpvsClient.service}.
 * Otherwise the edit resets everything that is not in `given`.
 *
 * @param service the key of the service; its family determines the default netmask
 * @param given the settings that differ from the defaults
 * @since 0.1.0
 */
export function serviceSettings(
  service: ServiceKey,
  given: Partial<ServiceSettings> = {},
): ServiceSettings {
  return {
    scheduler: "wlc",
    flags: 0,
    timeoutSeconds: 0,
    netmask: wholeNetmask(service.family),
    ...given,
  };
}

/**
 * Fills in the settings of a new real server with ipvsadm's defaults: direct routing, weight 1, no
 * thresholds.
 *
 * To edit an existing server, start with its own settings, from {@link IpvsClient.servers}.
 * Otherwise the edit resets everything that is not in `given`.
 *
 * @param given the settings that differ from the defaults
 * @since 0.1.0
 */
export function serverSettings(
  given: Partial<ServerSettings> = {},
): ServerSettings {
  return {
    forwarding: DIRECT_ROUTING,
    weight: 1,
    tunnel: IPIP,
    upperThreshold: 0,
    lowerThreshold: 0,
    ...given,
  };
}
