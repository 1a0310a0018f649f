//! The engine's table in the kernel, and its two rules in chains of others
//! that would drop everything.
//!
//! A packet must be accepted by every table's forward chain. Where another
//! program's chain drops what it does not know (dockerd sets iptables' FORWARD
//! policy so), an accept rule for our bridge is put into it if it is iptables'
//! own, kept in nftables; otherwise a warning is all. No other rule of anybody
//! is ever changed.

use dhow_sys::netlink;
use dhow_sys::nft::{BaseChain, Family, Nft, Transaction, legacy_forward_drops};

use crate::plan::rules::BridgeRules;

const HOOK_FORWARD: u32 = 2;

/// Makes table, chains and rules. A table of an older layout that cannot be
/// kept is replaced, elements and all: [`crate::Bridge::reconcile`] brings
/// them back.
pub(crate) fn install(nft: &mut Nft, rules: &BridgeRules) -> Result<(), netlink::Error> {
    if nft.commit(rules.install()).is_ok() {
        return Ok(());
    }
    nft.commit(rules.remove())?;
    nft.commit(rules.install())
}

/// Gets the bridge's packets past forward chains that drop. Returns sentences
/// about those where it cannot.
pub(crate) fn pass_foreign_chains(nft: &mut Nft, rules: &BridgeRules) -> Vec<String> {
    let mut warnings = Vec::new();
    match legacy_forward_drops() {
        Ok(false) => {}
        Ok(true) => warnings.push(format!(
            "the policy of iptables-legacy's FORWARD chain is DROP: containers cannot reach \
             other machines until it accepts bridge {}",
            rules.bridge
        )),
        Err(error) => warnings.push(format!("cannot read iptables-legacy's rules: {error}")),
    }
    let chains = match nft.chains() {
        Ok(chains) => chains,
        Err(error) => {
            warnings.push(format!("cannot read nftables' chains: {error}"));
            return warnings;
        }
    };
    for chain in chains.iter().filter(|chain| drops_forwarded(chain)) {
        if chain.table == rules.table() {
            continue;
        }
        let accepted = is_iptables(chain) && accept_in(nft, rules, chain, &chains).is_ok();
        if !accepted {
            warnings.push(format!(
                "chain {} of nftables table {} drops forwarded packets by default: containers \
                 cannot reach other machines until it accepts bridge {}",
                chain.name, chain.table.name, rules.bridge
            ));
        }
    }
    warnings
}

/// Takes our rules out of other tables again.
pub(crate) fn leave_foreign_chains(
    nft: &mut Nft,
    rules: &BridgeRules,
) -> Result<(), netlink::Error> {
    let mut transaction = Transaction::new();
    for chain in nft.chains()? {
        if !is_iptables_table(&chain) || !matches!(chain.name.as_str(), "FORWARD" | "DOCKER-USER") {
            continue;
        }
        for rule in nft.rules(&chain.table, &chain.name)? {
            if rule.comment.as_deref() == Some(&rules.foreign_mark()) {
                transaction.delete_rule(&chain.table, &chain.name, rule.handle);
            }
        }
    }
    nft.commit(transaction)
}

/// Puts our accept rules where dockerd leaves room for them, else first.
fn accept_in(
    nft: &mut Nft,
    rules: &BridgeRules,
    chain: &BaseChain,
    all: &[BaseChain],
) -> Result<(), netlink::Error> {
    let place = all
        .iter()
        .find(|other| other.table == chain.table && other.name == "DOCKER-USER")
        .unwrap_or(chain);
    let mark = rules.foreign_mark();
    let mut present = nft.rules(&place.table, &place.name)?;
    present.retain(|rule| rule.comment.as_deref() == Some(&mark));
    let wanted = rules.foreign_accepts();
    if present.len() == wanted.len() {
        return Ok(());
    }
    let mut transaction = Transaction::new();
    for rule in &present {
        transaction.delete_rule(&place.table, &place.name, rule.handle);
    }
    for rule in &wanted {
        transaction.insert_rule(&place.table, &place.name, rule, Some(&mark));
    }
    nft.commit(transaction)
}

fn drops_forwarded(chain: &BaseChain) -> bool {
    chain.hook == Some(HOOK_FORWARD)
        && chain.drops
        && matches!(chain.table.family, Family::Ipv4 | Family::Inet)
}

fn is_iptables(chain: &BaseChain) -> bool {
    is_iptables_table(chain) && chain.name == "FORWARD"
}

fn is_iptables_table(chain: &BaseChain) -> bool {
    chain.table.family == Family::Ipv4 && chain.table.name == "filter"
}
