import type { OptionSpec } from "../../cli/spec.js";

/** Where the settings are that no option gives. */
export const CONFIGURATION_FILE = "/etc/ipvsadm/fleet.yaml";

/** The default prefix of all keys. */
export const DEFAULT_PREFIX = "/ipvsadm/";

/** How to reach etcd. All actions have these options. */
export const CONNECTION_OPTIONS: readonly OptionSpec[] = [
  {
    name: "config",
    type: "text",
    value: "FILE",
    description: `settings that no option gives (default: ${CONFIGURATION_FILE}, if it exists)`,
    completes: "file",
  },
  {
    name: "endpoints",
    type: "list",
    value: "URL",
    description:
      "the members of etcd: https://10.0.0.1:2379 (default: http://127.0.0.1:2379)",
  },
  {
    name: "cacert",
    type: "text",
    value: "FILE",
    description: "the authority that signs the certificates of the members",
    completes: "file",
  },
  {
    name: "cert",
    type: "text",
    value: "FILE",
    description: "the client's certificate; its CN is the user",
    completes: "file",
  },
  {
    name: "key",
    type: "text",
    value: "FILE",
    description: "the key of the certificate",
    completes: "file",
  },
  {
    name: "user",
    type: "text",
    value: "NAME",
    description: "the user of etcd, if a password is used instead",
  },
  {
    name: "password-file",
    type: "text",
    value: "FILE",
    description: "the file that contains the password of --user",
    completes: "file",
  },
  {
    name: "prefix",
    type: "text",
    value: "TEXT",
    description: `the beginning of all keys (default: ${DEFAULT_PREFIX})`,
  },
  {
    name: "deadline",
    type: "duration",
    value: "TIME",
    default: "10s",
    description: "how long a call to etcd may take, over all members",
  },
];
