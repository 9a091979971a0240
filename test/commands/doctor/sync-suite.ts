// Sync daemons, backup directors, deleted services, and the way of a client. It runs beside another suite: test/lab/side-by-side.
import "./sync.lab.js";
import "./backup.lab.js";
import "./deleted-services.lab.js";
import "./client.lab.js";
