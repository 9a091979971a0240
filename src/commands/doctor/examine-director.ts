import { examine, needsOf } from "../../doctor/check.js";
import { DIRECTOR_CHECKS } from "../../doctor/director/checks.js";
import {
  gatherDirector,
  type DirectorOptions,
} from "../../doctor/director/gather.js";
import { withoutItsConsequences } from "../../doctor/director/firewall/neighbor-discovery.js";
import { examineUnseen } from "../../doctor/director/servers/unseen.js";
import { needsProbe } from "../../doctor/needs-probe.js";
import type { Io } from "../../runtime/io.js";
import type { Report } from "./report.js";

/**
 * Examines this machine as a director.
 *
 * @param wanted which kinds of findings to look for, by their ids
 * @param probe whether to connect to the real servers
 * @param seconds how long to listen for sync messages
 */
export async function examineDirector(
  io: Io,
  choose: DirectorOptions["choose"],
  wanted: (id: string) => boolean,
  probe: boolean,
  seconds?: number,
): Promise<Report> {
  const looked = (id: string) => wanted(id) && (probe || !needsProbe(id));
  const needs = needsOf(DIRECTOR_CHECKS, looked);
  const { facts, ...rest } = await gatherDirector(io, {
    choose,
    needs,
    probe,
    seconds,
  });
  const examination = examine(DIRECTOR_CHECKS, facts, looked);
  const findings = withoutItsConsequences(examination.findings, facts);
  return {
    role: "director",
    ...examination,
    findings,
    ...rest,
    next: examineUnseen(facts, findings),
  };
}
