import type { OptionSpec } from "./spec.js";

/** `--all-services MACHINE`. @param does what is done to the machine: `drain` */
export function allServicesOption(does: string): OptionSpec {
  return {
    name: "all-services",
    type: "text",
    value: "MACHINE",
    description: `${does} this machine, at any port, in every service that has it as a real server: 198.51.100.10`,
  };
}
