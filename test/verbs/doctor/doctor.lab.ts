import "./nat.lab.js";
import "./direct.lab.js";
import "./tunnel.lab.js";
import "./backup.lab.js";
import "./machine.lab.js";
