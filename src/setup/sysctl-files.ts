import { undoLines } from "./shell.js";
import {
  fileOf,
  stepsOf,
  type FileFormat,
  type SetupFile,
} from "./setup-file.js";
import type { Machine } from "./step.js";

/** Settings and modules. @see sysctl.d(5), modules-load.d(5), modprobe.d(5) */
export const SYSCTL_FILES: FileFormat = {
  filesOf,
  undoLines: (machine) => [
    ...filesOf(machine).map(({ path }) => `rm ${path}`),
    ...stepsOf(machine, "sysctl").toReversed().flatMap(undoLines),
  ],
};

function filesOf(machine: Machine): SetupFile[] {
  return [
    ...fileOf(
      "/etc/modules-load.d/ipvs.conf",
      stepsOf(machine, "module").map(({ name }) => name),
    ),
    ...fileOf(
      "/etc/modprobe.d/ipvs.conf",
      stepsOf(machine, "module").flatMap(({ name, options }) =>
        options === undefined ? [] : [`options ${name} ${options}`],
      ),
    ),
    ...fileOf(
      "/etc/sysctl.d/90-ipvs.conf",
      stepsOf(machine, "sysctl").map(({ name, value }) => `${name} = ${value}`),
    ),
  ];
}
