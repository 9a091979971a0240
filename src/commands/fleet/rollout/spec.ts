import type { SubcommandSpec } from "../../../cli/spec.js";
import { summaryOf } from "../actions.js";
import { CONNECTION_OPTIONS } from "../connection-options.js";
import { TABLE_NAME } from "../table-arguments.js";

export const rolloutSpec: SubcommandSpec = {
  name: "fleet rollout",
  summary: summaryOf("rollout"),
  description: [
    "Gives a staged revision ('fleet publish --stage') to the directors of its table, wave by wave. It runs until the rollout is done or stops. Directors that are silent or paused at the beginning are left out.",
    "A wave is a number or a percentage of the directors, counted from the first, a label, or all. At most --max-unavailable directors change at the same time. After each wave, --soak passes.",
    "It stops at the first director that cannot apply the revision, drifts, or becomes silent, and says why. The directors keep what they have. 'resume' continues; with gates, each director reports again. 'abort' gives all directors the released revision again. At the end, the revision is released, unless another one was released meanwhile: then the rollout fails.",
    "With --gate, each director is also examined 10 seconds after it applied the revision, and every 10 seconds until the rollout is done or aborted. A director counts as changed when it has passed once, and a wave ends when all have passed after --soak. The rollout stops at the first director that does not pass or does not report within --timeout.",
    "'fleet rollout NAME pause' stops a rollout that runs elsewhere until 'resume'. The pause does not count for --soak and --timeout. If the process of a rollout ended, 'resume' continues it. A rollout keeps its options.",
  ],
  positionals: [
    TABLE_NAME,
    {
      name: "WHAT",
      required: false,
      description:
        "a revision (default: the newest one), or pause, resume or abort",
    },
  ],
  options: [
    {
      name: "wave",
      type: "list",
      value: "WAVE",
      description:
        "the waves in order: 1, 10%, all, or a label such as site=fra (default: all)",
    },
    {
      name: "soak",
      type: "duration",
      value: "TIME",
      default: "60s",
      description: "how long to watch the directors after each wave",
    },
    {
      name: "max-unavailable",
      type: "integer",
      value: "N",
      minimum: 1,
      default: "1",
      description: "how many directors change at the same time",
    },
    {
      name: "timeout",
      type: "duration",
      value: "TIME",
      default: "2m",
      description: "how long a director may take to apply the revision",
    },
    {
      name: "gate",
      type: "list",
      value: "GATE",
      description:
        "what else each director must show: doctor, doctor=warning or failing=5% (default: nothing)",
    },
    ...CONNECTION_OPTIONS,
  ],
  terms: [
    {
      title: "Gates",
      terms: [
        [
          "doctor",
          "doctor, without --probe, can examine the director and finds no error",
        ],
        [
          "doctor=warning",
          "doctor can examine the director, and finds no error and no warning",
        ],
        [
          "failing=5%",
          "at most this share of the new connections of each TCP service fails: those in SYN_RECV whose last packet is a second old, of those that the kernel counted since the revision was applied, for at most a minute. Services with fewer than 10 new connections are not judged",
        ],
      ],
    },
  ],
  examples: [
    {
      command: "ipvsadm fleet rollout web --wave 1,10%,all --soak 5m",
      shows: "one director first, then a tenth, then the rest",
    },
    {
      command: "ipvsadm fleet rollout web --gate doctor,failing=5%",
      shows: "stop if doctor finds an error, or connections fail",
    },
    {
      command: "ipvsadm fleet rollout web abort",
      shows: "give all directors the released revision again",
    },
  ],
};
