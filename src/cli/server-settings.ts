import { FORWARDING } from "../document/enum-names.js";
import { TUNNELING, type ServerSettings } from "../ipvs/model.js";
import { tunnelInfo } from "../view/listing.js";

/** `tunnel gue:6080:+c` */
export function forwardingText(settings: ServerSettings): string {
  const word = FORWARDING.word(settings.forwarding);
  const tunnel =
    settings.forwarding === TUNNELING ? ` ${tunnelInfo(settings)}` : "";
  return `${word ?? settings.forwarding}${tunnel}`;
}

/** `80-100`: lower and upper threshold */
export function limitsText(settings: ServerSettings): string {
  const { upperThreshold: upper, lowerThreshold: lower } = settings;
  const shown = upper === 0 ? "" : String(upper);
  return lower === 0 ? shown : `${lower}-${shown}`;
}
