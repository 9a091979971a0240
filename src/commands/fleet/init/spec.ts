import type { SubcommandSpec } from "../../../cli/spec.js";
import { summaryOf } from "../actions.js";
import { CONNECTION_OPTIONS } from "../connection-options.js";

export const initSpec: SubcommandSpec = {
  name: "fleet init",
  summary: summaryOf("init"),
  description: [
    "Creates the roles ipvsadm-publisher (reads and writes all keys of fleet), ipvsadm-viewer (reads them) and ipvsadm-director (reads tables, orders and drains). With --director, it also creates a role that may write the report of that director only, and a user of that name. Users have no password: the CN of a certificate is the user. What exists already is kept.",
    "etcd checks permissions when authentication is enabled. --enable-auth creates the user root with the role root, and enables it. From then on, only a certificate with the CN root can create users.",
    "A director's certificate cannot change a table, another director's report or a drain.",
  ],
  positionals: [],
  options: [
    {
      name: "director",
      type: "list",
      value: "NAME",
      description: "create the user and the role of a director",
    },
    {
      name: "publisher",
      type: "list",
      value: "NAME",
      description: "create a user with the role ipvsadm-publisher",
    },
    {
      name: "viewer",
      type: "list",
      value: "NAME",
      description: "create a user with the role ipvsadm-viewer",
    },
    {
      name: "enable-auth",
      type: "flag",
      description: "enable authentication in etcd",
    },
    ...CONNECTION_OPTIONS,
  ],
  examples: [
    {
      command: "ipvsadm fleet init --director lb1,lb2 --enable-auth",
      shows: "create the users of two directors, and check permissions",
    },
  ],
};
