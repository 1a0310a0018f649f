//! Questions about the rule set: base chains, a chain's rules, a map's
//! elements.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::netlink::{self, wire};

use super::transaction::{self, Element, Field, FieldType};
use super::{
    Family, NFT_MSG_GETCHAIN, NFT_MSG_GETRULE, NFT_MSG_GETSETELEM, Nft, Table, header, kind,
};

/// A chain of anybody's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseChain {
    pub table: Table,
    pub name: String,
    /// The hook's number, for chains that packets enter by themselves.
    pub hook: Option<u32>,
    /// `filter`, `nat` or `route`.
    pub kind: Option<String>,
    /// What happens at its end.
    pub drops: bool,
}

/// A rule, as far as we look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub handle: u64,
    pub comment: Option<String>,
}

impl Nft {
    /// Every chain of every table.
    pub fn chains(&mut self) -> Result<Vec<BaseChain>, netlink::Error> {
        let mut chains = Vec::new();
        let message = wire::Message::new(kind(NFT_MSG_GETCHAIN), 0, &header(0, 0));
        self.socket.dump(
            message,
            || "list nftables chains".into(),
            |payload| chains.extend(parse_chain(payload)),
        )?;
        Ok(chains)
    }

    /// The rules of one chain.
    pub fn rules(&mut self, table: &Table, chain: &str) -> Result<Vec<Rule>, netlink::Error> {
        let mut message =
            wire::Message::new(kind(NFT_MSG_GETRULE), 0, &header(table.family.number(), 0));
        message.put_text(1, &table.name);
        message.put_text(2, chain);
        let mut rules = Vec::new();
        self.socket.dump(
            message,
            || format!("list rules of chain {chain} of table {}", table.name),
            |payload| rules.extend(parse_rule(payload, table, chain)),
        )?;
        Ok(rules)
    }

    /// The elements of a map with the given key and value types.
    pub fn elements(
        &mut self,
        table: &Table,
        map: &transaction::Map<'_>,
    ) -> Result<Vec<Element>, netlink::Error> {
        let mut message = wire::Message::new(
            kind(NFT_MSG_GETSETELEM),
            0,
            &header(table.family.number(), 0),
        );
        message.put_text(1, &table.name);
        message.put_text(2, map.name);
        let mut elements = Vec::new();
        self.socket.dump(
            message,
            || format!("list map {} of table {}", map.name, table.name),
            |payload| {
                let list = wire::attribute(&payload[4..], 3).unwrap_or(&[]);
                for (_, element) in wire::attributes(list) {
                    elements.extend(parse_element(element, map));
                }
            },
        )?;
        Ok(elements)
    }
}

fn parse_chain(payload: &[u8]) -> Option<BaseChain> {
    let family = Family::from_number(*payload.first()?);
    let attributes = payload.get(4..)?;
    let text = |kind| wire::attribute(attributes, kind).map(wire::text);
    let hook = wire::attribute(attributes, 4)
        .and_then(|hook| wire::attribute(hook, 1))
        .and_then(wire::be32);
    let policy = wire::attribute(attributes, 5).and_then(wire::be32);
    Some(BaseChain {
        table: Table::new(family, text(1)?),
        name: text(3)?,
        hook,
        kind: text(7),
        drops: policy == Some(0),
    })
}

fn parse_rule(payload: &[u8], table: &Table, chain: &str) -> Option<Rule> {
    let attributes = payload.get(4..)?;
    let text = |kind| wire::attribute(attributes, kind).map(wire::text);
    // Kernels before 4.9 do not filter.
    if text(1)? != table.name || text(2)? != chain {
        return None;
    }
    let handle = wire::attribute(attributes, 3)?;
    Some(Rule {
        handle: u64::from_be_bytes(handle.try_into().ok()?),
        comment: wire::attribute(attributes, 7).and_then(transaction::comment),
    })
}

fn parse_element(element: &[u8], map: &transaction::Map<'_>) -> Option<Element> {
    let part = |kind| wire::attribute(element, kind).and_then(|data| wire::attribute(data, 1));
    Some(Element {
        key: split(part(1)?, map.key)?,
        value: split(part(2).unwrap_or(&[]), map.value)?,
    })
}

fn split(mut bytes: &[u8], types: &[FieldType]) -> Option<Vec<Field>> {
    let mut fields = Vec::with_capacity(types.len());
    for field in types {
        let (part, rest) = bytes.split_at_checked(match field {
            FieldType::Ipv6 => 16,
            _ => 4,
        })?;
        fields.push(match field {
            FieldType::Ipv4 => {
                Field::Address(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(part).ok()?)))
            }
            FieldType::Ipv6 => {
                Field::Address(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(part).ok()?)))
            }
            FieldType::Protocol => Field::Protocol(part[0]),
            FieldType::Port => Field::Port(u16::from_be_bytes([part[0], part[1]])),
        });
        bytes = rest;
    }
    Some(fields)
}
