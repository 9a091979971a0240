import type { OptionSpec } from "../cli/spec.js";

/* The options of a server. The specs import them, so this file imports no code. */

export const ACCESS_OPTIONS: readonly OptionSpec[] = [
  {
    name: "token-file",
    type: "text",
    value: "FILE",
    description:
      "only clients with the token in this file may read: as 'Authorization: Bearer TOKEN', or as a password with any user name",
    completes: "file",
  },
  {
    name: "cert",
    type: "text",
    value: "FILE",
    description: "serve HTTPS with this certificate (PEM, with --key)",
    completes: "file",
  },
  {
    name: "key",
    type: "text",
    value: "FILE",
    description: "the key of the certificate (PEM)",
    completes: "file",
  },
  {
    name: "host-name",
    type: "list",
    value: "NAME",
    description:
      "also answer requests for this host name. Addresses, localhost, this machine's host name and the names in the certificate need no option",
  },
];
