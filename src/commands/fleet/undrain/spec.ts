import type { SubcommandSpec } from "../../../cli/spec.js";
import { summaryOf } from "../actions.js";
import { CONNECTION_OPTIONS } from "../connection-options.js";
import { ALL_SERVICES, FLEET_SERVER } from "../drain/spec.js";

export const fleetUndrainSpec: SubcommandSpec = {
  name: "fleet undrain",
  summary: summaryOf("undrain"),
  description: [
    "Ends a drain. Every director gives the real server the weight of its revision again. The arguments are those of 'fleet drain'.",
  ],
  positionals: FLEET_SERVER,
  options: [ALL_SERVICES, ...CONNECTION_OPTIONS],
  examples: [
    {
      command: "ipvsadm fleet undrain --all-services 198.51.100.10",
      shows: "use a machine again after maintenance",
    },
  ],
};
