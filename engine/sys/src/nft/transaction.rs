//! What a transaction may do: tables, chains, rules, maps and their elements.

use std::net::IpAddr;

use crate::netlink::wire::{Message, NLM_F_APPEND, NLM_F_CREATE};

use super::expression::{Expression, octets};
use super::{
    NFT_MSG_DELRULE, NFT_MSG_DELSETELEM, NFT_MSG_DELTABLE, NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE,
    NFT_MSG_NEWSET, NFT_MSG_NEWSETELEM, NFT_MSG_NEWTABLE, Table, header, kind,
};

const NFTA_RULE_USERDATA: u16 = 7;
const UDATA_RULE_COMMENT: u8 = 0;

/// Steps that are applied together by [`super::Nft::commit`].
#[derive(Debug, Clone, Default)]
pub struct Transaction {
    pub(super) steps: Vec<Step>,
    sets: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) message: Message,
    pub(super) doing: String,
}

/// A chain; a base chain if it has a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain<'a> {
    pub name: &'a str,
    pub base: Option<(ChainKind, Hook, i32)>,
}

/// What a base chain may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainKind {
    Filter,
    Nat,
}

/// Where in a packet's way a base chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    Prerouting = 0,
    Input = 1,
    Forward = 2,
    Output = 3,
    Postrouting = 4,
}

/// The type of one part of a key or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    Ipv4,
    Ipv6,
    Protocol,
    Port,
}

/// One part of a key or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    Address(IpAddr),
    /// The IP protocol's number.
    Protocol(u8),
    Port(u16),
}

/// A map whose keys and values are concatenated fields; a set if it has no
/// value fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map<'a> {
    pub name: &'a str,
    pub key: &'a [FieldType],
    pub value: &'a [FieldType],
}

/// An element of a map.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Element {
    pub key: Vec<Field>,
    pub value: Vec<Field>,
}

impl Transaction {
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is anything to apply.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Makes the table unless it is there.
    pub fn add_table(&mut self, table: &Table) {
        let mut message = request(table, NFT_MSG_NEWTABLE, NLM_F_CREATE);
        message.put_text(1, &table.name);
        message.put_be32(2, 0);
        self.step(message, || format!("add table {}", table.name));
    }

    /// Deletes the table and all in it; it must be there.
    pub fn delete_table(&mut self, table: &Table) {
        let mut message = request(table, NFT_MSG_DELTABLE, 0);
        message.put_text(1, &table.name);
        self.step(message, || format!("delete table {}", table.name));
    }

    /// Makes the chain unless it is there. Base chains accept by default.
    pub fn add_chain(&mut self, table: &Table, chain: &Chain<'_>) {
        let mut message = request(table, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
        message.put_text(1, &table.name);
        message.put_text(3, chain.name);
        if let Some((chain_kind, hook, priority)) = chain.base {
            const NF_ACCEPT: u32 = 1;
            message.put_text(
                7,
                match chain_kind {
                    ChainKind::Filter => "filter",
                    ChainKind::Nat => "nat",
                },
            );
            message.put_be32(5, NF_ACCEPT);
            message.nest(4, |h| {
                h.put_be32(1, hook as u32);
                h.put(2, &priority.to_be_bytes());
            });
        }
        self.step(message, || {
            format!("add chain {} to table {}", chain.name, table.name)
        });
    }

    /// Deletes the chain's rules.
    pub fn flush_chain(&mut self, table: &Table, chain: &str) {
        let mut message = request(table, NFT_MSG_DELRULE, 0);
        message.put_text(1, &table.name);
        message.put_text(2, chain);
        self.step(message, || {
            format!("empty chain {chain} of table {}", table.name)
        });
    }

    /// Adds a rule at the chain's end.
    pub fn append_rule(
        &mut self,
        table: &Table,
        chain: &str,
        expressions: &[Expression],
        comment: Option<&str>,
    ) {
        self.rule(table, chain, NLM_F_APPEND, expressions, comment);
    }

    /// Adds a rule at the chain's beginning.
    pub fn insert_rule(
        &mut self,
        table: &Table,
        chain: &str,
        expressions: &[Expression],
        comment: Option<&str>,
    ) {
        self.rule(table, chain, 0, expressions, comment);
    }

    fn rule(
        &mut self,
        table: &Table,
        chain: &str,
        place: u16,
        expressions: &[Expression],
        comment: Option<&str>,
    ) {
        let mut message = request(table, NFT_MSG_NEWRULE, NLM_F_CREATE | place);
        message.put_text(1, &table.name);
        message.put_text(2, chain);
        message.nest(4, |list| {
            expressions
                .iter()
                .for_each(|expression| expression.write(list));
        });
        if let Some(comment) = comment {
            message.put(NFTA_RULE_USERDATA, &user_data_comment(comment));
        }
        self.step(message, || {
            format!("add rule to chain {chain} of table {}", table.name)
        });
    }

    /// Deletes one rule.
    pub fn delete_rule(&mut self, table: &Table, chain: &str, handle: u64) {
        let mut message = request(table, NFT_MSG_DELRULE, 0);
        message.put_text(1, &table.name);
        message.put_text(2, chain);
        message.put(3, &handle.to_be_bytes());
        self.step(message, || {
            format!(
                "delete rule {handle} of chain {chain} of table {}",
                table.name
            )
        });
    }

    /// Makes the map (or set) unless it is there.
    pub fn add_map(&mut self, table: &Table, map: &Map<'_>) {
        const NFT_SET_MAP: u32 = 0x8;
        // For `nft`, which wants to know in which order the bytes of keys and
        // values are; concatenations have none.
        const USER_DATA: [u8; 12] = [0, 4, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0];
        self.sets += 1;
        let mut message = request(table, NFT_MSG_NEWSET, NLM_F_CREATE);
        message.put_text(1, &table.name);
        message.put_text(2, map.name);
        message.put_be32(3, if map.value.is_empty() { 0 } else { NFT_SET_MAP });
        message.put_be32(4, type_number(map.key));
        message.put_be32(5, type_length(map.key));
        if !map.value.is_empty() {
            message.put_be32(6, type_number(map.value));
            message.put_be32(7, type_length(map.value));
        }
        message.put_be32(10, self.sets);
        message.put(13, &USER_DATA);
        self.step(message, || {
            format!("add map {} to table {}", map.name, table.name)
        });
    }

    /// Adds elements; one that is there with another value is an error
    /// (`EEXIST`), one that is there with the same value is not.
    pub fn add_elements(&mut self, table: &Table, map: &str, elements: &[Element]) {
        self.elements(table, map, NFT_MSG_NEWSETELEM, NLM_F_CREATE, elements);
    }

    /// Deletes elements by their keys; each must be there.
    pub fn delete_elements(&mut self, table: &Table, map: &str, elements: &[Element]) {
        self.elements(table, map, NFT_MSG_DELSETELEM, 0, elements);
    }

    /// Deletes all elements.
    pub fn flush_map(&mut self, table: &Table, map: &str) {
        let mut message = request(table, NFT_MSG_DELSETELEM, 0);
        message.put_text(1, &table.name);
        message.put_text(2, map);
        self.step(message, || {
            format!("empty map {map} of table {}", table.name)
        });
    }

    fn elements(&mut self, table: &Table, map: &str, what: u16, flags: u16, elements: &[Element]) {
        // An attribute holds less than 64 KiB; an element takes at most ~80
        // bytes.
        const AT_ONCE: usize = 500;
        for some in elements.chunks(AT_ONCE) {
            let mut message = request(table, what, flags);
            message.put_text(1, &table.name);
            message.put_text(2, map);
            message.nest(3, |list| {
                for element in some {
                    list.nest(1, |e| {
                        e.nest(1, |key| key.put(1, &concatenate(&element.key)));
                        if what == NFT_MSG_NEWSETELEM && !element.value.is_empty() {
                            e.nest(2, |value| value.put(1, &concatenate(&element.value)));
                        }
                    });
                }
            });
            let verb = if what == NFT_MSG_NEWSETELEM {
                "add to"
            } else {
                "delete from"
            };
            self.step(message, || {
                format!("{verb} map {map} of table {}", table.name)
            });
        }
    }

    fn step(&mut self, message: Message, doing: impl FnOnce() -> String) {
        self.steps.push(Step {
            message,
            doing: doing(),
        });
    }
}

fn request(table: &Table, message: u16, flags: u16) -> Message {
    Message::new(kind(message), flags, &header(table.family.number(), 0))
}

/// A comment as `nft` stores it beside a rule.
fn user_data_comment(comment: &str) -> Vec<u8> {
    const LONGEST: usize = 128;
    let text = &comment.as_bytes()[..comment.len().min(LONGEST)];
    let mut data = vec![UDATA_RULE_COMMENT, text.len() as u8 + 1];
    data.extend_from_slice(text);
    data.push(0);
    data
}

/// The comment in a rule's user data.
pub(super) fn comment(user_data: &[u8]) -> Option<String> {
    let (&[kind, length], rest) = user_data.split_first_chunk()?;
    let text = rest.get(..usize::from(length))?;
    (kind == UDATA_RULE_COMMENT).then(|| crate::netlink::wire::text(text))
}

/// `nft`'s number for a concatenation: six bits for each part.
fn type_number(fields: &[FieldType]) -> u32 {
    fields.iter().fold(0, |number, field| {
        (number << 6)
            | match field {
                FieldType::Ipv4 => 7,
                FieldType::Ipv6 => 8,
                FieldType::Protocol => 12,
                FieldType::Port => 13,
            }
    })
}

fn type_length(fields: &[FieldType]) -> u32 {
    fields
        .iter()
        .map(|field| match field {
            FieldType::Ipv6 => 16,
            _ => 4,
        })
        .sum()
}

/// Fields side by side, each padded to whole registers.
pub(super) fn concatenate(fields: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(fields.len() * 4);
    for field in fields {
        match field {
            Field::Address(ip) => bytes.extend(octets(*ip)),
            Field::Protocol(number) => bytes.push(*number),
            Field::Port(port) => bytes.extend(port.to_be_bytes()),
        }
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}
