import type { OptionSpec, SubcommandSpec } from "../../../cli/spec.js";
import { TEXT_OR_JSON } from "../../../cli/text-or-json.js";
import { summaryOf } from "../actions.js";
import { CONNECTION_OPTIONS } from "../connection-options.js";
import { TABLE_NAME } from "../table-arguments.js";

/** The options of both publish and rollback. */
export const PUBLISH_OPTIONS: readonly OptionSpec[] = [
  {
    name: "author",
    type: "text",
    value: "NAME",
    description: "who publishes (default: SUDO_USER, or USER)",
  },
  {
    name: "expect",
    type: "integer",
    value: "REVISION",
    description:
      "refuse if the newest revision is another one; 0: the table must not exist",
  },
  {
    name: "stage",
    type: "flag",
    description: "only store it; directors keep the released revision",
  },
  {
    name: "force",
    type: "flag",
    description: "let it remove more than half of the real servers",
  },
  TEXT_OR_JSON,
  ...CONNECTION_OPTIONS,
];

export const publishSpec: SubcommandSpec = {
  name: "fleet publish",
  summary: summaryOf("publish"),
  description: [
    "Checks FILE as 'ipvsadm check' does, and stores it as the next revision of the table NAME, with author, message and SHA-256. A revision never changes. Host names in FILE are looked up now.",
    "The directors of the table apply it at once, except with --stage.",
    "If another publisher was faster, nothing is published. If the answer of etcd is lost, publish reads back whether the revision was stored.",
    "A table without services needs --allow-empty. A revision that removes more than half of the real servers of the released revision, or sets their weight to 0, needs --force. Directors check the same against their own tables. The limit for a table is 1.4 MB with gzip.",
  ],
  positionals: [
    TABLE_NAME,
    {
      name: "FILE",
      required: true,
      description: "rules, JSON or YAML; - is standard input",
      completes: "file",
    },
  ],
  options: [
    {
      name: "message",
      alias: "m",
      type: "text",
      value: "TEXT",
      description: "why (required)",
    },
    {
      name: "allow-empty",
      type: "flag",
      description: "publish a table without services",
    },
    ...PUBLISH_OPTIONS,
  ],
  examples: [
    {
      command: "ipvsadm fleet publish web web.yaml -m 'add 10.0.0.13'",
      shows: "store web.yaml as the next revision of the table web",
    },
    {
      command: "ipvsadm fleet publish web web.yaml -m new --expect 0",
      shows: "create the table; refuse if it exists",
    },
  ],
};
