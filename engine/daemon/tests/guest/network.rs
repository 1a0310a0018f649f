//! The network where the kernel loads what it needs for it on demand.

use crate::house;

/// Asks for a page, more than once: the server may not be up yet.
fn get(address: &str) -> String {
    format!(
        "for i in $(seq 50); do \
           printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 {address} | grep hello && exit; \
           usleep 100000; done; exit 1"
    )
}

#[test]
fn a_published_port_is_reached() {
    let mut house = house();
    house.dhow(
        "run -d --name web -p 8080:80 busybox sh -c \
         'echo hello >/index.html; exec httpd -f -p 80 -h /'",
    );
    let own = house.dhow("inspect -f '{{.NetworkSettings.Networks.bridge.IPAddress}}' web");
    let gateway = house.dhow("inspect -f '{{.NetworkSettings.Networks.bridge.Gateway}}' web");
    for address in [
        "127.0.0.1 8080",
        &format!("{own} 80"),
        &format!("{gateway} 8080"),
    ] {
        assert_eq!(house.run(&get(address)).ok(), "hello", "{address}");
    }
    let script = get(&format!("{gateway} 8080")).replace('\'', "\"");
    let neighbour = house.dhow(&format!("run --rm busybox sh -c '{script}'"));
    assert_eq!(neighbour, "hello");
    house.clear("web");
}
