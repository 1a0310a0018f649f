//! The engine's nftables table, as transactions.
//!
//! Published ports are elements of two maps, so that starting a container
//! changes no rule: `published` holds ports of single host addresses,
//! `published_any` those of all. Destinations are rewritten on the way in
//! (prerouting) and for the host's own connections (output); sources only
//! where the answer would otherwise go astray: out to other networks, from the
//! host's loopback, and from a container to a published port of its own bridge.
//! Accepting here overrules nobody: every other table still has its say.

use std::net::{IpAddr, Ipv4Addr};

use dhow_sys::nft::{
    Chain, ChainKind, Element, Expression, Family, Field, FieldType, Hook, Map, NatKind,
    PayloadBase, Register, Table, Transaction, Verdict,
};
use ipnet::Ipv4Net;

use crate::endpoint::{Endpoint, PublishedPort, protocol_number};

const DESTINATION_NAT: i32 = -100;
const SOURCE_NAT: i32 = 100;
const RAW: i32 = -300;
const FILTER: i32 = 0;

/// Ports published on one host address.
pub const PUBLISHED: Map<'static> = Map {
    name: "published",
    key: &[FieldType::Ipv4, FieldType::Protocol, FieldType::Port],
    value: &[FieldType::Ipv4, FieldType::Port],
};

/// Ports published on every host address.
pub const PUBLISHED_ANY: Map<'static> = Map {
    name: "published_any",
    key: &[FieldType::Protocol, FieldType::Port],
    value: &[FieldType::Ipv4, FieldType::Port],
};

/// What the rules depend on besides the containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeRules {
    pub table: String,
    pub bridge: String,
    pub subnet: Ipv4Net,
    /// Hide containers behind the host's addresses when they talk to others.
    pub masquerade: bool,
    /// Let containers of the bridge talk to each other.
    pub inter_container: bool,
}

impl BridgeRules {
    pub fn table(&self) -> Table {
        Table::new(Family::Ipv4, &self.table)
    }

    /// Makes table, maps, chains and rules, whatever is there before; elements
    /// of the maps stay.
    pub fn install(&self) -> Transaction {
        let table = self.table();
        let mut transaction = Transaction::new();
        transaction.add_table(&table);
        transaction.add_map(&table, &PUBLISHED);
        transaction.add_map(&table, &PUBLISHED_ANY);
        let chains = [
            ("published_ports", None),
            ("raw", Some((ChainKind::Filter, Hook::Prerouting, RAW))),
            (
                "prerouting",
                Some((ChainKind::Nat, Hook::Prerouting, DESTINATION_NAT)),
            ),
            (
                "output",
                Some((ChainKind::Nat, Hook::Output, DESTINATION_NAT)),
            ),
            (
                "postrouting",
                Some((ChainKind::Nat, Hook::Postrouting, SOURCE_NAT)),
            ),
            ("forward", Some((ChainKind::Filter, Hook::Forward, FILTER))),
        ];
        for (name, base) in chains {
            transaction.add_chain(&table, &Chain { name, base });
            transaction.flush_chain(&table, name);
        }
        for (chain, expressions) in self.rules() {
            transaction.append_rule(&table, chain, &expressions, None);
        }
        transaction
    }

    /// Removes the table, whether or not it is there.
    pub fn remove(&self) -> Transaction {
        let table = self.table();
        let mut transaction = Transaction::new();
        transaction.add_table(&table);
        transaction.delete_table(&table);
        transaction
    }

    /// Adds the elements of `ports`, which lead to `address`.
    pub fn publish(&self, address: Ipv4Addr, ports: &[PublishedPort]) -> Transaction {
        let mut transaction = Transaction::new();
        for (map, elements) in elements(address, ports) {
            transaction.add_elements(&self.table(), map, &elements);
        }
        transaction
    }

    /// Removes the elements of `ports`; all must be there.
    pub fn withdraw(&self, address: Ipv4Addr, ports: &[PublishedPort]) -> Transaction {
        let mut transaction = Transaction::new();
        for (map, elements) in elements(address, ports) {
            transaction.delete_elements(&self.table(), map, &elements);
        }
        transaction
    }

    /// Makes the maps hold the ports of `endpoints` and nothing else, in one
    /// step that no packet sees half done.
    pub fn republish<'a>(&self, endpoints: impl Iterator<Item = &'a Endpoint>) -> Transaction {
        let table = self.table();
        let mut transaction = Transaction::new();
        transaction.flush_map(&table, PUBLISHED.name);
        transaction.flush_map(&table, PUBLISHED_ANY.name);
        for endpoint in endpoints {
            for (map, elements) in elements(endpoint.address, &endpoint.ports) {
                transaction.add_elements(&table, map, &elements);
            }
        }
        transaction
    }

    /// The rules another table's dropping forward chain needs so that it lets
    /// this bridge's packets through; our own chain decides about them.
    pub fn foreign_accepts(&self) -> [Vec<Expression>; 2] {
        [
            Expression::match_input(&self.bridge, true),
            Expression::match_output(&self.bridge, true),
        ]
        .map(|matches| {
            let mut rule = matches.to_vec();
            rule.push(Expression::Counter);
            rule.push(Expression::Verdict(Verdict::Accept));
            rule
        })
    }

    /// What marks our rules in other people's chains.
    pub fn foreign_mark(&self) -> String {
        format!("dhow:{}", self.bridge)
    }

    fn rules(&self) -> Vec<(&'static str, Vec<Expression>)> {
        let from_bridge = || Expression::match_input(&self.bridge, true).to_vec();
        let to_bridge = || Expression::match_output(&self.bridge, true).to_vec();
        let to_others = || Expression::match_output(&self.bridge, false).to_vec();
        let loopback = IpAddr::from([127, 0, 0, 0]);
        let to_loopback = || Expression::match_destination(loopback, 8, true);
        let from_loopback = || Expression::match_source(loopback, 8, true);
        let from_subnet = || {
            Expression::match_source(self.subnet.network().into(), self.subnet.prefix_len(), true)
        };
        let published = || vec![jump("published_ports")];
        let local = || Expression::match_destination_local().to_vec();
        let translated = || Expression::match_destination_translated().to_vec();
        let established = || Expression::match_established().to_vec();

        let mut rules = vec![
            // The bridge routes loopback addresses (see `sysctl`), so that the
            // host reaches published ports at 127.0.0.1. Containers must not
            // reach the host's loopback that way.
            (
                "raw",
                join([
                    from_bridge(),
                    to_loopback(),
                    vec![Expression::Counter, drop()],
                ]),
            ),
            // Nor must other machines: translating would spare these packets
            // the kernel's own check for addresses from nowhere.
            ("prerouting", join([to_loopback(), vec![back()]])),
            ("prerouting", join([local(), published()])),
            ("output", join([local(), published()])),
            ("published_ports", translate_single()),
            ("published_ports", translate_any()),
            (
                "postrouting",
                join([
                    to_bridge(),
                    translated(),
                    from_loopback(),
                    vec![Expression::Masquerade],
                ]),
            ),
            (
                "postrouting",
                join([
                    to_bridge(),
                    translated(),
                    from_subnet(),
                    vec![Expression::Masquerade],
                ]),
            ),
        ];
        if self.masquerade {
            rules.push((
                "postrouting",
                join([to_others(), from_subnet(), vec![Expression::Masquerade]]),
            ));
        }
        rules.push((
            "forward",
            join([to_bridge(), established(), vec![accept()]]),
        ));
        rules.push(("forward", join([to_bridge(), translated(), vec![accept()]])));
        if self.inter_container {
            rules.push(("forward", join([from_bridge(), vec![accept()]])));
        } else {
            rules.push((
                "forward",
                join([from_bridge(), to_others(), vec![accept()]]),
            ));
        }
        // What is not published is not for other machines.
        rules.push(("forward", join([to_bridge(), vec![drop()]])));
        rules
    }
}

/// The map elements of ports that lead to `address`. Ports of IPv6 addresses
/// have none: the shim forwards those.
fn elements(address: Ipv4Addr, ports: &[PublishedPort]) -> Vec<(&'static str, Vec<Element>)> {
    let mut single = Vec::new();
    let mut any = Vec::new();
    for port in ports {
        let IpAddr::V4(host) = port.host.ip() else {
            continue;
        };
        let mut key = vec![
            Field::Protocol(protocol_number(port.protocol)),
            Field::Port(port.host.port()),
        ];
        let value = vec![
            Field::Address(address.into()),
            Field::Port(port.container_port),
        ];
        if host.is_unspecified() {
            any.push(Element { key, value });
        } else {
            key.insert(0, Field::Address(host.into()));
            single.push(Element { key, value });
        }
    }
    [(PUBLISHED.name, single), (PUBLISHED_ANY.name, any)]
        .into_iter()
        .filter(|(_, elements)| !elements.is_empty())
        .collect()
}

/// `dnat to ip daddr . meta l4proto . th dport map @published`.
fn translate_single() -> Vec<Expression> {
    const DESTINATION: u32 = 16;
    let load = Expression::Payload {
        base: PayloadBase::Network,
        offset: DESTINATION,
        length: 4,
        to: Register(0),
    };
    join([vec![load], translate(PUBLISHED.name, Register(1))])
}

/// `dnat to meta l4proto . th dport map @published_any`.
fn translate_any() -> Vec<Expression> {
    translate(PUBLISHED_ANY.name, Register(0))
}

/// The key's protocol and port go to `from` and the register behind it. Other
/// protocols load nonsense as port, but no key of theirs is in the map.
fn translate(map: &str, from: Register) -> Vec<Expression> {
    const DESTINATION_PORT: u32 = 2;
    vec![
        Expression::TransportProtocol(from),
        Expression::Payload {
            base: PayloadBase::Transport,
            offset: DESTINATION_PORT,
            length: 2,
            to: Register(from.0 + 1),
        },
        Expression::Lookup {
            set: map.to_owned(),
            key: Register(0),
            to: Some(Register(0)),
        },
        Expression::Nat {
            kind: NatKind::Destination,
            family: Family::Ipv4,
            address: Register(0),
            port: Some(Register(1)),
        },
    ]
}

fn join<const N: usize>(parts: [Vec<Expression>; N]) -> Vec<Expression> {
    parts.into_iter().flatten().collect()
}

fn accept() -> Expression {
    Expression::Verdict(Verdict::Accept)
}

fn drop() -> Expression {
    Expression::Verdict(Verdict::Drop)
}

fn back() -> Expression {
    Expression::Verdict(Verdict::Return)
}

fn jump(chain: &str) -> Expression {
    Expression::Verdict(Verdict::Jump(chain.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Protocol;

    #[test]
    fn ports_go_to_the_map_of_their_address() {
        let port = |host: &str| PublishedPort {
            protocol: Protocol::Udp,
            container_port: 53,
            host: host.parse().unwrap(),
        };
        let ports = [port("0.0.0.0:53"), port("[::]:53"), port("127.0.0.1:5353")];
        let address = Ipv4Addr::new(172, 17, 0, 2);
        let value = vec![Field::Address(address.into()), Field::Port(53)];
        let single = Element {
            key: vec![
                Field::Address(Ipv4Addr::LOCALHOST.into()),
                Field::Protocol(17),
                Field::Port(5353),
            ],
            value: value.clone(),
        };
        let any = Element {
            key: vec![Field::Protocol(17), Field::Port(53)],
            value,
        };
        assert_eq!(
            elements(address, &ports),
            [("published", vec![single]), ("published_any", vec![any])]
        );
        assert!(elements(address, &ports[1..2]).is_empty());
    }
}
