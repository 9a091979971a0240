// Firewalls, and what doctor reports. It runs beside another suite: test/lab/side-by-side.
import "./firewall.lab.js";
import "./report.lab.js";
