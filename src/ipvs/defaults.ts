import {
  DIRECT_ROUTING,
  IPIP,
  wholeNetmask,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
} from "./model.js";

/**
 * All the settings of a new virtual service, of which only some are given.
 *
 * What is not given is as ipvsadm has it: scheduler `wlc`, not persistent. For a service that is there already,
 * take its own settings instead, or what is not given is lost.
 *
 * @param service whose family the netmask is for
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
 * All the settings of a new real server, of which only some are given.
 *
 * What is not given is as ipvsadm has it: direct routing, weight 1, no thresholds. For a server that is there
 * already, take its own settings instead, or what is not given is lost.
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
