import {
  formatService,
  IpvsUnavailable,
  openIpvs,
  parseService,
  SocketFault,
} from "ipvsadm";

/*
 * For a project that has the package installed: whether it can be imported, and says what is missing where it
 * cannot work.
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
