// Firewalls, healthy directors, listeners of real servers, and what doctor reports. It runs beside another suite: test/lab/side-by-side.
import "./firewall.lab.js";
import "./healthy.lab.js";
import "./real-listeners.lab.js";
import "./report.lab.js";
