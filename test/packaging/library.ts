import {
  formatService,
  IpvsUnavailable,
  openIpvs,
  parseService,
  SocketFault,
} from "ipvsadm";

/*
 * Runs in a project that has the package installed: imports it, and prints what is missing if IPVS
 * cannot be used.
 */

const name = "TCP [2001:db8::1]:80";
if (formatService(parseService(name)) !== name) throw new Error("misread");
try {
  const ipvs = await openIpvs();
  await ipvs.close();
  console.log("IPVS is there");
} catch (error) {
  if (!(error instanceof IpvsUnavailable || error instanceof SocketFault))
    throw error;
  console.log(`${error.message}: ${error.advice}`);
}
