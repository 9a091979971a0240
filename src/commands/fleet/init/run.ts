import { EXIT } from "../../../cli/exit-status.js";
import type { RunSubcommand } from "../../../cli/invocation.js";
import {
  DIRECTOR_ROLE,
  directorRole,
  PUBLISHER_ROLE,
  ROLES,
  VIEWER_ROLE,
} from "../../../fleet/roles.js";
import { withStore } from "../open-store.js";
import { fleetName } from "../table-arguments.js";

export const run: RunSubcommand = (call) => {
  const { given, output } = call;
  const named = (option: string) =>
    given.list(option).map((name) => fleetName(name, option, "init"));
  const directors = named("director");
  const publishers = named("publisher");
  const viewers = named("viewer");
  return withStore(call, async ({ store, keys }) => {
    const { EtcdAdmin } = await import("../../../store/etcd/admin.js");
    const admin = new EtcdAdmin(store.cluster);
    for (const { name, grants } of ROLES) {
      await admin.addRole(name, grants(keys));
      output.lines([`role ${name}`]);
    }
    for (const director of directors) {
      const { name, grants } = directorRole(director);
      await admin.addRole(name, grants(keys));
      await admin.addUser(director, [DIRECTOR_ROLE, name]);
      output.lines([`role ${name}`, `user ${director}: director`]);
    }
    for (const [users, role] of [
      [publishers, PUBLISHER_ROLE],
      [viewers, VIEWER_ROLE],
    ] as const)
      for (const user of users) {
        await admin.addUser(user, [role]);
        output.lines([`user ${user}: ${role}`]);
      }
    if (given.flag("enable-auth")) {
      await admin.addRole("root", []);
      await admin.addUser("root", ["root"]);
      await admin.enable();
      output.lines(["user root: root", "authentication is enabled"]);
    }
    return EXIT.ok;
  });
};
