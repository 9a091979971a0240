import { OUTPUT_FORMAT, SERVER_OF_SERVICE } from "../drain/spec.js";
import type { SubcommandSpec } from "../../cli/spec.js";

export const undrainSpec: SubcommandSpec = {
  name: "undrain",
  summary: "a drained real server gets connections again",
  description: [
    "Gives a real server that was drained the weight that it had before, or the one that --weight says, and leaves all else of it as it is.",
    "Old weights are remembered in /run/ipvsadm, until the machine starts anew. Where none is, --weight is needed. A server whose weight is not 0 is not touched, unless --weight says so.",
  ],
  positionals: SERVER_OF_SERVICE,
  options: [
    {
      name: "weight",
      type: "number",
      value: "WEIGHT",
      minimum: 1,
      maximum: 2_147_483_647,
      description: "this weight, whatever it was before",
    },
    OUTPUT_FORMAT,
  ],
  examples: [
    {
      command: "ipvsadm undrain tcp/192.0.2.1:80 198.51.100.10",
      shows: "connections again, as before",
    },
    {
      command: "ipvsadm undrain 192.0.2.1:80 198.51.100.10:80 --weight 1",
      shows: "begin gently",
    },
  ],
};
