import { SERVER_OF_SERVICE } from "../drain/spec.js";
import { allServicesOption } from "../../cli/machine-option.js";
import type { SubcommandSpec } from "../../cli/spec.js";
import { TEXT_OR_JSON } from "../../cli/text-or-json.js";

export const undrainSpec: SubcommandSpec = {
  name: "undrain",
  summary: "restore the weight of a drained real server",
  description: [
    "Sets the weight of a drained real server to the value before 'ipvsadm drain', or to --weight. Other settings are not changed.",
    "--all-services restores the weights of a machine in every service where it is drained: all, or none. It fails before the first change if one of them has no saved weight. Where the machine is not drained, its weight stays. With --weight, it gets this weight everywhere.",
    "'ipvsadm drain' saves the weight in /run/ipvsadm, until reboot. If there is no saved weight, --weight is required. A server whose weight is not 0 is changed only with --weight.",
  ],
  positionals: SERVER_OF_SERVICE,
  options: [
    allServicesOption("restore the weights of"),
    {
      name: "weight",
      type: "number",
      value: "WEIGHT",
      minimum: 1,
      maximum: 2_147_483_647,
      description: "the new weight, instead of the saved one",
    },
    {
      name: "dry-run",
      type: "flag",
      description: "print what would be done; change nothing",
    },
    TEXT_OR_JSON,
  ],
  examples: [
    {
      command: "ipvsadm undrain tcp/192.0.2.1:80 198.51.100.10",
      shows: "restore the saved weight",
    },
    {
      command: "ipvsadm undrain 192.0.2.1:80 198.51.100.10:80 --weight 1",
      shows: "start with a low weight",
    },
    {
      command: "ipvsadm undrain --all-services 198.51.100.10",
      shows: "restore the weights of a machine after maintenance",
    },
  ],
};
