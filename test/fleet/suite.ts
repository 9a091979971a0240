/* The tests with a real etcd. The argument is the folder that test/provide-etcd prints. */
import "../store/etcd-store.etcd.js";
import "./cli.etcd.js";
import "./failures.etcd.js";
import "./network.etcd.js";
import "./full-store.etcd.js";
import "./serve.etcd.js";
