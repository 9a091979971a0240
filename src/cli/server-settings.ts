import { FORWARDING } from "../document/enum-names.js";
import { TUNNELING, type ServerSettings } from "../ipvs/model.js";
import { tunnelInfo } from "../view/listing.js";

/** The forwarding method, with the tunnel if there is one: `tunnel gue:6080:+c` */
export function forwardingText(settings: ServerSettings): string {
  const method = FORWARDING.word(settings.forwarding);
  const tunnel =
    settings.forwarding === TUNNELING ? ` ${tunnelInfo(settings)}` : "";
  return `${method ?? settings.forwarding}${tunnel}`;
}

/** The lower and upper threshold: `80-100`, `100` without a lower one, or nothing */
export function limitsText(settings: ServerSettings): string {
  const { upperThreshold, lowerThreshold } = settings;
  const upper = upperThreshold === 0 ? "" : String(upperThreshold);
  return lowerThreshold === 0 ? upper : `${lowerThreshold}-${upper}`;
}
