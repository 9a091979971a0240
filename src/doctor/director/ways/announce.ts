import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import { formatHardwareAddress, type Device } from "../../../rtnl/model.js";
import type { Fix } from "../../finding.js";
import { deviceOf, type Network } from "../../network.js";
import { shellWord } from "../../shell.js";

/** The interface to other machines that has an address: not lo, and not a dummy. */
export function announcedOn(
  network: Network,
  address: Address,
): Device | undefined {
  return network.addresses
    .filter((own) => sameAddress(own.address, address))
    .map(({ device }) => deviceOf(network, device))
    .find(
      (device) =>
        device?.up === true && device.asksNeighbors && device.kind !== "dummy",
    );
}

/** What tells the neighbors the hardware address of a virtual address that this machine took over; none without such an interface. */
export function announce(network: Network, address: Address): Fix[] {
  const device = announcedOn(network, address);
  if (!device?.hardwareAddress) return [];
  const word = shellWord(device.name);
  const isIpv4 = address.length === 4;
  const setting = isIpv4
    ? `net.ipv4.conf.${device.name.replaceAll(".", "/")}.arp_notify`
    : `net.ipv6.conf.${device.name.replaceAll(".", "/")}.ndisc_notify`;
  const again = `sysctl -w ${shellWord(setting)}=1 && ip link set ${word} address ${formatHardwareAddress(device.hardwareAddress)}`;
  const who =
    "if this machine must have the address: neighbors that still have the hardware address of another machine take that of this one";
  const all = `announces all addresses of ${device.name}, and ${device.name} asks for its neighbors again`;
  const keep =
    "this setting does not announce an address that is added later: what adds it at a take-over must announce it, as keepalived does";
  return isIpv4
    ? [
        {
          command: `arping -U -c 3 -I ${word} ${formatAddress(address)}`,
          effect: `${who}. Without arping (package iputils-arping): '${again}' ${all}; ${keep}`,
        },
      ]
    : [{ command: again, effect: `${who}; ${all}` }];
}
