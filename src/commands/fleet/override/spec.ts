import type { SubcommandSpec } from "../../../cli/spec.js";
import { summaryOf } from "../actions.js";
import { CONNECTION_OPTIONS } from "../connection-options.js";
import { DIRECTOR_NAME } from "../table-arguments.js";

export const overrideSpec: SubcommandSpec = {
  name: "fleet override",
  summary: summaryOf("override"),
  description: [
    "A paused director applies no revision and heals nothing. It still carries out drains, and reports. After 'resume' it applies the wanted revision.",
  ],
  positionals: [
    DIRECTOR_NAME,
    {
      name: "WHAT",
      required: true,
      choices: ["pause", "resume"],
      description: "what the director is to do",
    },
  ],
  options: [...CONNECTION_OPTIONS],
  examples: [
    {
      command: "ipvsadm fleet override lb1 pause",
      shows: "keep the table of lb1 as it is",
    },
  ],
};
