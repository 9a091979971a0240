// The doctor, in a guest of its own: it would find what other tests leave behind.
import "./nat.lab.js";
import "./firewall.lab.js";
import "./nat-traffic.lab.js";
import "./client.lab.js";
import "./healthy.lab.js";
import "./direct.lab.js";
import "./tunnel.lab.js";
import "./backup.lab.js";
import "./machine.lab.js";
import "./real-direct.lab.js";
import "./real-listeners.lab.js";
import "./real-tunnel.lab.js";
import "./real-ways.lab.js";
import "./report.lab.js";
