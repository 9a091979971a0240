// Faults of real servers, deleted services, a backup and modules, in a guest of their own: doctor would find what other tests leave behind.
import "./dead-servers.lab.js";
import "./deleted-services.lab.js";
import "./backup.lab.js";
import "./machine.lab.js";
import "./ftp.lab.js";
import "./real-direct.lab.js";
import "./real-listeners.lab.js";
import "./real-tunnel.lab.js";
import "./real-ways.lab.js";
import "./report.lab.js";
