/** A configuration of keepalived with every statement that we read. */
export const KEEPALIVED = `! Configuration
global_defs {
  router_id lb1
  lvs_sync_daemon eth0 VI_1 id 7 maxlen 1400 port 8848 ttl 2 group 224.0.0.81
  lvs_timeouts tcp 900 tcpfin 60 udp 30
}
$NET=10.1.0
vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_ipaddress {
    192.0.2.1/24 dev eth0
  }
}
virtual_server_group WEB {
  192.0.2.1 80
  192.0.2.2-4 80
  fwmark 7
}
virtual_server 192.0.2.1 443 {
  delay_loop 6
  lb_algo wrr
  lb_kind NAT
  persistence_timeout 300
  persistence_granularity 255.255.255.0
  protocol TCP
  alpha
  sorry_server 127.0.0.1 8080
  real_server \${NET}.11 8443 {
    weight 3
    uthreshold 100
    lthreshold 50
    TCP_CHECK {
      connect_timeout 3
    }
  }
  real_server \${NET}.12 8443 {
    weight 0
    inhibit_on_failure
    MISC_CHECK { misc_path "/bin/true" }
  }
}
virtual_server group WEB {
  lvs_sched mh
  lvs_method TUN type gue port 5555 csum
  protocol TCP
  real_server 2001:db8::11 80 {
    weight 1
  }
}
virtual_server fwmark 9 {
  lb_algo sh
  flag-1
  lb_kind DR
  ip_family inet6
  ops
  protocol UDP
  real_server fd00::11 0 { weight 2 }
}
`;

/** A configuration of ldirectord with every kind of service. */
export const LDIRECTORD = `# Global options
checktimeout = 60
checkinterval=1
autoreload=yes
quiescent = no
fallback = 127.0.0.1
logfile = "/var/log/ldirectord.log"

virtual = 192.0.2.1:80
	real = 10.1.0.11:80 masq 3
	real=10.1.0.12->10.1.0.14:8080 masq 2 "/check.html", "OK"
	fallback = 127.0.0.1:8081 gate
	protocol = tcp
	scheduler = wlc # another
	service = http
	checktype = negotiate
	request = "/"
virtual6 = [2001:db8::1]:80
        real6 = [2001:db8:1::11]:80 masq 3 l:50 u:100
        quiescent = yes
        scheduler = rr
        persistent = 60
        netmask = 64
virtual = 7
	real = 10.1.0.13:80 gate
	protocol = fwm
	scheduler = sh
	schedflags = sh-port,sh-fallback
	persistent = 77
	netmask = 255.255.255.0
	checktype = on
`;
