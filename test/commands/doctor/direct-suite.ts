// Direct routing, seen from the director and from real servers, bonds, and healthy directors. It runs beside another suite: test/lab/side-by-side.
import "./direct.lab.js";
import "./direct-causes.lab.js";
import "./direct-firewall.lab.js";
import "./direct-ipv6.lab.js";
import "./redirects.lab.js";
import "./udp-pinned.lab.js";
import "./bonds.lab.js";
import "./real-direct.lab.js";
import "./healthy.lab.js";
